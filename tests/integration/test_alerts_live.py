"""Production's Prometheus, rules and Alertmanager, from the exporters of real servers to a pager.

Real are Prometheus, Alertmanager, PostgreSQL, Redis and the exporters of both, all with their synthesized
configuration. Stand-ins are the API, the kubelets and kube-state-metrics (stand_ins.py), and the receivers.
Rewritten are addresses, and durations to a sixtieth (monitoring.py); the servers' certificates bear the name
of this machine beside their Services', and the exporters verify it.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Program
from tests.integration.authority import Authority
from tests.integration.cache import Redis
from tests.integration.conftest import apply_schema
from tests.integration.database import Postgres
from tests.integration.kubelet import Pod, Secrets
from tests.integration.monitored import (
    alertmanager_pod,
    prometheus_pod,
    rewrite,
    running_alertmanager,
    running_prometheus,
    through_its_proxy,
)
from tests.integration.monitoring import discovered, faster, faster_query, find_pods, get, receiving
from tests.integration.processes import daemon, eventually, free_port, public_directory
from tests.integration.stand_ins import Application, Kubernetes, passed_on, sample, serving
from tests.manifests import Manifest, find, of_kind, workload
from traversion.contract import TRAVERSION
from traversion.verify.promql import parse

pytestmark = [pytest.mark.daemon, pytest.mark.slow, pytest.mark.xdist_group("alerts-live")]

PATIENCE = 60
"""Seconds. On a machine with nothing else to do, each fault takes about ten."""

OLDER = {
    "pg_stat_user_tables_n_live_tup": 1000.0,
    "pg_stat_user_tables_n_dead_tup": 10.0,
}
"""What postgres_exporter 0.20 exports by itself and Debian's 0.11 does not (it had a file of queries for it):
samples that are added to what the real one says. redis_exporter 1.45 names all that we use as 1.93 does."""

LEGITIMATELY_EMPTY = {
    "pg_stat_replication_pg_wal_lsn_diff": "there is no standby",
    "pg_replication_slots_slot_is_active": "there is no replication slot",
    "alertmanager_cluster_members": "there is one Alertmanager, which needs no cluster",
    'kube_pod_owner{job="kube-state-metrics",owner_kind="Job"}': "no job runs",
    "kube_job_failed": "no job has failed",
    "kube_pod_container_status_waiting_reason": "no container waits",
    "kube_pod_container_status_last_terminated_reason": "no container has ended",
    "datname_schemaname_relname:dead_rows:ratio": "no table has a hundred thousand dead rows",
    "redis_db_avg_ttl_seconds": "no database of Redis has a key before the tests write some",
}
"""Series that an environment without faults does not have, and why."""
SHOWN_WHEN_WRONG = {
    "sum by (severity, alertname, component)": "alerts that fire",
    "sum by (certificate)": "certificates that are not ready",
    "sum by (pod) (kube_pod_status_ready": "pods that are not ready",
    "> 0": "what has happened within the hour",
    "offset 15m": "the past; there is none yet",
}
"""Panels that are empty as long as all is well, by a part of their query."""
JOBS = """
CREATE SCHEMA timescaledb_information;
CREATE TABLE timescaledb_information.jobs AS
    SELECT 1000 AS job_id, 'policy_compression'::name AS proc_name, 'events'::name AS hypertable_name,
        true AS scheduled;
CREATE TABLE timescaledb_information.job_stats AS
    SELECT 1000 AS job_id, 7::bigint AS total_runs, 1::bigint AS total_failures,
        'Success'::text AS last_run_status, '-infinity'::timestamptz AS next_start;
GRANT USAGE ON SCHEMA timescaledb_information TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA timescaledb_information TO PUBLIC;
"""
"""As much of TimescaleDB's views as the exporter asks for; every role may read them there too."""


