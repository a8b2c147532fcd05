"""Settings that are unusual but right, and one environment changed in one place."""

import ast
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.checkout import Checkout
from tests.manifests import (
    Synthesis,
    change,
    find,
    mentions,
    names,
    of_kind,
    read_manifests,
    synthesize_environment,
    workload,
)
from traversion import settings as settings_module
from traversion.settings import (
    ApiSettings,
    BackupSettings,
    ClusterSettings,
    CredentialSettings,
    Environment,
    Image,
    IngressSettings,
    PlacementSettings,
    PosixRepository,
    RedisSettings,
    Replicas,
    Resources,
    Settings,
    TimescaleDbSettings,
)
from traversion.synthesis import choose, load_environments

_VOLUME = PosixRepository(storage="50Gi")


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        (Replicas, {"minimum": 1, "maximum": 1}),
        (Resources, {"cpu": "1", "cpu_limit": "1000m", "memory": "1Gi", "memory_limit": "1024Mi"}),
        (Resources, {"cpu": "0.001", "cpu_limit": "1.5", "memory": "1.5Gi", "memory_limit": "2G"}),
        (Image, {"repository": "localhost:5000/a/b-c_d.e", "tag": "_1.0-rc.1"}),
        (Image, {"repository": "traversion", "tag": f"1.1.0@sha256:{'a' * 64}"}),
        (RedisSettings, {"storage": "2Gi"}),
        (
            BackupSettings,
            {"repository": _VOLUME, "retention": "1y", "full": "*/15 0-6,20-23 1,15 JAN-MAR MON"},
        ),
        (BackupSettings, {"repository": _VOLUME, "retention": "9y", "full": "0 0 29 2 *"}),
        (BackupSettings, {"repository": _VOLUME, "retention": "24h", "incremental": "*/5 * * * *"}),
        (IngressSettings, {"issuer": "self-signed"}),
        (IngressSettings, {"issuer": "self-signed", "cors_origins": ("https://app.company.com:8443",)}),
        (ClusterSettings, {"cloud": "generic", "storage_class": "fast"}),
        (ClusterSettings, {"api_server_cidrs": ("2001:db8::/32", "192.0.2.1")}),
        (CredentialSettings, {"source": "external-secrets", "store": "vault"}),
        (PlacementSettings, {"node_labels": {"company.com/pool": "a_b.c-1", "empty": ""}}),
    ],
)
def test_edges_are_accepted(settings: type[Settings], values: Mapping[str, object]) -> None:
    settings.model_validate(values)


def test_the_longest_domain_still_has_hosts(environments: Mapping[str, Environment]) -> None:
    longest = ".".join(["a" * 59] * 3 + ["b" * 55, "com"])
    environment = change(environments["dev"], {"domain": longest})
    assert all(len(host) <= 253 for host in dict(environment.hosts).values())


@pytest.mark.parametrize(("path", "name"), [("", "domain"), ("", "unknown"), ("api", "image")])
def test_settings_are_frozen(environments: Mapping[str, Environment], path: str, name: str) -> None:
    environment = environments["dev"]
    before = environment.model_copy()
    group = getattr(environment, path) if path else environment
    with pytest.raises(ValidationError):
        setattr(group, name, "other")
    with pytest.raises(ValidationError):
        delattr(group, name)
    assert environment == before


def groups(settings: type[Settings] = Settings) -> list[type[Settings]]:
    found = [settings]
    for each in settings.__subclasses__():
        found += groups(each)
    return found


@pytest.mark.parametrize("group", groups(), ids=lambda group: group.__name__)
def test_every_group_is_frozen_and_closed(group: type[Settings]) -> None:
    assert group.model_config.get("frozen") is True
    assert group.model_config.get("extra") == "forbid"


def test_every_setting_is_explained() -> None:
    """An operator hovers over a name and reads what it is."""
    files = Path(settings_module.__file__).parent.glob("*.py")
    nodes = [node for file in files for node in ast.parse(file.read_text(encoding="utf-8")).body]
    written = [
        node for node in nodes if isinstance(node, ast.ClassDef) and node.name not in {"Front", "Hosts"}
    ]
    assert len(written) > 20
    unexplained: list[str] = []
    for group in written:
        for node, following in pairwise([*group.body, ast.Pass()]):
            explained = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            # What tells one kind of settings from another has one value.
            if isinstance(node, ast.AnnAssign) and not explained and ast.unparse(node.target) != "kind":
                unexplained.append(f"{group.name}.{ast.unparse(node.target)}")
    assert not unexplained


