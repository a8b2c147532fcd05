"""The database and its backup."""

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import KSM, KSM_LABELS, ONCE, up


def _postgres(metric: str, labels: str = "") -> str:
    return f'pg_{metric}{{job="timescaledb",instance="i:9187",pod="e"{labels}}}'


def _sessions(backend: str, state: str = "active") -> str:
    return _postgres("stat_activity_count", f',datname="traversion",backend_type="{backend}",state="{state}"')


def _transaction(user: str, application: str = "api", backend: str = "client backend") -> str:
    labels = f',usename="{user}",application_name="{application}",backend_type="{backend}"'
    return _postgres("stat_activity_max_tx_duration", f',datname="traversion",state="active"{labels}')


_CRONJOB = f'{{{KSM},cronjob="timescaledb-backup"}}'
_CRONJOB_LABELS = ({**KSM_LABELS, "cronjob": "timescaledb-backup"},)
_DAY = 24 * 3600

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
    ),
    Case(
        "TimescaleDbCacheHitRatioLow",
        "nine of eleven blocks",
        {
            _postgres("stat_database_blks_hit", ',datname="traversion"'): "0+9000x160",
            _postgres("stat_database_blks_read", ',datname="traversion"'): "0+2000x160",
        },
        {"35m": ONCE},
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
    ),
    Case(
        "TimescaleDbBackupOld",
        "the last success is more than 26 hours ago; then one succeeds",
        {
            f"kube_cronjob_created{_CRONJOB}": f"{-90 * _DAY}x20",
            f"kube_cronjob_status_last_successful_time{_CRONJOB}": f"{60 - 26 * 3600}x8 100x11",
        },
        {"1m15s": _CRONJOB_LABELS},
        silent=("1m", "2m30s"),
    ),
    Case(
        "TimescaleDbBackupOld",
        "it has never succeeded",
        {f"kube_cronjob_created{_CRONJOB}": f"{60 - _DAY}x20"},
        {"1m15s": _CRONJOB_LABELS},
        silent=("1m",),
    ),
    Case(
        "TimescaleDbBackupOld",
        "no backups in this environment, only another CronJob",
        {f'kube_cronjob_created{{{KSM},cronjob="other"}}': f"{-9 * _DAY}x20"},
        {},
        silent=("2m",),
    ),
)
