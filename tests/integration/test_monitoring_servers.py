"""Prometheus and Alertmanager with the synthesized configuration, from a pod's metrics to a pager."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.kubelet import Pod, Secrets
from tests.integration.monitored import (
    alertmanager_pod,
    prometheus_pod,
    rewrite,
    running_alertmanager,
    running_prometheus,
    through_its_proxy,
)
from tests.integration.monitoring import (
    discovered,
    exporting,
    faster,
    faster_query,
    find_pods,
    get,
    receiving,
)
from tests.integration.processes import eventually, free_port, run
from tests.manifests import Manifest, find, workload
from traversion.contract import TRAVERSION

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

ENVIRONMENTS = ["production", "staging", "dev"]
REQUESTS_PER_SECOND = {"traversion-app-1": 40.0, "traversion-app-2": 60.0}


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> Sequence[Manifest]:
    """The manifests of one environment after the other."""
    manifests: Sequence[Manifest] = request.getfixturevalue(request.param)
    return manifests


def test_promtool_accepts_configuration_and_rules(
    promtool: str, environment: Sequence[Manifest], secrets: Secrets, tmp_path: Path
) -> None:
    pod = prometheus_pod(environment, tmp_path, secrets)
    # Debian builds Prometheus without the discovery of pods.
    rewrite(pod, "prometheus", lambda config: find_pods(config, {}))
    config, rules = (str(pod.path(f"/etc/prometheus/{name}.yml")) for name in ("prometheus", "rules"))
    checked = run([promtool, "check", "config", "--lint=all", "--lint-fatal", config])
    assert checked.returncode == 0, checked.stdout + checked.stderr
    checked = run([promtool, "check", "rules", "--lint=all", "--lint-fatal", rules])
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_amtool_accepts_the_configuration(
    amtool: str, environment: Sequence[Manifest], secrets: Secrets, tmp_path: Path
) -> None:
    pod = alertmanager_pod(environment, tmp_path, secrets)
    checked = run([amtool, "check-config", str(pod.path("/etc/alertmanager/alertmanager.yml"))])
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("severity=critical alertname=TraversionApiDown component=api", "page"),
        ("severity=warning alertname=TraversionEventLoopBlocked component=api", "notify"),
        ("severity=none alertname=Watchdog component=monitoring", "none"),
        ("alertname=OfSomebodyElse", "notify"),
    ],
)
def test_alerts_go_to_the_receiver_of_their_severity(
    amtool: str,
    environment: Sequence[Manifest],
    secrets: Secrets,
    tmp_path: Path,
    *,
    labels: str,
    receiver: str,
) -> None:
    pod = alertmanager_pod(environment, tmp_path, secrets)
    config = pod.path("/etc/alertmanager/alertmanager.yml")
    routed = run([amtool, "config", "routes", "test", f"--config.file={config}", *labels.split()])
    assert routed.stdout.split() == [receiver]


@dataclass(frozen=True)
class Monitoring:
    """Running servers; ``pods`` are stand-ins for the API's, which ``close()`` ends."""

    prometheus: str
    alertmanager: str
    pods: ExitStack
    posted: list[tuple[str, Any]]

    def query(self, expression: str) -> dict[str, float]:
        """Return the values that an expression yields now, by pod."""
        answer = get(f"{self.prometheus}/api/v1/query", query=expression)
        found = answer["data"]["result"] if answer else []
        return {series["metric"].get("pod", ""): float(series["value"][1]) for series in found}


@pytest.fixture(scope="module")
def monitoring(  # noqa: PLR0917 # fixtures
    prometheus: str,
    alertmanager: str,
    nginx: str,
    production: Sequence[Manifest],
    secrets: Secrets,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Monitoring]:
    """Production's Prometheus and Alertmanager, two API pods, and what stands in for pager and chat."""
    assert nginx
    with ExitStack() as stack, ExitStack() as pods:
        address, posted = stack.enter_context(receiving())
        alerts_at, metrics_at = (f"127.0.0.1:{free_port()}" for _ in range(2))
        directory = tmp_path_factory.mktemp("alertmanager")
        alerts = alertmanager_pod(production, directory, secrets, f"http://{address}/slack")
        stack.enter_context(running_alertmanager(alertmanager, alerts, alerts_at, address))
        proxy = stack.enter_context(through_its_proxy(production, "alertmanager", secrets, alerts_at))
        addresses = {
            pod: pods.enter_context(exporting(TRAVERSION, rate, secrets["traversion-tls"]))
            for pod, rate in REQUESTS_PER_SECOND.items()
        }
        metrics = prometheus_pod(
            production,
            tmp_path_factory.mktemp("prometheus"),
            secrets,
            **{"localhost:9090": metrics_at, "alertmanager-service:8443": proxy},
        )
        scrape(metrics, production, addresses, proxy)
        stack.enter_context(running_prometheus(prometheus, metrics, metrics_at))
        yield Monitoring(f"http://{metrics_at}", f"http://{alerts_at}/alertmanager", pods, posted)


