"""The documentation says what is so: generated parts are up to date, links lead somewhere, names exist."""

import ast
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from tests.manifests import REPOSITORY, Manifest, Synthesis, of_kind
from tests.schemas import CRDS, errors_of_custom
from traversion.reference import generated
from traversion.settings import Environment
from traversion.timescaledb.restore import RESTORE, RESTORED

PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])

KINDS = {
    "certificate": "Certificate",
    "cronjob": "CronJob",
    "deployment": "Deployment",
    "hpa": "HorizontalPodAutoscaler",
    "issuer": "Issuer",
    "job": "Job",
    "pod": "Pod",
    "pvc": "PersistentVolumeClaim",
    "secret": "Secret",
    "statefulset": "StatefulSet",
}
"""What kubectl calls the kinds that the documentation names objects of."""

MADE_BY_HAND = {
    ("Job", "first-backup"),
    ("Job", "first-rehearsal"),
    ("Job", "full-backup-now"),
    ("StatefulSet", "timescaledb-restored"),  # by `traversion restore`
    ("Pod", "timescaledb-restored-0"),
    ("PersistentVolumeClaim", "data-timescaledb-restored-0"),
    ("Job", "before-upgrade"),
    ("Job", "after-upgrade"),
}
ELSEWHERE = {("Deployment", "cert-manager", "cert-manager")}


