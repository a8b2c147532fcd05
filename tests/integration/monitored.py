"""Prometheus and Alertmanager as pods on this machine: laid out, made quick, started."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.integration.edge import ProxiedPod
from tests.integration.kubelet import Pod, Secrets
from tests.integration.monitoring import faster, get
from tests.integration.processes import Daemon, daemon, eventually, public_directory
from tests.manifests import Manifest

TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
PLAIN_PORTS = {"prometheus": 9090, "alertmanager": 9093, "grafana": 3000}
"""What their proxies lead to, inside their pods."""


def prometheus_pod(manifests: Sequence[Manifest], root: Path, secrets: Secrets, **rewrites: str) -> Pod:
    """Lay out the pod, with the token that the kubelet would mount."""
    (root / "token").write_text("a token", encoding="utf-8")
    return Pod(manifests, "prometheus", root, secrets=secrets, rewrites=rewrites, elsewhere={TOKENS: root})


def alertmanager_pod(
    manifests: Sequence[Manifest], root: Path, secrets: Secrets, slack: str = "https://localhost/slack"
) -> Pod:
    receivers = {"pagerduty-routing-key": "a routing key", "slack-webhook-url": slack}
    return Pod(manifests, "alertmanager", root, secrets={**secrets, "alertmanager-receivers": receivers})


@contextmanager
def through_its_proxy(
    manifests: Sequence[Manifest], component: str, secrets: Secrets, address: str
) -> Iterator[str]:
    """Run the proxy of a pod before its server at ``address``; yields where other pods reach it."""
    with public_directory() as root:
        plain = int(address.rpartition(":")[2])
        pod = ProxiedPod(
            manifests, component, root, secrets=secrets, application=plain, behind={PLAIN_PORTS[component]}
        )
        with pod.running():
            yield f"127.0.0.1:{pod.port['https']}"


@contextmanager
def running_alertmanager(program: str, pod: Pod, address: str, pager: str) -> Iterator[Daemon]:
    file = pod.path("/etc/alertmanager/alertmanager.yml")
    config = faster(yaml.safe_load(file.read_text(encoding="utf-8")))
    config["global"] = {"pagerduty_url": f"http://{pager}/pagerduty"}
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [program, *pod.command("alertmanager"), f"--web.listen-address={address}"]
    with daemon(command, {}, pod.path("/alertmanager.log")) as server:
        eventually(lambda: ready(pod, "alertmanager", address, server))
        yield server


def rewrite(pod: Pod, name: str, change: Callable[[Any], Any]) -> None:
    file = pod.path(f"/etc/prometheus/{name}.yml")
    document = change(yaml.safe_load(file.read_text(encoding="utf-8")))
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


@contextmanager
def running_prometheus(program: str, pod: Pod, address: str) -> Iterator[Daemon]:
    # What fires before Prometheus has found Alertmanager is sent again, by default after a minute.
    quick = [f"--web.listen-address={address}", "--rules.alert.resend-delay=1s"]
    command = [program, *pod.command("prometheus"), *quick]
    with daemon(command, {}, pod.path("/prometheus.log")) as server:
        eventually(lambda: ready(pod, "prometheus", address, server))
        yield server


def ready(pod: Pod, container: str, address: str, server: Daemon) -> bool:
    assert server.process.poll() is None, server.said()
    probes = (pod.http_path(container, kind) for kind in ("startupProbe", "readinessProbe", "livenessProbe"))
    return all(get(f"http://{address}{path}") for path in probes)
