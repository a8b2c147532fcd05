"""Every object that can be synthesized is one that every supported API server accepts as it is."""

import json
from collections.abc import Callable, Iterable

import pytest
from kubernetes_validate import ValidationError, validate  # type: ignore[import-untyped] # it has no types

from tests.manifests import Manifest, Synthesis, find, identity
from tests.schemas import CRDS, errors_of, errors_of_custom, is_custom
from tests.variants import VARIANTS

VERSIONS = ("1.25", "1.27", "1.30", "1.34", "1.37")

needs_crds = pytest.mark.skipif(
    not CRDS.is_dir(), reason=f"{CRDS} does not exist: schemas of custom resources lie beside the repository"
)


@pytest.fixture(scope="session")
def every_object(
    manifests: dict[str, list[Manifest]], variants: Callable[[str], Synthesis]
) -> list[Manifest]:
    """Every different object of all environments and variants."""
    synthesized = [*manifests.values(), *(variants(name).manifests for name in VARIANTS)]
    different = {json.dumps(manifest): manifest for each in synthesized for manifest in each}
    return list(different.values())


def refused(found: Iterable[tuple[Manifest, list[str]]]) -> str:
    return "\n".join(f"{identity(manifest)} {error}" for manifest, errors in found for error in errors)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_objects_are_valid(version: str, every_object: list[Manifest]) -> None:
    built_in = [manifest for manifest in every_object if not is_custom(manifest)]
    assert len(built_in) > 100
    assert not refused((manifest, errors_of(manifest, version)) for manifest in built_in)


@needs_crds
def test_custom_resources_are_valid(every_object: list[Manifest]) -> None:
    custom = [manifest for manifest in every_object if is_custom(manifest)]
    kinds = {manifest["kind"] for manifest in custom}
    assert kinds == {
        "BackendTLSPolicy",
        "Certificate",
        "ExternalSecret",
        "Gateway",
        "HTTPRoute",
        "Issuer",
        "Middleware",
        "PrometheusRule",
        "ServiceMonitor",
        "VerticalPodAutoscaler",
    }
    # Traefik's definitions are not among those beside the repository; tests/compiled asks Traefik itself.
    known = [manifest for manifest in custom if manifest["kind"] != "Middleware"]
    assert not refused((manifest, errors_of_custom(manifest)) for manifest in known)


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("StatefulSet", "redis", ("spec", "replica"), 1),
        ("StatefulSet", "redis", ("spec", "replicas"), "one"),
        ("Service", "redis-service", ("spec", "ports", 0, "targetport"), 6379),
    ],
)
def test_the_schemas_are_strict(
    production: list[Manifest], kind: str, name: str, path: tuple[str | int, ...], value: object
) -> None:
    manifest = spoiled(find(production, kind, name), path, value)
    assert errors_of(manifest, VERSIONS[-1])
    with pytest.raises(ValidationError):
        validate(manifest, VERSIONS[-1], strict=True)


@needs_crds
@pytest.mark.parametrize(
    ("path", "value"), [(("spec", "secretname"), "x"), (("spec", "privateKey", "algorithm"), "DSA")]
)
def test_the_schemas_of_custom_resources_are_strict(
    production: list[Manifest], path: tuple[str | int, ...], value: object
) -> None:
    assert errors_of_custom(spoiled(find(production, "Certificate", "timescaledb-tls"), path, value))


def spoiled(manifest: Manifest, path: tuple[str | int, ...], value: object) -> Manifest:
    copy: Manifest = json.loads(json.dumps(manifest))
    place = copy
    for step in path[:-1]:
        place = place[step]  # type: ignore[index] # lists take numbers
    place[path[-1]] = value  # type: ignore[index] # lists take numbers
    return copy
