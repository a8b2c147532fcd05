"""Who is told of what, in every environment and with every receiver; asked of Alertmanager itself."""

import re
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.alerting import (
    CONFIG,
    alertmanager_pod,
    configuration,
    running,
    secrets_of,
    states,
    tell,
)
from tests.integration.kubelet import Pod
from tests.integration.monitoring import get, receiving
from tests.integration.processes import eventually, free_port, run
from tests.manifests import Synthesis, find, strings
from tests.variants import VARIANTS

ENVIRONMENTS = ["dev", "staging", "production"]
OPERATED = {name for name in VARIANTS if name.startswith("operator")}
EVERY_RECEIVER = "highly-available-monitoring"
Find = Callable[[str], Synthesis]


@pytest.fixture(scope="module")
def synthesis_of(syntheses: Mapping[str, Synthesis], variants: Find) -> Find:
    return lambda name: syntheses[name] if name in syntheses else variants(name)


every_alertmanager = pytest.mark.parametrize("name", [*ENVIRONMENTS, *sorted(VARIANTS.keys() - OPERATED)])


def receivers(config: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the kinds of destination of each receiver."""
    return {each["name"]: each.keys() - {"name"} for each in config["receivers"]}


@pytest.mark.daemon
@every_alertmanager
def test_amtool_accepts_every_configuration(
    amtool: str, synthesis_of: Find, tmp_path: Path, name: str
) -> None:
    synthesis = synthesis_of(name)
    pod = alertmanager_pod(synthesis, tmp_path, secrets_of(synthesis))
    checked = run([amtool, "check-config", str(pod.path(CONFIG))])
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.daemon
@pytest.mark.parametrize("name", [*ENVIRONMENTS, EVERY_RECEIVER])
def test_alerts_go_to_the_receiver_of_their_severity(
    amtool: str, synthesis_of: Find, tmp_path: Path, name: str
) -> None:
    synthesis = synthesis_of(name)
    pod = alertmanager_pod(synthesis, tmp_path, secrets_of(synthesis))
    heartbeat = "heartbeat" if name == EVERY_RECEIVER else "none"
    for labels, receiver in {
        "severity=critical alertname=TraversionApiDown component=api": "page",
        "severity=warning alertname=TraversionEventLoopBlocked component=api": "notify",
        "severity=none alertname=Watchdog component=monitoring": heartbeat,
        "severity=none alertname=Other": "none",
        "alertname=OfSomebodyElse": "notify",
    }.items():
        command = [amtool, "config", "routes", "test", f"--config.file={pod.path(CONFIG)}"]
        assert run([*command, *labels.split()]).stdout.split() == [receiver], labels


def test_every_receiver_takes_what_it_should(synthesis_of: Find) -> None:
    config = alertmanager_config(synthesis_of(EVERY_RECEIVER))
    all_but_pager = {"slack_configs", "email_configs", "webhook_configs"}
    assert receivers(config) == {
        "none": set(),
        "notify": all_but_pager,
        "page": all_but_pager | {"pagerduty_configs"},
        "heartbeat": {"webhook_configs"},
    }
    (page,) = (each for each in config["receivers"] if each["name"] == "page")
    assert [mail["to"] for mail in page["email_configs"]] == ["sre@company.com", "on-call@company.com"]
    assert all(mail["require_tls"] for mail in page["email_configs"])


def test_a_critical_alert_of_production_leaves_the_cluster(synthesis_of: Find) -> None:
    assert "pagerduty_configs" in receivers(alertmanager_config(synthesis_of("production")))["page"]


@every_alertmanager
def test_no_configuration_holds_a_secret(synthesis_of: Find, name: str) -> None:
    synthesis = synthesis_of(name)
    config = alertmanager_config(synthesis)
    keys = {text for path, text in strings(config) if path.endswith(f".{text}")}
    assert not {key for key in keys if re.search(r"(password|key|url|secret|token)$", key)}
    files = {text.rpartition("/")[2] for path, text in strings(config) if path.endswith("_file")}
    files = {text for text in files if not text.endswith("_file")}
    declared = {
        key
        for credential in synthesis.platform.credentials.declared
        if credential.secret == "alertmanager-receivers"  # a name
        for key in credential.sources
    }
    assert files == declared


def test_maintenance_mutes_warnings_and_critical_alerts_only_where_it_says_so(synthesis_of: Find) -> None:
    config = alertmanager_config(synthesis_of(EVERY_RECEIVER))
    muted = {
        route["receiver"]: route["mute_time_intervals"]
        for route in config["route"]["routes"]
        if "mute_time_intervals" in route
    }
    assert muted == {"page": ["moving-house"], "notify": ["node-upgrades", "moving-house"]}
    assert config["route"]["routes"][-1].keys() == {"receiver", "mute_time_intervals"}, "takes all the rest"
    assert config["time_intervals"][0] == {
        "name": "node-upgrades",
        "time_intervals": [
            {"weekdays": ["tuesday"], "times": [{"start_time": "01:00", "end_time": "03:00"}]}
        ],
    }


def alertmanager_config(synthesis: Synthesis) -> dict[str, Any]:
    text = find(synthesis.manifests, "ConfigMap", "alertmanager-config")["data"]["alertmanager.yml"]
    config: dict[str, Any] = yaml.safe_load(text)
    return config


def alert(name: str, component: str, severity: str = "critical", **labels: str) -> dict[str, str]:
    return {"alertname": name, "component": component, "severity": severity, **labels}


CONSEQUENCES = (
    alert("TraversionApiErrorRateHigh", "api"),
    alert("TraversionApiLatencyHigh", "api"),
    alert("TraversionQueriesSlow", "causality", "warning"),
    alert("TimescaleDbConnectionsHigh", "timescaledb", "warning"),
    alert("RedisMemoryHigh", "redis", "warning"),
    alert("DeploymentReplicasMissing", "kubernetes", "warning", deployment="traversion-app"),
    alert("OtherReplicasMissing", "kubernetes", "warning", deployment="kube-state-metrics"),
    alert("PersistentVolumeAlmostFull", "storage"),
    alert("Watchdog", "monitoring", "none"),
)
OF_THE_API = {"TraversionApiErrorRateHigh", "TraversionApiLatencyHigh"}


Start = Callable[[], AbstractContextManager[str]]


@pytest.fixture
def lone_alertmanager(alertmanager: str, syntheses: Mapping[str, Synthesis], tmp_path: Path) -> Start:
    """Starts production's; yields its URL."""
    production = syntheses["production"]
    pod = alertmanager_pod(production, tmp_path, secrets_of(production))
    return lambda: running(alertmanager, pod, f"127.0.0.1:{free_port()}")


@pytest.mark.daemon
@pytest.mark.slow
@pytest.mark.parametrize(
    ("cause", "silenced"),
    [
        (
            alert("TimescaleDbDown", "timescaledb"),
            OF_THE_API | {"TraversionQueriesSlow", "TimescaleDbConnectionsHigh", "DeploymentReplicasMissing"},
        ),
        (
            alert("RedisDown", "redis"),
            OF_THE_API | {"TraversionQueriesSlow", "RedisMemoryHigh", "DeploymentReplicasMissing"},
        ),
        (
            alert("TraversionApiDown", "api"),
            OF_THE_API | {"TraversionQueriesSlow", "DeploymentReplicasMissing"},
        ),
        # A pod of several, and monitoring itself, are causes of nothing.
        (alert("TraversionApiPodDown", "api", "warning", pod="traversion-app-1"), set()),
        (alert("TargetDown", "monitoring", "warning"), set()),
        (alert("AlertmanagerDown", "monitoring"), set()),
    ],
    ids=lambda value: value.get("alertname", "") if isinstance(value, dict) else "",
)
def test_what_is_down_silences_its_consequences(
    lone_alertmanager: Start, cause: Mapping[str, str], silenced: set[str]
) -> None:
    with lone_alertmanager() as url:
        tell(url, *CONSEQUENCES)
        eventually(lambda: len(states(url)) == len(CONSEQUENCES))
        assert set(states(url).values()) <= {"active", "unprocessed"}
        tell(url, cause)
        eventually(lambda: {name for name, state in states(url).items() if state == "suppressed"} == silenced)


@pytest.mark.daemon
@pytest.mark.slow
def test_two_dead_components_do_not_hide_each_other(lone_alertmanager: Start) -> None:
    down = [
        alert("TimescaleDbDown", "timescaledb"),
        alert("RedisDown", "redis"),
        alert("TraversionApiDown", "api"),
    ]
    with lone_alertmanager() as url:
        tell(url, *down)
        eventually(lambda: set(states(url).values()) == {"active"} and len(states(url)) == len(down))


@pytest.mark.daemon
@pytest.mark.slow
def test_a_cluster_tells_people_once(alertmanager: str, variants: Find, tmp_path: Path) -> None:
    synthesis = variants(EVERY_RECEIVER)
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    gossip = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    peers = {rf"alertmanager-{n}\.alertmanager:9094": peer for n, peer in enumerate(gossip)}
    with ExitStack() as stack:
        address, posted = stack.enter_context(receiving())
        urls = []
        for number, own in enumerate(gossip):
            root = tmp_path / str(number)
            root.mkdir()
            own_address = {r"0\.0\.0\.0:9094|\$\(POD_IP\):9094": own}
            pod = alertmanager_pod(
                synthesis, root, secrets_of(synthesis, f"http://{address}"), **peers, **own_address
            )
            only_the_webhook(pod, muted=())
            # By default each peer waits 15 seconds for those before it, and seconds for new ones to join.
            quick = ("--cluster.peer-timeout=1s", "--cluster.gossip-interval=20ms")
            urls.append(stack.enter_context(running(alertmanager, pod, addresses[number], *quick)))
        eventually(lambda: all(peers_of(url) == 3 for url in urls))
        for url in urls:
            tell(url, alert("TraversionApiDown", "api"))
        eventually(lambda: posted)
        time.sleep(4)  # the others have waited for their turn, and had it
        assert [path for path, _ in posted] == ["/webhook-url"]


def only_the_webhook(pod: Pod, *, muted: Collection[str]) -> None:
    """Keep the one receiver that is a plain web server, and let it be maintenance all day long, or never."""
    config = configuration(pod)
    for receiver in config["receivers"]:
        for kind in receiver.keys() - {"name", "webhook_configs"}:
            del receiver[kind]
    for interval in config["time_intervals"]:
        always = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]
        interval["time_intervals"] = always if interval["name"] in muted else [{"years": ["1999"]}]
    pod.path(CONFIG).write_text(yaml.safe_dump(config), encoding="utf-8")


