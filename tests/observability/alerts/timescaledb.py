"""The database and its backup."""

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import ONCE, up


def _postgres(metric: str, labels: str = "") -> str:
    return f'pg_{metric}{{job="timescaledb",instance="i:9187",pod="e"{labels}}}'


def _sessions(backend: str, state: str = "active") -> str:
    return _postgres("stat_activity_count", f',datname="traversion",backend_type="{backend}",state="{state}"')


def _transaction(user: str, application: str = "api", backend: str = "client backend") -> str:
    labels = f',usename="{user}",application_name="{application}",backend_type="{backend}"'
    return _postgres("stat_activity_max_tx_duration", f',datname="traversion",state="active"{labels}')


_EXPORTER_LABELS = {"job": "timescaledb", "instance": "i:9187", "pod": "e"}
_SLOT = ',slot_name="s",slot_type="physical"'
_JOB_LABELS = (
    {**_EXPORTER_LABELS, "job_id": "1000", "policy": "policy_compression", "hypertable": "events"},
)


def _job(metric: str, policy: str = "policy_compression") -> str:
    labels = f'job="timescaledb",instance="i:9187",pod="e",job_id="1000",policy="{policy}"'
    return f'timescaledb_job_{metric}{{{labels},hypertable="events"}}'


def _rows(table: str, *, live: int, dead: int) -> dict[str, str]:
    labels = f',datname="traversion",schemaname="_timescaledb_internal",relname="{table}"'
    return {
        _postgres("stat_user_tables_n_live_tup", labels): f"{live}x300",
        _postgres("stat_user_tables_n_dead_tup", labels): f"{dead}x300",
    }