@dataclass
class Live:
    """Everything that runs, and the faults that can be made."""

    prometheus: str
    alertmanager: str
    posted: list[tuple[str, Any]]
    applications: Sequence[Application]
    kubernetes: Kubernetes
    postgres: Postgres
    redis: Redis
    servers: Mapping[str, ExitStack]
    """PostgreSQL and Redis: ``close()`` stops one."""

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = get(f"{self.prometheus}/api/v1/query", query=expression)
        assert answer, expression
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def paged(self, alert: str, action: str) -> list[Any]:
        """Return what the pager was told of an alert: "trigger" or "resolve"."""
        pages = [document for path, document in self.posted if path == "/pagerduty"]
        return [page for page in pages if page["event_action"] == action and alert in json.dumps(page)]

    def told(self, alert: str) -> bool:
        """Tell whether the chat was told of an alert."""
        return any(f"{alert} " in json.dumps(document) for path, document in self.posted if path == "/slack")

    def status(self, alert: str) -> set[str]:
        """Return the states of an alert in Alertmanager: active, suppressed."""
        alerts = get(f"{self.alertmanager}/api/v2/alerts") or []
        return {each["status"]["state"] for each in alerts if each["labels"]["alertname"] == alert}


@pytest.fixture(scope="module")
def live(  # noqa: PLR0917 # fixtures
    program: Program,
    prometheus: str,
    alertmanager: str,
    nginx: str,
    redis_server: str,
    redis_cli: str,
    production: Sequence[Manifest],
    secrets: Secrets,
    authority: Authority,
    empty_postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Live]:
    assert all((nginx, redis_server, redis_cli))
    # Debian's exporter stumbles over quotes in a password; what is generated has none.
    plain = {"username": "postgres_exporter", "password": "of-letters"}
    # "localhost" stands for the Services, whose names their exporters verify.
    named = {
        f"{name}-tls": authority.issue([f"{name}-service", "localhost"]) for name in ("timescaledb", "redis")
    }
    secrets = {**secrets, "timescaledb-exporter": plain, **named}
    exporters = {name: program(f"prometheus-{name}") for name in ("postgres-exporter", "redis-exporter")}
    with ExitStack() as stack:
        root = stack.enter_context(public_directory())
        servers = {name: stack.enter_context(ExitStack()) for name in ("timescaledb", "redis")}
        for name in ("timescaledb", "redis"):
            (root / name).mkdir()
        postgres = database(empty_postgres, production, root / "timescaledb", secrets)
        servers["timescaledb"].enter_context(postgres.running())
        furnish(postgres, root / "schema")
        redis = Redis(production, root / "redis", secrets=secrets, port=free_port())
        servers["redis"].enter_context(redis.running())

        pods: dict[str, list[dict[str, Any]]] = {}
        at = {
            name: stack.enter_context(
                exporting(exporters[name], production, root / name, secrets, {name_of: port})
            )
            for name, name_of, port in (
                ("postgres-exporter", "timescaledb-service:5432", postgres.port),
                ("redis-exporter", "redis-service:6379", redis.port),
            )
        }
        also = "".join(
            sample(name, value, datname="traversion", schemaname="public", relname="tenants")
            for name, value in OLDER.items()
        )
        page = {"/metrics": passed_on(at["postgres-exporter"], also)}
        pods["timescaledb"] = discovered(
            workload(production, "postgres-exporter"),
            "postgres-exporter-1",
            stack.enter_context(serving(page)),
        )
        pods["redis"] = discovered(
            workload(production, "redis-exporter"), "redis-exporter-1", at["redis-exporter"]
        )
        kubernetes = Kubernetes(production)
        state = stack.enter_context(serving({"/metrics": kubernetes.state}))
        pods["kube-state-metrics"] = discovered(
            workload(production, "kube-state-metrics"), "kube-state-metrics-1", state
        )
        node = {"/metrics/cadvisor": kubernetes.containers, "/metrics": kubernetes.volumes}
        kubelet = stack.enter_context(serving(node, authority.issue(["node-1"]), "a token"))
        on_node = {"targets": [kubelet], "labels": {"__meta_kubernetes_node_name": "node-1"}}
        pods["cadvisor"] = pods["kubelet"] = [on_node]
        gateway = stack.enter_context(serving({"/metrics": backups}))
        pods["backups"] = discovered(workload(production, "pushgateway"), "pushgateway-1", gateway)
        # Nothing of ours asks Grafana for more than whether it answers.
        page = {"/metrics": lambda: sample("grafana_build_info", 1)}
        grafana = stack.enter_context(serving(page, secrets["grafana-tls"]))
        pods["grafana"] = discovered(workload(production, "grafana"), "grafana-0", grafana)
        applications = [Application(TRAVERSION), Application(TRAVERSION)]
        names = [name for name in kubernetes.pods if name.startswith("traversion-app")]
        pods["traversion"] = [
            target
            for name, application in zip(names, applications, strict=True)
            for target in discovered(
                workload(production, "traversion"),
                name,
                stack.enter_context(
                    serving({TRAVERSION.metrics_path: application.page}, secrets["traversion-tls"])
                ),
            )
        ]

        receiver, posted = stack.enter_context(receiving())
        alerts_at, metrics_at = (f"127.0.0.1:{free_port()}" for _ in range(2))
        alerts = alertmanager_pod(
            production, tmp_path_factory.mktemp("alertmanager"), secrets, f"http://{receiver}/slack"
        )
        stack.enter_context(running_alertmanager(alertmanager, alerts, alerts_at, receiver))
        proxy = stack.enter_context(through_its_proxy(production, "alertmanager", secrets, alerts_at))
        pods["alertmanager"] = discovered(workload(production, "alertmanager"), "alertmanager-0", proxy)
        metrics = prometheus_pod(
            production,
            tmp_path_factory.mktemp("prometheus"),
            secrets,
            **{"localhost:9090": metrics_at, "alertmanager-service:8443": proxy},
        )
        rewrite(metrics, "rules", faster)
        rewrite(metrics, "prometheus", lambda config: find_pods(unhurried(faster(config)), pods))
        stack.enter_context(running_prometheus(prometheus, metrics, metrics_at))
        yield Live(
            f"http://{metrics_at}",
            f"http://{alerts_at}/alertmanager",
            posted,
            applications,
            kubernetes,
            postgres,
            redis,
            servers,
        )


