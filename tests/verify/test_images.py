import pytest

from tests.verify.cases import found
from tests.verify.pods import container, document, pod

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "image",
    [
        "redis",
        "redis:latest",
        "registry:5000/app",
        "ghcr.io/a/b:main",
        "nginx:stable",
        "app:17-latest",
        "app:NIGHTLY",
    ],
)
def test_moving(image: str) -> None:
    assert "image-mutable" in found(pod(container(image=image)))


@pytest.mark.parametrize(
    "image",
    [
        *(
            "redis:7.4.11",
            "redis:7",
            "nginx:1.27-alpine",
            "registry:5000/app:v1",
            "app:2024-01-01",
            "app:3f2a9c1",
        ),
        *(f"redis@{DIGEST}", f"redis:latest@{DIGEST}", "timescale/timescaledb:2.12.1-pg15", "app:stable-2.1"),
    ],
)
def test_fixed(image: str) -> None:
    assert found(pod(container(image=image))).isdisjoint({"image-mutable", "image-invalid"})


@pytest.mark.parametrize(
    "image",
    ["Redis:7", "redis:7 ", "registry/${APP}:1", "{{ .Values.image }}", "", None, [], "a:b:c", "x" * 600],
)
def test_invalid(image: object) -> None:
    assert "image-invalid" in found(pod(container(image=image)))


@pytest.mark.parametrize(
    "image", ["REGISTRY.example.com/app:1", "a/b_c/d__e:1", "[::1]:5000/app:1", "a--b:1"]
)
def test_unusual_but_valid(image: str) -> None:
    assert "image-invalid" not in found(pod(container(image=image)))


def test_a_patch_needs_no_image() -> None:
    template = {"spec": {"containers": [{"name": "app", "env": []}]}}
    patch = document("Deployment", "example", "apps/v1", spec={"template": template})
    assert "image-invalid" not in found(patch)


@pytest.mark.parametrize(
    ("image", "policy", "wrong"),
    [
        ("app:latest", "IfNotPresent", True),
        ("app:latest", "Always", False),
        ("app:latest", None, False),
        ("app:1.2.3", "IfNotPresent", False),
        ("app:1.2.3", "Always", False),
        ("app:1.2.3", "Never", True),
        ("app:1.2.3", [], False),
    ],
)
def test_pull_policies(image: str, policy: object, wrong: object) -> None:
    manifests = pod(container(image=image, imagePullPolicy=policy))
    assert ("image-pull-policy" in found(manifests)) is wrong