CASES = (
    Case(
        "TimescaleDbDown",
        "PostgreSQL stops answering after 2 minutes, and answers again after 5",
        {up("e", "timescaledb"): "1x40", _postgres("up"): "1x8 0x12 1x20"},
        {"3m15s": ONCE},
        silent=("2m45s", "3m", "6m"),
    ),
    Case(
        "TimescaleDbDown",
        "the exporter stops answering",
        {up("e", "timescaledb"): "1x8 0x40", _postgres("up"): "1x8 stale"},
        {"3m15s": ONCE},
        silent=("2m45s", "3m"),
    ),
    Case("TimescaleDbDown", "the exporter is gone", {}, {"1m": ONCE}, silent=("30s", "45s")),
    Case(
        "TimescaleDbDown",
        "two exporters, and one still reaches it",
        {_postgres("up"): "1x40", _postgres("up").replace("i:", "j:"): "0x40"},
        {},
        silent=("5m",),
        shows="below",
    ),
    Case("TimescaleDbDown", "another job's pg_up is no comfort", {'pg_up{job="x"}': "1x40"}, {"1m": ONCE}),
    Case(
        "TimescaleDbConnectionsHigh",
        "81 of 100, active or idle; the server's own are not counted",
        {
            _sessions("client backend"): "41x40",
            _sessions("client backend", "idle"): "40x40",
            _sessions("", "disabled"): "0x40",
            _sessions("background worker"): "50x40",
            _postgres("settings_max_connections"): "100x40",
        },
        {"5m": ONCE},
        silent=("4m45s",),
    ),
    Case(
        "TimescaleDbConnectionsHigh",
        "80 of 100",
        {
            _sessions("client backend"): "80x40",
            _sessions("background worker"): "50x40",
            _postgres("settings_max_connections"): "100x40",
        },
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "TimescaleDbTransactionLong",
        "more than 15 minutes, in two applications of one user",
        {_transaction("traversion"): "901x40", _transaction("traversion", "psql"): "1200x40"},
        {"1m": ({"datname": "traversion", "usename": "traversion"},)},
        silent=("45s",),
    ),
    Case(
        "TimescaleDbTransactionLong",
        "15 minutes; a dump and a worker take longer",
        {
            _transaction("traversion"): "900x40",
            _transaction("backup", "pg_dump"): "9000x40",
            _transaction("postgres", "", "autovacuum worker"): "9000x40",
        },
        {},
        silent=("5m",),
        shows="below",
    ),
    Case(
        "TimescaleDbCacheHitRatioLow",
        "three of four blocks",
        {
            _postgres("stat_database_blks_hit", ',datname="traversion"'): "0+120000x160",
            _postgres("stat_database_blks_read", ',datname="traversion"'): "0+40000x160",
        },
        {"30m15s": ONCE},
        silent=("30m",),
    ),
    Case(
        "TimescaleDbCacheHitRatioLow",
        "more than nine of ten",
        {
            _postgres("stat_database_blks_hit", ',datname="traversion"'): "0+91000x140",
            _postgres("stat_database_blks_read", ',datname="traversion"'): "0+9000x160",
        },
        {},
        silent=("35m",),
        shows="below",
    ),
    Case(
        "TimescaleDbCacheHitRatioLow",
        "an idle server",
        {
            _postgres("stat_database_blks_hit", ',datname="traversion"'): "0+1x140",
            _postgres("stat_database_blks_read", ',datname="traversion"'): "0+9x140",
            _postgres("stat_database_blks_hit", ',datname="postgres"'): "5x140",
            _postgres("stat_database_blks_read", ',datname="postgres"'): "5x140",
        },
        {},
        silent=("35m",),
        shows="few",
    ),
    Case(
        "TimescaleDbDeadlocks",
        "ten within a few minutes, and no more",
        {_postgres("stat_database_deadlocks", ',datname="traversion"'): "0x20 0+1x10 10x120"},
        {"8m": ({"datname": "traversion"},)},
        silent=("5m", "25m"),
    ),
    Case(
        "TimescaleDbDeadlocks",
        "four",
        {_postgres("stat_database_deadlocks", ',datname="traversion"'): "0x20 0+1x4 4x60"},
        {},
        silent=("7m", "15m"),
        shows="below",
    ),
    Case(
        "TimescaleDbTableBloated",
        "a fifth of a large chunk and more is dead",
        _rows("_hyper_1_1_chunk", live=400_000, dead=100_001) | _rows("tenants", live=10, dead=99_999),
        {
            "1h": (
                {
                    "datname": "traversion",
                    "schemaname": "_timescaledb_internal",
                    "relname": "_hyper_1_1_chunk",
                },
            )
        },
        silent=("30s", "59m45s"),
    ),
    Case(
        "TimescaleDbTableBloated",
        "just a fifth",
        _rows("_hyper_1_1_chunk", live=800_000, dead=200_000),
        {},
        silent=("1h5m",),
        shows="below",
    ),
    Case(
        "TimescaleDbJobFailing",
        "the last run of compression failed",
        {_job("last_run_failed"): "1x80", _job("last_run_failed", "policy_retention"): "0x80"},
        {"15m": _JOB_LABELS},
        silent=("30s", "14m45s"),
    ),
    Case(
        "TimescaleDbJobFailing",
        "it succeeds",
        {_job("last_run_failed"): "0x80"},
        {},
        silent=("16m",),
        shows="below",
    ),
    Case(
        "TimescaleDbJobOverdue",
        "it should have run more than two hours ago",
        {_job("overdue_seconds"): "7201x80"},
        {"15m": _JOB_LABELS},
        silent=("14m45s",),
    ),
    Case(
        "TimescaleDbJobOverdue",
        "two hours ago",
        {_job("overdue_seconds"): "7200x80"},
        {},
        silent=("16m",),
        shows="below",
    ),
    Case(
        "TimescaleDbReplicationSlotInactive",
        "nobody reads from it",
        {_postgres("replication_slots_slot_is_active", _SLOT): "0x80"},
        {"15m": ({**_EXPORTER_LABELS, "slot_name": "s", "slot_type": "physical"},)},
        silent=("14m45s",),
    ),
    Case(
        "TimescaleDbReplicationSlotInactive",
        "somebody reads from it again and again",
        {_postgres("replication_slots_slot_is_active", _SLOT): "0x40 1x2 0x40"},
        {},
        silent=("14m", "20m"),
        shows="below",
    ),
    Case(
        "TimescaleDbStandbyBehind",
        "more than 1 GiB",
        {_postgres("stat_replication_pg_wal_lsn_diff", ',application_name="s"'): f"{2**30 + 1}x80"},
        {"10m": ({**_EXPORTER_LABELS, "application_name": "s"},)},
        silent=("9m45s",),
    ),
    Case(
        "TimescaleDbStandbyBehind",
        "1 GiB",
        {_postgres("stat_replication_pg_wal_lsn_diff", ',application_name="s"'): f"{2**30}x80"},
        {},
        silent=("12m",),
        shows="below",
    ),
    Case(
        "TimescaleDbStatisticsIncomplete",
        "a query of the exporter fails",
        {_postgres("exporter_last_scrape_error"): "1x80", _job("last_run_failed"): "0x80"},
        {"15m": ONCE},
        silent=("14m45s",),
    ),
    Case(
        "TimescaleDbStatisticsIncomplete",
        "PostgreSQL answers, and no job is known",
        {_postgres("exporter_last_scrape_error"): "0x80", _postgres("up"): "1x80"},
        {"15m": ONCE},
        silent=("14m45s",),
    ),
    Case(
        "TimescaleDbStatisticsIncomplete",
        "all is known",
        {
            _postgres("exporter_last_scrape_error"): "0x80",
            _postgres("up"): "1x80",
            _job("last_run_failed"): "0x80",
        },
        {},
        silent=("16m",),
        shows="below",
    ),
)