@pytest.mark.daemon
@pytest.mark.slow
@pytest.mark.parametrize(
    ("time_of", "told"),
    [("node-upgrades", {"TraversionApiDown"}), ("moving-house", set()), ("", {"TraversionApiDown", "Slow"})],
)
def test_maintenance_mutes(
    alertmanager: str, variants: Find, tmp_path: Path, *, time_of: str, told: set[str]
) -> None:
    synthesis = variants(EVERY_RECEIVER)
    with receiving() as (address, posted):
        secrets = secrets_of(synthesis, f"http://{address}")
        pod = alertmanager_pod(synthesis, tmp_path, secrets, **{r"--cluster\.[a-z.-]+=\S*": ""})
        only_the_webhook(pod, muted={time_of})
        with running(alertmanager, pod, f"127.0.0.1:{free_port()}", "--cluster.listen-address=") as url:
            tell(url, alert("TraversionApiDown", "api"), alert("Slow", "redis", "warning"))
            tell(url, alert("Watchdog", "monitoring", "none"))
            # The heartbeat goes on: what is muted does not look like monitoring that is dead.
            eventually(lambda: "/heartbeat-url" in dict(posted))
            time.sleep(1)
        notified = {doc["commonLabels"]["alertname"] for path, doc in posted if path == "/webhook-url"}
        assert notified == told


def peers_of(url: str) -> int:
    status = get(f"{url}/api/v2/status")
    return len(status["cluster"].get("peers", [])) if status else 0