def blocks(page: Path, *languages: str) -> list[str]:
    """Code blocks in these languages, also those that a list indents."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^( *)```(\w+)\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [code for _, language, code in found if language in languages]


def kubectl_commands(page: Path) -> Iterator[list[str]]:
    """Every kubectl command of a page, in words; from code blocks and from the text."""
    text = page.read_text(encoding="utf-8")
    inline = re.findall(r"`(kubectl [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    scripts = [
        re.sub(r"<<'SQL'\n.*?^ *SQL$", "", code, flags=re.DOTALL | re.MULTILINE)
        for code in blocks(page, "sh")
    ]
    for script in [*scripts, *inline]:
        joined = re.sub(r"\\\n\s*", " ", script)
        for part in re.split(r"\n|\||;|\$\(|\)", re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "quoted", joined)):
            command = part.partition("#")[0].strip()
            if command.startswith("kubectl "):
                yield shlex.split(command.partition(" -- ")[0])


def objects_named(words: list[str]) -> Iterator[tuple[str, str]]:
    """The objects that a kubectl command names, as kind/name, kind name, or the pod of exec and logs."""
    for word in words[2:]:
        kind, slash, name = word.removeprefix("--from=").partition("/")
        if slash and kind in KINDS:
            yield KINDS[kind], name
    for kind, name in pairwise(words[2:]):
        if kind in KINDS and not name.startswith("-") and words[1] != "create":
            yield KINDS[kind], name
    if words[1] in ("exec", "logs"):
        pod = next(word for word in words[2:] if not word.startswith("-"))
        if "/" not in pod:
            yield "Pod", pod


@pytest.fixture(scope="module")
def known(
    syntheses: Mapping[str, Synthesis], variants: Callable[[str], Synthesis]
) -> set[tuple[str, str, str]]:
    """Kind, name and namespace of all that exists in a cluster once everything has been applied."""
    found = set(ELSEWHERE)
    for synthesis in (*syntheses.values(), variants("gateway-traefik")):
        namespace = synthesis.platform.namespace
        names = {(m["kind"], m["metadata"]["name"]) for m in synthesis.manifests} | MADE_BY_HAND
        names |= {("Secret", credential.secret) for credential in synthesis.platform.credentials.declared}
        for stateful_set in of_kind(synthesis.manifests, "StatefulSet"):
            pod = f"{stateful_set['metadata']['name']}-0"
            names.add(("Pod", pod))
            for claim in stateful_set["spec"]["volumeClaimTemplates"]:
                names.add(("PersistentVolumeClaim", f"{claim['metadata']['name']}-{pod}"))
        for ingress in of_kind(synthesis.manifests, "Ingress"):
            names |= {("Certificate", tls["secretName"]) for tls in ingress["spec"]["tls"]}
        for certificate in of_kind(synthesis.manifests, "Certificate"):
            names.add(("Secret", certificate["spec"]["secretName"]))
        found |= {(kind, name, namespace) for kind, name in names}
    return found


@pytest.mark.slow
def test_generated_parts_are_up_to_date(environments: Mapping[str, Environment]) -> None:
    for file, text in generated(environments).items():
        assert file.read_text(encoding="utf-8") == text, f"{file.name} is out of date: run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(
        r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text(encoding="utf-8")
    ):
        file = page.parent / target if target else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}, anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_objects_exist_that_kubectl_is_told_of(page: Path, known: set[tuple[str, str, str]]) -> None:
    for words in kubectl_commands(page):
        named = list(objects_named(words))
        namespace = words[words.index("-n") + 1] if "-n" in words else None
        for kind, name in named:
            assert (kind, name, namespace) in known, f"{page.name}: {' '.join(words)}"


def test_the_pages_name_objects() -> None:
    commands = [words for page in PAGES for words in kubectl_commands(page)]
    assert len([named for words in commands for named in objects_named(words)]) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_labels_and_files_exist_that_commands_select_by(
    page: Path, manifests: Mapping[str, list[Manifest]]
) -> None:
    labels = {
        f"{key}={value}"
        for objects in manifests.values()
        for manifest in objects
        for key, value in manifest["metadata"]["labels"].items()
    } | {"acme.cert-manager.io/http01-solver=true"}
    labels |= {f"app.kubernetes.io/name={name}" for name in (RESTORE, RESTORED)}
    for words in kubectl_commands(page):
        for option, value in pairwise(words):
            if option == "-l":
                assert value in labels, f"{page.name}: {' '.join(words)}"
            if option == "-f" and value not in ("-", "out/staging.k8s.yaml"):
                assert (REPOSITORY / value).exists(), f"{page.name}: {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_exist_that_are_named(page: Path) -> None:
    groups = "|".join(name for name, kind in Environment.model_fields.items() if is_group(kind.annotation))
    for path in re.findall(
        rf"`((?:{groups})\.(?!py`)[a-z_.]+?)(?:=[^`]*)?`", page.read_text(encoding="utf-8")
    ):
        model: Any = Environment
        for name in path.split("."):
            assert name in model.model_fields, f"{page.name}: {path}"
            model = next(iter(groups_in(model.model_fields[name].annotation)), None)


def groups_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 # any type can be an annotation
    return [t for t in (annotation, *getattr(annotation, "__args__", ())) if is_group(t)]


def is_group(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for named in re.findall(r"(?:`|^)make ([a-z ]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
        assert targets.issuperset(named.split()), f"{page.name}: make {named}"


@pytest.mark.skipif(not CRDS.is_dir(), reason=f"{CRDS} does not exist: it holds Argo CD's schemas")
def test_application_of_argo_cd_is_valid(manifests: Mapping[str, list[Manifest]]) -> None:
    (code,) = blocks(REPOSITORY / "README.md", "yaml")
    application = yaml.safe_load(code)
    assert not errors_of_custom(application)
    source = application["spec"]["source"]
    assert (REPOSITORY / source["path"] / source["directory"]["include"]).exists()
    assert application["spec"]["destination"]["namespace"] == manifests["production"][0]["metadata"]["name"]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_settings_can_be_pasted(page: Path) -> None:
    """``name=value,`` is an argument in `environments/`; a formatter that takes it alone makes it a tuple."""
    for code in blocks(page, "python"):
        for statement in ast.parse(textwrap.dedent(code)).body:
            if isinstance(statement, ast.Assign):
                assert not isinstance(statement.value, ast.Tuple), ast.unparse(statement)


@pytest.mark.slow
def test_example_of_a_chart_synthesizes(tmp_path: Path) -> None:
    (code,) = blocks(REPOSITORY / "CONTRIBUTING.md", "python")
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert [file.name for file in (tmp_path / "dist").iterdir()] == ["data.k8s.yaml"]


def test_pages_name_nothing_of_one_machine() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])/(work|root|home/(?!postgres/))|pypi|registry\.npmjs", text), (
            page.name
        )
