"""Alertmanagers with the synthesized configuration, and what they are told and say.

Debian's Alertmanager 0.25 is older than the one that is deployed. Rewritten for it, beside addresses: the URL
of a webhook stands in the configuration, as `url_file` came with 0.26, and `--cluster.label` is left out.
"""

import json
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.integration.kubelet import Pod, Secrets
from tests.integration.monitoring import get
from tests.integration.processes import daemon, eventually
from tests.manifests import Synthesis, of_kind

CONFIG = "/etc/alertmanager/alertmanager.yml"
_NEWER_FLAG = "--cluster.label="


def secrets_of(synthesis: Synthesis, url: str = "http://127.0.0.1:9") -> Secrets:
    """Return what an operator supplies; every address is that of one machine."""
    supplied = {
        credential.secret: {key: f"{url}/{key}" for key in credential.sources}
        for credential in synthesis.platform.credentials.declared
    }
    # Laid out for the proxies in these pods, which nobody starts here.
    certificates: Secrets = {
        certificate["spec"]["secretName"]: dict.fromkeys(("tls.crt", "tls.key", "ca.crt"), "")
        for certificate in of_kind(synthesis.manifests, "Certificate")
    }
    return {**certificates, **supplied}


def alertmanager_pod(synthesis: Synthesis, root: Path, secrets: Secrets, **rewrites: str) -> Pod:
    """Lay out a pod whose configuration Debian's Alertmanager can read."""
    pod = Pod(synthesis.manifests, "alertmanager", root, secrets=secrets, rewrites=rewrites)
    config = configuration(pod)
    for receiver in config["receivers"]:
        for webhook in receiver.get("webhook_configs", []):
            webhook["url"] = Path(webhook.pop("url_file")).read_text(encoding="utf-8")
    pod.path(CONFIG).write_text(yaml.safe_dump(config), encoding="utf-8")
    return pod


def configuration(pod: Pod) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(pod.path(CONFIG).read_text(encoding="utf-8"))
    return config


@contextmanager
def running(program: str, pod: Pod, address: str, *options: str) -> Iterator[str]:
    """Run one server, quickly and with more options; yields its URL."""
    config = configuration(pod)
    config["route"] |= {"group_wait": "100ms", "group_interval": "1s"}
    for route in config["route"]["routes"]:
        route |= {"group_wait": "100ms", "group_interval": "1s"}
    pod.path(CONFIG).write_text(yaml.safe_dump(config), encoding="utf-8")
    arguments = [each for each in pod.command("alertmanager") if each and not each.startswith(_NEWER_FLAG)]
    command = [program, *arguments, f"--web.listen-address={address}", *options]
    with daemon(command, {}, pod.path("/alertmanager.log")) as server:
        url = f"http://{address}{pod.http_path('alertmanager', 'readinessProbe').removesuffix('/-/ready')}"

        def ready() -> bool:
            assert server.process.poll() is None, server.said()
            return bool(get(f"{url}/-/ready"))

        eventually(ready)
        yield url


def tell(url: str, *alerts: Mapping[str, str]) -> None:
    """Send firing alerts with these labels, as Prometheus does."""
    body = json.dumps([{"labels": labels, "annotations": {"summary": "s"}} for labels in alerts])
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v2/alerts", body.encode(), headers)  # noqa: S310 # ours
    with urllib.request.urlopen(request, timeout=5):  # noqa: S310 # ours
        pass


def states(url: str) -> dict[str, str]:
    """Return the state of every alert, by name: active or suppressed."""
    alerts: Sequence[Mapping[str, Any]] = get(f"{url}/api/v2/alerts") or []
    return {alert["labels"]["alertname"]: alert["status"]["state"] for alert in alerts}