def scrape(pod: Pod, manifests: Sequence[Manifest], addresses: dict[str, str], alerts_at: str) -> None:
    """Tell Prometheus where the pods are, and to be quick."""
    api = workload(manifests, "traversion")
    found = [target for name, address in addresses.items() for target in discovered(api, name, address)]
    found += discovered(api, "traversion-app-evicted", "127.0.0.1:9", phase="Failed")
    alerts = discovered(workload(manifests, "alertmanager"), "alertmanager-0", alerts_at)
    rewrite(pod, "rules", faster)
    rewrite(pod, "prometheus", faster)
    pods = {"traversion": found, "alertmanager": alerts}
    rewrite(pod, "prometheus", lambda config: find_pods(config, pods))


def test_every_rule_is_loaded_and_evaluates(monitoring: Monitoring, production: Sequence[Manifest]) -> None:
    text = find(production, "ConfigMap", "prometheus-config")["data"]["rules.yml"]
    written = {group["name"]: len(group["rules"]) for group in yaml.safe_load(text)["groups"]}
    loaded: list[dict[str, Any]] = []

    def all_evaluated() -> bool:
        loaded[:] = get(f"{monitoring.prometheus}/api/v1/rules")["data"]["groups"]
        return all(rule["health"] != "unknown" for group in loaded for rule in group["rules"])

    eventually(all_evaluated)
    assert {group["name"]: len(group["rules"]) for group in loaded} == written
    assert [rule["lastError"] for group in loaded for rule in group["rules"] if rule["health"] != "ok"] == []


def test_each_pod_is_scraped_once_and_under_its_name(monitoring: Monitoring) -> None:
    up = 'up{job="traversion",namespace="traversion-system",component="api"}'
    eventually(lambda: monitoring.query(up) == {"traversion-app-1": 1, "traversion-app-2": 1})
    assert monitoring.query('count(up{job="traversion"})') == {"": 2}
    eventually(lambda: monitoring.query('up{job="alertmanager"}') == {"alertmanager-0": 1})
    eventually(lambda: monitoring.query('up{job="prometheus"}') == {"": 1})


def test_the_autoscaler_is_told_the_requests_per_second_of_each_pod(
    monitoring: Monitoring, production: Sequence[Manifest]
) -> None:
    config = find(production, "ConfigMap", "prometheus-adapter-config")["data"]["config.yaml"]
    (rule,) = yaml.safe_load(config)["rules"]
    filled = {
        "Series": rule["seriesQuery"].split("{")[0],
        "LabelMatchers": f'namespace="traversion-system",pod=~"{"|".join(REQUESTS_PER_SECOND)}"',
        "GroupBy": "pod",
    }
    query = rule["metricsQuery"]
    for name, value in filled.items():
        query = query.replace(f"<<.{name}>>", value)
    assert "<<" not in query
    eventually(lambda: len(monitoring.query(rule["seriesQuery"])) == 2)

    def right() -> bool:
        return monitoring.query(faster_query(query)) == pytest.approx(REQUESTS_PER_SECOND, rel=0.1)

    eventually(right)


def test_an_api_that_is_down_reaches_the_pager_and_the_chat(monitoring: Monitoring) -> None:
    eventually(lambda: monitoring.query('sum(up{job="traversion"})') == {"": 2})
    monitoring.pods.close()

    def told(path: str) -> bool:
        return any(
            path in posted_to and "TraversionApiDown" in str(document)
            for posted_to, document in monitoring.posted
        )

    eventually(lambda: told("/pagerduty") and told("/slack"))
    # A busy machine tells it again, or that it is over: Prometheus, sixty times as quick, was late.
    paged = next(doc for path, doc in monitoring.posted if path == "/pagerduty" and "ApiDown" in str(doc))
    assert paged["routing_key"] == "a routing key"
    assert paged["event_action"] == "trigger"


def test_the_watchdog_arrives_and_disturbs_nobody(monitoring: Monitoring) -> None:
    def firing() -> list[str]:
        alerts = get(f"{monitoring.alertmanager}/api/v2/alerts") or []
        return [alert["labels"]["alertname"] for alert in alerts]

    eventually(lambda: "Watchdog" in firing())
    assert "Watchdog" not in str(monitoring.posted)
