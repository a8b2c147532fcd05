import pytest

from tests.verify.cases import errors, found
from tests.verify.pods import container, pod

HTTP = {"httpGet": {"path": "/health", "port": 8080}}


@pytest.mark.parametrize(
    ("live", "ready", "wrong"),
    [
        (HTTP, HTTP, True),
        ({**HTTP, "failureThreshold": 6}, HTTP, False),
        ({**HTTP, "periodSeconds": 30}, HTTP, False),
        (HTTP, {**HTTP, "periodSeconds": 5}, False),
        (HTTP, {**HTTP, "failureThreshold": 6}, True),
        (HTTP, {"httpGet": {"path": "/ready", "port": 8080}}, False),
        ({"tcpSocket": {"port": 80}}, {"tcpSocket": {"port": 80}}, False),
        (HTTP, None, False),
        (None, None, False),
    ],
)
def test_liveness_and_readiness(live: object, ready: object, wrong: object) -> None:
    manifests = pod(container(livenessProbe=live, readinessProbe=ready))
    assert ("liveness-as-readiness" in found(manifests)) is wrong


@pytest.mark.parametrize(
    ("timing", "startup", "wrong"),
    [
        ({}, None, False),
        ({"periodSeconds": 3}, None, True),
        ({"periodSeconds": 3, "initialDelaySeconds": 1}, None, False),
        ({"periodSeconds": 1, "failureThreshold": 1}, HTTP, False),
        ({"periodSeconds": "1"}, None, False),
    ],
)
def test_time_to_start(timing: dict[str, object], startup: object, wrong: object) -> None:
    manifests = pod(container(livenessProbe={**HTTP, **timing}, startupProbe=startup))
    assert ("liveness-start" in found(manifests)) is wrong


@pytest.mark.parametrize(
    ("hook", "grace", "level"),
    [
        ({"exec": {"command": ["sleep", "31"]}}, None, "error"),
        ({"exec": {"command": ["/bin/sleep", "30"]}}, None, "warning"),
        ({"exec": {"command": ["sleep", "29"]}}, None, ""),
        ({"exec": {"command": ["sh", "-c", "nginx -s quit; sleep 90"]}}, 60, "error"),
        ({"exec": {"command": ["sh", "-c", "sleep 10 && nginx -s quit"]}}, 60, ""),
        ({"sleep": {"seconds": 40}}, 30, "error"),
        ({"sleep": {"seconds": 20}}, 30, ""),
        ({"sleep": {"seconds": []}}, 30, ""),
        ({"exec": {"command": ["sleeper", "99"]}}, None, ""),
        ({"httpGet": {"port": 80}}, 1, ""),
        ([], [], ""),
    ],
)
def test_hooks(hook: object, grace: object, level: str) -> None:
    manifests = pod(container(lifecycle={"preStop": hook}), terminationGracePeriodSeconds=grace)
    assert ("prestop-grace" in errors(manifests)) is (level == "error")
    assert ("prestop-grace" in found(manifests)) is bool(level)