def database(empty: Postgres, production: Sequence[Manifest], root: Path, secrets: Secrets) -> Postgres:
    """Lay out a server that archives to a repository which takes everything.

    It stands for pgBackRest's, which test_backups.py has.
    """
    binaries = empty.path["PATH"]
    postgres = Postgres(binaries, production, root, secrets=secrets, port=free_port(), archives=True)
    postgres.copy_of(empty)
    (postgres.data / "postgresql.auto.conf").write_text("archive_command = 'true'\n", encoding="utf-8")
    return postgres


def furnish(postgres: Postgres, schema: Path) -> None:
    """Apply the schema, and what the exporter asks of TimescaleDB."""
    done = apply_schema(postgres, schema)
    assert done.returncode == 0, done.stderr
    done = postgres.superuser(JOBS)
    assert done.returncode == 0, done.stderr


def backups() -> str:
    """What the backup jobs and the rehearsal leave at the Pushgateway; test_backups.py compares it."""
    now = time.time()
    kinds = [("primary", "full"), ("primary", "incremental"), ("offsite", "full"), ("archive", "full")]
    lines = [
        sample(f"timescaledb_backup_{name}", value, repository=repository, type=kind)
        for repository, kind in (*kinds, ("archive", "dump"))
        for name, value in (
            ("last_completion_timestamp_seconds", now - 600),
            ("oldest_timestamp_seconds", now - 30 * 86400),
            ("count", 30),
            ("last_added_bytes", 2e9),
            ("last_duration_seconds", 300),
            ("last_damaged", 0),
        )
    ]
    rehearsed = {
        "success": 1,
        "duration_seconds": 900,
        "last_success_timestamp_seconds": now - 86400,
        "data_age_seconds": 45,
    }
    lines += [sample(f"timescaledb_rehearsal_{name}", value) for name, value in rehearsed.items()]
    return "".join(lines)


def unhurried(config: dict[str, Any]) -> dict[str, Any]:
    """Scrape once a second: a scrape may take as long as the interval, and real exporters need a while."""
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "500ms"}
    return config


