import pytest

from tests.verify.cases import errors, found
from tests.verify.pods import container, pod

PORTS = [{"name": "http", "containerPort": 8080}, {"containerPort": 9090}]


def probed(handler: object, ports: object = None, **spec: object) -> str:
    given = {"ports": PORTS if ports is None else ports, "readinessProbe": handler}
    return pod(container(**given), hostNetwork=spec.get("hostNetwork"))


@pytest.mark.parametrize(
    ("port", "level"),
    [
        *(("http", ""), (8080, ""), (9090, ""), ("web", "error"), (8081, "warning")),
        *(([], ""), (None, ""), (True, "")),
    ],
)
def test_ports(port: object, level: str) -> None:
    for handler in ("httpGet", "tcpSocket"):
        manifests = probed({handler: {"port": port}})
        assert ("probe-port" in errors(manifests)) is (level == "error")
        assert ("probe-port" in found(manifests)) is bool(level)


def test_ports_need_not_be_declared() -> None:
    assert "probe-port" not in found(probed({"httpGet": {"port": 8081}}, ports=[]))
    assert "probe-port" not in found(probed({"httpGet": {"port": 8081}}, hostNetwork=True))
    assert "probe-port" in errors(probed({"httpGet": {"port": "http"}}, ports=[]))


def test_names_are_those_of_the_same_container_and_numbers_of_the_pod() -> None:
    sidecar = container(name="proxy", ports=[{"name": "admin", "containerPort": 15000}])
    by_name = container(ports=PORTS, livenessProbe={"httpGet": {"port": "admin"}})
    by_number = container(ports=PORTS, livenessProbe={"httpGet": {"port": 15000}})
    assert "probe-port" in errors(pod(by_name, sidecar))
    assert "probe-port" not in found(pod(by_number, sidecar))


@pytest.mark.parametrize(
    ("host", "host_network", "level"),
    [
        ("127.0.0.1", None, "error"),
        ("localhost", None, "error"),
        ("127.0.0.1", True, ""),  # as the control plane's own pods do
        ("10.0.0.1", None, "warning"),
        ("", None, ""),
        (None, None, ""),
    ],
)
def test_hosts(host: object, host_network: object, level: str) -> None:
    manifests = probed({"httpGet": {"host": host, "port": 8080}}, hostNetwork=host_network)
    assert ("probe-host" in errors(manifests)) is (level == "error")
    assert ("probe-host" in found(manifests)) is bool(level)


@pytest.mark.parametrize(
    "command",
    [
        *(["true"], ["/bin/true"], ["echo", "ok"], ["sh", "-c", "exit 0"], ["sh", "-c", "echo ok; exit 0"]),
        *(
            ["sh", "-c", "redis-cli ping || true"],
            ["bash", "-c", "curl -f localhost || exit 0"],
            ["sleep", "1"],
        ),
        *(["/bin/sh", "-c", "pg_isready; true"], ["sh", "-c", "curl localhost\npg_isready || :"]),
    ],
)
def test_probes_that_never_fail(command: list[str]) -> None:
    assert "probe-never-fails" in found(probed({"exec": {"command": command}}))


@pytest.mark.parametrize(
    "command",
    [
        *(
            ["redis-cli", "ping"],
            ["sh", "-c", "redis-cli ping | grep PONG"],
            ["sh", "-c", "pg_isready || exit 1"],
        ),
        *(["sh", "-c", "test -f /ready && echo ok"], ["sh", "-c", "a || true; b"], ["cat", "/tmp/healthy"]),
        *(["sh", "-c", "if a; then exit 0; fi; exit 1"], ["sh", "-c", "a || exit 1; exit 0"], [], [[]]),
        *(["sh", "-c", "redis-cli ping || (echo down; exit 1)"], ["echo_server", "--check"]),
    ],
)
def test_probes_that_may_fail(command: list[object]) -> None:
    assert "probe-never-fails" not in found(probed({"exec": {"command": command}}))


@pytest.mark.parametrize(
    "probe", [[], "x", 1, {"httpGet": []}, {"exec": {"command": "true"}}, {"grpc": {"port": "a"}}]
)
def test_wrong_types(probe: object) -> None:
    found(probed(probe, ports={"a": 1}))
