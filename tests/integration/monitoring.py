"""Prometheus and Alertmanager with their synthesized configuration, and what they talk to.

Rewritten is what a single machine and a short patience demand: pods are found in a list and not by the
Kubernetes API, which Debian's Prometheus was built without (the list has the same meta labels, so that
the relabelling really happens), durations are a sixtieth, and what is delivered to PagerDuty goes to an
address of ours.
"""

import json
import re
import ssl
import tempfile
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.integration.kubelet import Files
from tests.integration.stand_ins import Application, serving
from tests.manifests import Workload
from traversion.contract import Contract

FASTER = 60
_MILLISECONDS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION_KEYS = {
    "scrape_interval",
    "evaluation_interval",
    "for",
    "group_wait",
    "group_interval",
    "repeat_interval",
}


def faster(document: Any) -> Any:  # noqa: ANN401 # YAML is what it is
    """Return configuration or rules with every duration divided, those in PromQL included."""
    if isinstance(document, Mapping):
        return {
            key: _shorter(value) if key in _DURATION_KEYS else faster(value)
            for key, value in document.items()
        }
    if isinstance(document, list):
        return [faster(item) for item in document]
    return faster_query(document) if isinstance(document, str) else document


def faster_query(query: str) -> str:
    return re.sub(
        r"\[\d+[smhd](?::\d+[smhd])?\]|offset \d+[smhd]",
        lambda found: re.sub(r"\d+[smhd]", lambda duration: _shorter(duration[0]), found[0]),
        query,
    )


def _shorter(duration: str) -> str:
    return f"{int(duration[:-1]) * _MILLISECONDS[duration[-1]] // FASTER}ms"


def discovered(workload: Workload, pod: str, address: str, phase: str = "Running") -> list[dict[str, Any]]:
    """Return what Prometheus discovers of one pod: a target for each port that it declares."""
    return [
        {
            "targets": [address],
            "labels": {
                "__meta_kubernetes_namespace": workload.manifest["metadata"]["namespace"],
                "__meta_kubernetes_pod_name": pod,
                "__meta_kubernetes_pod_phase": phase,
                "__meta_kubernetes_pod_container_port_name": port,
            },
        }
        for port in workload.ports
    ]


def find_pods(config: dict[str, Any], pods: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Let each scrape job find these pods; a job that is not mentioned finds none."""
    for job in config["scrape_configs"]:
        if job.pop("kubernetes_sd_configs", None):
            job["static_configs"] = list(pods.get(job["job_name"], []))
    return config


@contextmanager
def exporting(contract: Contract, requests_per_second: float, certificate: Files) -> Iterator[str]:
    """Stand in for an API pod: serve every metric of the contract, counters growing; yields its address."""
    application = Application(contract, requests_per_second)
    with serving({contract.metrics_path: application.page}, certificate) as address:
        yield address


@contextmanager
def receiving() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Stand in for PagerDuty and Slack; yields the address and what was posted: paths and documents."""
    posted: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            # PagerDuty says 202, and Slack says ok.
            self.send_response(202 if "pagerduty" in self.path else 200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object, **__: object) -> None:
            """Say nothing."""

    with _serving(Handler) as address:
        yield address, posted


@contextmanager
def _serving(
    handler: Callable[..., BaseHTTPRequestHandler], certificate: Files | None = None
) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            with tempfile.TemporaryDirectory() as directory:
                file = Path(directory, "both.pem")
                file.write_text(certificate["tls.crt"] + certificate["tls.key"], encoding="utf-8")
                context.load_cert_chain(file)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def get(url: str, **query: str) -> Any:  # noqa: ANN401 # JSON is what it is
    """Ask for a document over HTTP; None where nobody answers yet, or the answer is an error."""
    try:
        with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(query)}", timeout=5) as answer:  # noqa: S310 # ours
            text = answer.read().decode()
    except OSError:
        return None
    return json.loads(text) if text[:1] in "{[" else text