@contextmanager
def exporting(
    program: str, manifests: Sequence[Manifest], root: Path, secrets: Secrets, servers: Mapping[str, int]
) -> Iterator[str]:
    """Run an exporter's pod; the Services that it asks are ports of this machine."""
    root.mkdir()
    name = root.name
    rewrites = {service: f"localhost:{port}" for service, port in servers.items()}
    pod = Pod(manifests, name, root, secrets=secrets, rewrites=rewrites)
    address = f"127.0.0.1:{free_port()}"
    command = [program, *pod.command(name), f"--web.listen-address={address}"]
    with daemon(command, pod.environment(name), root / "log") as server:

        def answers() -> bool:
            assert server.process.poll() is None, server.said()
            return bool(get(f"http://{address}/metrics"))

        eventually(answers)
        yield address


def test_every_target_of_every_job_is_up(live: Live, production: Sequence[Manifest]) -> None:
    text = find(production, "ConfigMap", "prometheus-config")["data"]["prometheus.yml"]
    jobs = {job["job_name"] for job in yaml.safe_load(text)["scrape_configs"]}

    def up() -> bool:
        found = live.query("up")
        seen = {series["metric"]["job"] for series in found}
        return seen == jobs and all(series["value"][1] == "1" for series in found)

    try:
        eventually(up, within=PATIENCE)
    except AssertionError:
        active = get(f"{live.prometheus}/api/v1/targets")["data"]["activeTargets"]
        pytest.fail("\n".join(f"{target['scrapePool']}: {target['lastError']}" for target in active))
    assert {series["metric"]["environment"] for series in live.query("up")} == {"traversion-production"}


def test_nothing_of_another_namespace_is_kept(live: Live) -> None:
    eventually(lambda: live.query("container_memory_working_set_bytes"), within=PATIENCE)
    assert live.query('{namespace="kube-system"}') == []


