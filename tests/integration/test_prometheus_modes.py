"""Prometheus in each mode that the settings know: alone, as two, with stores, and the cluster's own."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Program
from tests.integration.alerting import alertmanager_pod, running, secrets_of
from tests.integration.kubelet import Pod, Secrets
from tests.integration.monitored import through_its_proxy
from tests.integration.monitoring import discovered, exporting, find_pods, get
from tests.integration.operator import scrape_jobs
from tests.integration.processes import daemon, eventually, free_port, run
from tests.manifests import Manifest, Synthesis, find, workload
from tests.variants import VARIANTS
from traversion.contract import TRAVERSION

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
CONFIG = "/etc/prometheus/prometheus.yml"
# Prometheus 3, which is deployed, does this by itself.
VERSION_2 = "--enable-feature=expand-external-labels"
PODS = {"traversion-app-1": 40.0, "traversion-app-2": 60.0}
Find = Callable[[str], Synthesis]

STANDALONE = sorted(name for name in VARIANTS if not name.startswith("operator"))


def prometheus_pod(synthesis: Synthesis, root: Path, secrets: Secrets, **rewrites: str) -> Pod:
    root.mkdir(exist_ok=True)
    (root / "token").write_text("a token", encoding="utf-8")
    certificates = {name: files for name, files in secrets.items() if name.endswith("-tls")}
    return Pod(
        synthesis.manifests,
        "prometheus",
        root,
        secrets={**secrets_of(synthesis), **certificates},
        rewrites=rewrites,
        elsewhere={TOKENS: root},
    )


def rewrite(pod: Pod, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    file = pod.path(CONFIG)
    document = change(yaml.safe_load(file.read_text(encoding="utf-8")))
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


@pytest.mark.parametrize("name", STANDALONE)
def test_promtool_accepts_every_configuration(
    promtool: str, variants: Find, secrets: Secrets, tmp_path: Path, name: str
) -> None:
    pod = prometheus_pod(variants(name), tmp_path, secrets)
    rewrite(pod, lambda config: find_pods(config, {}))
    checked = run([promtool, "check", "config", "--lint=all", "--lint-fatal", str(pod.path(CONFIG))])
    assert checked.returncode == 0, checked.stdout + checked.stderr


@contextmanager
def serving(program: str, pod: Pod, address: str, environment: Mapping[str, str]) -> Iterator[str]:
    options = [f"--web.listen-address={address}", "--rules.alert.resend-delay=1s", VERSION_2]
    command = [program, *pod.command("prometheus"), *options]
    with daemon(command, environment, pod.path("/prometheus.log")) as server:

        def ready() -> bool:
            assert server.process.poll() is None, server.said()
            return bool(get(f"http://{address}/-/ready"))

        eventually(ready)
        yield f"http://{address}"


def series(url: str, query: str) -> list[dict[str, str]]:
    answer = get(f"{url}/api/v1/query", query=query)
    return [each["metric"] for each in answer["data"]["result"]] if answer else []


def quickly(config: dict[str, Any]) -> dict[str, Any]:
    config["global"] |= {"scrape_interval": "200ms", "evaluation_interval": "200ms"}
    for job in config["scrape_configs"]:
        job.pop("scrape_interval", None)
    return config


def test_two_replicas_raise_one_alert(
    program: Program, nginx: str, variants: Find, secrets: Secrets, tmp_path: Path
) -> None:
    assert nginx
    prometheus, alertmanager = program("prometheus"), program("prometheus-alertmanager")
    synthesis = variants("highly-available-monitoring")
    metrics = {f"prometheus-{number}": f"127.0.0.1:{free_port()}" for number in range(2)}
    alerts_at = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    # Of the cluster of Alertmanagers two are dead, and no alert is lost.
    with ExitStack() as stack:
        proxies = {
            address: stack.enter_context(through_its_proxy(synthesis.manifests, component, secrets, address))
            for component, address in (
                *(("prometheus", address) for address in metrics.values()),
                ("alertmanager", alerts_at[0]),
            )
        }
        sent_to = [proxies.get(address, address) for address in alerts_at]
        named = {rf"alertmanager-{n}\.alertmanager:8443": at for n, at in enumerate(sent_to)}
        found = [
            target
            for pod, address in metrics.items()
            for target in discovered(workload(synthesis.manifests, "prometheus"), pod, proxies[address])
        ]
        (tmp_path / "alertmanager").mkdir()
        alone = {r"--cluster\.[a-z.-]+=\S*": ""}
        pod = alertmanager_pod(synthesis, tmp_path / "alertmanager", secrets_of(synthesis), **alone)
        alerts = stack.enter_context(running(alertmanager, pod, alerts_at[0], "--cluster.listen-address="))
        urls = []
        for name, address in metrics.items():
            pod = prometheus_pod(synthesis, tmp_path / name, secrets, **named)
            rewrite(pod, lambda config: quickly(find_pods(config, {"prometheus": found})))
            urls.append(stack.enter_context(serving(prometheus, pod, address, {"POD_NAME": name})))
        # Each scrapes both, so each misses the other.
        eventually(lambda: all(scraped_pods(url) == set(metrics) for url in urls))

        def sent() -> int:
            return sum(
                float(each["value"][1]) > 0
                for url in urls
                for each in get(
                    f"{url}/api/v1/query",
                    query=f'prometheus_notifications_sent_total{{alertmanager=~".*{sent_to[0]}.*"}}',
                )["data"]["result"]
            )

        def watchdogs() -> list[Any]:
            raised = get(f"{alerts}/api/v2/alerts")
            return [each for each in raised if each["labels"]["alertname"] == "Watchdog"]

        eventually(lambda: sent() >= len(urls) and watchdogs())
        (watchdog,) = watchdogs()
        assert "replica" not in watchdog["labels"]
        assert watchdog["labels"]["environment"] == "traversion-production"
        # What leaves it otherwise says which of them it is from.
        for url, name in zip(urls, metrics, strict=True):
            page = get(f"{url}/federate", **{"match[]": "up"})
            assert set(re.findall(r'replica="([^"]*)"', page)) == {name}


def scraped_pods(url: str) -> set[str]:
    return {each["pod"] for each in series(url, 'up{job="prometheus"} == 1')}


@dataclass(frozen=True)
class Api:
    """What Prometheus finds of the API: the manifests of both modes, and two pods by TLS."""

    standalone: Synthesis
    operated: Synthesis
    secrets: Secrets
    pods: Mapping[str, str]


@pytest.fixture
def api(syntheses: Mapping[str, Synthesis], variants: Find, secrets: Secrets) -> Iterator[Api]:
    certificate = secrets["traversion-tls"]
    with ExitStack() as stack:
        pods = {
            pod: stack.enter_context(exporting(TRAVERSION, rate, certificate)) for pod, rate in PODS.items()
        }
        yield Api(syntheses["production"], variants("operator"), secrets, pods)


@pytest.mark.parametrize("mode", ["standalone", "operator"])
def test_series_bear_the_same_labels_in_both_modes(
    prometheus: str, api: Api, tmp_path: Path, mode: str
) -> None:
    """The operator adds an `endpoint` to every target, which would push the API's own label aside."""
    pod = prometheus_pod(api.standalone, tmp_path, api.secrets)
    described = workload(api.standalone.manifests, "traversion")
    found = [target for name, address in api.pods.items() for target in discovered(described, name, address)]

    def change(config: dict[str, Any]) -> dict[str, Any]:
        config = find_pods(config, {"traversion": found})
        if mode == "operator":
            authority = str(pod.path("/etc/prometheus-trust/traversion/ca.crt"))
            jobs = scrape_jobs(api.operated.manifests, {"traversion": api.pods}, authority)
            config["scrape_configs"] = [job for job in jobs if "/traversion/0" in job["job_name"]]
            config["rule_files"] = []
        return quickly(config)

    rewrite(pod, change)
    target = {
        "job": "traversion",
        "namespace": "traversion-system",
        "component": "api",
        "environment": "traversion-production",
    }
    wanted = [{**target, "pod": name, "instance": address} for name, address in api.pods.items()]
    with serving(prometheus, pod, f"127.0.0.1:{free_port()}", {}) as url:
        eventually(lambda: bare(series(url, 'up{job="traversion"} == 1')) == wanted)
        eventually(lambda: len(series(url, "traversion_http_requests_total")) >= len(PODS))
        for each in bare(series(url, "traversion_http_requests_total")):
            scraped = {label: each.pop(label) for label in ("method", "endpoint", "status_code")}
            assert scraped["endpoint"].startswith("/"), scraped
            assert each in wanted


def bare(found: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(
        ({k: v for k, v in each.items() if k != "__name__"} for each in found), key=lambda each: each["pod"]
    )


def test_the_operators_configuration_is_one_that_prometheus_takes(
    promtool: str, variants: Find, tmp_path: Path
) -> None:
    manifests: list[Manifest] = variants("operator").manifests
    # Bearer tokens are files of the operator's own pods.
    config, rules = tmp_path / "prometheus.yml", tmp_path / "rules.yml"
    config.write_text(
        yaml.safe_dump({"scrape_configs": scrape_jobs(manifests, {}), "rule_files": [str(rules)]})
    )
    rules.write_text(yaml.safe_dump(find(manifests, "PrometheusRule", "traversion")["spec"]))
    checked = run([promtool, "check", "config", "--lint=all", "--lint-fatal", str(config)])
    assert checked.returncode == 0, checked.stdout + checked.stderr