def test_a_domain_is_changed_in_one_place(
    environments: Mapping[str, Environment], syntheses: Mapping[str, Synthesis]
) -> None:
    old, new = environments["production"].domain, "events.example.org"
    # The registry and the mailbox are in another domain than the hosts.
    others = {"api.image.repository": "registry.example.net/app", "ingress.acme_email": "sre@elsewhere.io"}
    moved = change(environments["production"], {**others, "domain": new})
    objects = synthesize_environment(moved).manifests
    assert not [
        f"{manifest['kind']}/{manifest['metadata']['name']}{path}"
        for manifest in objects
        for path in mentions(manifest, old)
    ]
    hosts = {f"{prefix}.{new}" for prefix in ("api", "ws", "monitoring", "grafana")}
    assert {ingress["spec"]["rules"][0]["host"] for ingress in of_kind(objects, "Ingress")} == hosts
    assert {ingress["spec"]["tls"][0]["hosts"][0] for ingress in of_kind(objects, "Ingress")} == hosts
    api = workload(objects, "traversion").variables(objects, "traversion")
    assert api["APP_URL"] == f"https://api.{new}"
    assert api["CORS_ORIGIN"].split(",")[0] == f"https://api.{new}"
    grafana = workload(objects, "grafana").variables(objects, "grafana")
    assert grafana["GF_SERVER_ROOT_URL"] == f"https://grafana.{new}/"
    for component, url in (
        ("prometheus", f"https://monitoring.{new}/"),
        ("alertmanager", f"https://monitoring.{new}/alertmanager"),
    ):
        assert f"--web.external-url={url}" in workload(objects, component).containers[0]["args"]
    assert syntheses["production"].text.count(old) > 10


FOURTH = '''"""A demonstration."""

from traversion.settings import ApiSettings, Environment, Image, IngressSettings

environment = Environment(
    name="demo-1",
    namespace="traversion-demo",
    domain="demo.company.com",
    api=ApiSettings(image=Image(repository="registry.company.com/traversion", tag="1.1.0")),
    ingress=IngressSettings(issuer="self-signed"),
)
'''


@pytest.mark.slow
def test_a_fourth_environment_is_one_small_file(checkout: Checkout) -> None:
    checkout.environment("demo-1").write_text(FOURTH, encoding="utf-8")
    checkout.environment("dev").unlink()
    (checkout.dist / "README.md").write_text("not ours\n", encoding="utf-8")
    before = checkout.files()

    outcome = checkout.synth(TRAVERSION_ENV="demo-1")

    assert (outcome.code, outcome.errors) == (0, "")
    after = checkout.files()
    assert after.keys() == (before.keys() | {"demo-1.k8s.yaml"}) - {"dev.k8s.yaml"}
    for name in ("production.k8s.yaml", "staging.k8s.yaml", "README.md"):
        assert after[name] == before[name]
    objects = read_manifests(after["demo-1.k8s.yaml"].decode())
    assert names(objects, "Namespace") == {"traversion-demo"}
    assert (
        find(objects, "Ingress", "traversion-ingress")["spec"]["rules"][0]["host"] == "api.demo.company.com"
    )


def test_every_environment_is_loaded_and_named_like_its_file() -> None:
    loaded = load_environments()
    assert list(loaded) == ["dev", "production", "staging"]
    assert [environment.name for environment in loaded.values()] == list(loaded)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("", ["dev", "production", "staging"]),
        (" , ", ["dev", "production", "staging"]),
        ("staging", ["staging"]),
        ("production, dev", ["production", "dev"]),
        ("dev,dev", ["dev"]),
    ],
)
def test_environments_are_chosen_by_name(
    environments: Mapping[str, Environment], chosen: str, expected: list[str]
) -> None:
    assert [environment.name for environment in choose(environments, names=chosen)] == expected


def test_an_image_tag_replaces_the_apis_alone(environments: Mapping[str, Environment]) -> None:
    for environment in choose(environments, image_tag="9.9.9"):
        before = environments[environment.name]
        assert environment.api.image == before.api.image.model_copy(update={"tag": "9.9.9"})
        assert change(environment, {"api.image": before.api.image}) == before


def test_defaults_are_enough(environments: Mapping[str, Environment]) -> None:
    """What has a default can be left out, and the defaults fit each other."""
    assert TimescaleDbSettings().backups
    image = environments["dev"].api.image
    assert ApiSettings(image=image).grace_seconds > ApiSettings(image=image).drain_seconds