def rules(manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
    text = find(manifests, "ConfigMap", "prometheus-config")["data"]["rules.yml"]
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def panel_queries(manifests: Sequence[Manifest]) -> dict[str, str]:
    """Return each query of the dashboards as Grafana sends it when everything is chosen, by its place."""
    found: dict[str, str] = {}
    for config in of_kind(manifests, "ConfigMap"):
        for file, text in config["data"].items():
            if not file.endswith(".json"):
                continue
            for panel in json.loads(text)["panels"]:
                for target in panel.get("targets", []):
                    if "expr" in target:
                        expr = target["expr"].replace("$__rate_interval", "5m")
                        for variable in ("environment", "namespace", "pod", "tenant_id", "endpoint"):
                            expr = expr.replace(f"${variable}", ".*")
                        found[f"{file}: {panel['title']}: {target['refId']}"] = expr
    return found


def excused(expr: str, table: Mapping[str, str]) -> bool:
    return any(part in expr for part in table)


def test_every_panel_shows_something(live: Live, production: Sequence[Manifest]) -> None:
    queries = panel_queries(production)
    assert len(queries) > 100

    def empty() -> dict[str, str]:
        return {
            place: expr
            for place, expr in queries.items()
            if not excused(expr, LEGITIMATELY_EMPTY | SHOWN_WHEN_WRONG) and not live.query(faster_query(expr))
        }

    missing: dict[str, str] = {}

    def complete() -> bool:
        missing.clear()
        missing.update(empty())
        return not missing

    try:
        eventually(complete, within=PATIENCE, every=1)
    except AssertionError:
        pytest.fail("\n".join(f"{place}: {expr}" for place, expr in missing.items()))


def test_every_series_that_a_rule_asks_for_is_there(live: Live, production: Sequence[Manifest]) -> None:
    """An alert that is silent as all is well looks like one that knows nothing: ask for its parts."""
    selectors = {
        selector.metric
        + "{"
        + ",".join(f'{label}{op}"{value}"' for label, op, value in selector.matchers)
        + "}"
        for rule in rules(production)
        for selector in parse(rule["expr"]).selectors
    }
    assert len(selectors) > 80
    needed = sorted(selector for selector in selectors if not excused(selector, LEGITIMATELY_EMPTY))
    missing: list[str] = []

    def complete() -> bool:
        missing[:] = [each for each in needed if not live.query(each.replace("\\", "\\\\"))]
        return not missing

    try:
        eventually(complete, within=PATIENCE, every=1)
    except AssertionError:
        pytest.fail("\n".join(missing))


def test_what_is_excused_is_really_empty(live: Live) -> None:
    """The list must not outlive its reasons."""
    assert [name for name in LEGITIMATELY_EMPTY if live.query(name)] == []


def test_all_is_well_so_nobody_is_disturbed(live: Live) -> None:
    """Three minutes' worth, within a minute: a sixtieth of the usual patience is little at the very start."""

    def quiet() -> bool:
        live.posted.clear()
        time.sleep(3)
        alerts = get(f"{live.alertmanager}/api/v2/alerts") or []
        return not live.posted and {alert["labels"]["alertname"] for alert in alerts} == {"Watchdog"}

    eventually(quiet, within=PATIENCE)


def pages(live: Live, alert: str) -> None:
    eventually(lambda: live.paged(alert, "trigger"), within=PATIENCE)


def ends(live: Live, alert: str) -> None:
    eventually(lambda: live.paged(alert, "resolve"), within=PATIENCE)
    eventually(lambda: not live.status(alert), within=PATIENCE)


def test_a_fifth_of_the_requests_failing_wakes_someone_up_and_silences_what_follows(live: Live) -> None:
    for application in live.applications:
        application.failing = 0.2
    pages(live, "TraversionApiErrorRateHigh")
    assert live.paged("TraversionApiErrorRateHigh", "trigger")[0]["routing_key"] == "a routing key"
    annotations = alert_of(live, "TraversionApiErrorRateHigh")["annotations"]
    assert annotations["runbook_url"].endswith("docs/runbooks/TraversionApiErrorRateHigh.md")
    assert annotations["dashboard_url"] == "https://grafana.traversion.company.com/d/traversion-api"
    pages(live, "TraversionAvailabilityBudgetBurnsFast")
    # The slow loss is a consequence of the quick one, of which somebody knows.
    eventually(lambda: live.status("TraversionAvailabilityBudgetBurns") == {"suppressed"}, within=PATIENCE)
    assert not live.told("TraversionAvailabilityBudgetBurns")
    for application in live.applications:
        application.failing = 0
    ends(live, "TraversionApiErrorRateHigh")


def alert_of(live: Live, name: str) -> dict[str, Any]:
    alerts: list[dict[str, Any]] = get(f"{live.alertmanager}/api/v2/alerts")
    return next(alert for alert in alerts if alert["labels"]["alertname"] == name)


def test_slow_answers_wake_someone_up(live: Live) -> None:
    for application in live.applications:
        application.slow = 0.2
    pages(live, "TraversionApiLatencyHigh")
    for application in live.applications:
        application.slow = 0
    ends(live, "TraversionApiLatencyHigh")


def test_a_full_volume_wakes_someone_up(live: Live) -> None:
    live.kubernetes.volume_free = 0.02
    pages(live, "PersistentVolumeAlmostFull")
    live.kubernetes.volume_free = 0.8
    ends(live, "PersistentVolumeAlmostFull")


def archive_with(live: Live, command: str) -> None:
    done = live.postgres.superuser(
        f"ALTER SYSTEM SET archive_command = '{command}';\nSELECT pg_reload_conf();"
    )
    assert done.returncode == 0, done.stderr


def test_wal_that_cannot_be_archived_wakes_someone_up(live: Live) -> None:
    archive_with(live, "false")

    def paged_while_rows_are_written() -> bool:
        # A new segment makes the archiver try at once; left alone it waits a minute, here an hour's worth.
        done = live.postgres.superuser(
            "SELECT pg_logical_emit_message(true, 'a', 'row');\nSELECT pg_switch_wal();"
        )
        assert done.returncode == 0, done.stderr
        return bool(live.paged("TimescaleDbWalArchivingFailing", "trigger"))

    eventually(paged_while_rows_are_written, within=PATIENCE)
    archive_with(live, "true")
    ends(live, "TimescaleDbWalArchivingFailing")


def test_redis_that_is_gone_wakes_someone_up(live: Live) -> None:
    live.servers["redis"].close()
    pages(live, "RedisDown")
    live.servers["redis"].enter_context(live.redis.running())
    ends(live, "RedisDown")


def test_a_database_that_is_gone_wakes_someone_up(live: Live) -> None:
    live.servers["timescaledb"].close()
    pages(live, "TimescaleDbDown")
    live.servers["timescaledb"].enter_context(live.postgres.running())
    ends(live, "TimescaleDbDown")
