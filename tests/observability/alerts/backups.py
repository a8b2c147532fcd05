"""Backups, archiving and rehearsals."""

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import KSM, ONCE

_HOUR, _DAY = 3600, 86400
_GATEWAY = 'job="backups",instance="g:9091",pod="g"'
_RECENT = f"{-60}x60"


def _completed(kind: str, values: str, repository: str = "primary") -> dict[str, str]:
    labels = f'repository="{repository}",type="{kind}"'
    return {f"timescaledb_backup_last_completion_timestamp_seconds{{{_GATEWAY},{labels}}}": values}


def _created(name: str, values: str) -> dict[str, str]:
    return {f'kube_cronjob_created{{{KSM},cronjob="timescaledb-{name}"}}': values}


def _rehearsal(metric: str, values: str) -> dict[str, str]:
    return {f"timescaledb_rehearsal_{metric}{{{_GATEWAY}}}": values}


def _archiver(metric: str, values: str) -> dict[str, str]:
    return {f'pg_stat_archiver_{metric}{{job="timescaledb",instance="i:9187",pod="e"}}': values}


_INSERTED = 'pg_stat_database_tup_inserted{job="timescaledb",instance="i:9187",pod="e",datname="traversion"}'

CASES = (
    Case(
        "TimescaleDbBackupOld",
        "the last full backup is more than 26 hours ago, incremental ones go on",
        _completed("full", f"{60 - 26 * _HOUR}x60") | _completed("incremental", _RECENT),
        {"6m15s": ({"backup": "full"},)},
        silent=("1m", "6m"),
    ),
    Case(
        "TimescaleDbBackupOld",
        "the last incremental backup is more than 3 hours ago, and so is the full one",
        _completed("full", f"{-9 * _HOUR}x60") | _completed("incremental", f"{60 - 3 * _HOUR}x60"),
        {"6m15s": ({"backup": "incremental"},)},
        silent=("6m",),
    ),
    Case(
        "TimescaleDbBackupOld",
        "a full backup is as good as an incremental one",
        _completed("full", _RECENT) | _completed("incremental", f"{-9 * _DAY}x60"),
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "TimescaleDbBackupOld",
        "there has never been one",
        _created("backup-full", f"{60 - 26 * _HOUR}x60"),
        {"6m15s": ({"backup": "full"},)},
        silent=("6m",),
    ),
    Case(
        "TimescaleDbBackupOld",
        "the first one is still to come",
        _created("backup-full", f"{-25 * _HOUR}x60") | _created("backup-incremental", f"{-2 * _HOUR}x60"),
        {},
        silent=("10m",),
    ),
    Case(
        "TimescaleDbBackupDamaged",
        "the newest full backup met a damaged page; then one is taken that did not",
        {f'timescaledb_backup_last_damaged{{{_GATEWAY},repository="primary",type="full"}}': "0x7 1x20 0x20"},
        {"2m": ({"repository": "primary", "type": "full"},)},
        silent=("1m45s", "9m"),
    ),
    Case(
        "TimescaleDbBackupDamaged",
        "whole",
        {f'timescaledb_backup_last_damaged{{{_GATEWAY},repository="primary",type="full"}}': "0x60"},
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "TimescaleDbWalArchivingFailing",
        "from the second minute on every attempt fails",
        _archiver("failed_count", "0x8 1+1x100") | _archiver("archived_count", "5x200"),
        {"7m15s": ONCE},
        silent=("7m",),
    ),
    Case(
        "TimescaleDbWalArchivingFailing",
        "some fail, and the next attempt succeeds",
        _archiver("failed_count", "0+1x100") | _archiver("archived_count", "0+1x100"),
        {},
        silent=("20m",),
        shows="below",
    ),
    Case(
        "TimescaleDbWalArchivingLags",
        "more than five minutes, while rows are written",
        _archiver("last_archive_age", "301x100") | {_INSERTED: "0+10x100"},
        {"5m15s": ONCE},
        silent=("5m",),
    ),
    Case(
        "TimescaleDbWalArchivingLags",
        "five minutes",
        _archiver("last_archive_age", "300x100") | {_INSERTED: "0+10x100"},
        {},
        silent=("20m",),
        shows="below",
    ),
    Case(
        "TimescaleDbWalArchivingLags",
        "nobody writes",
        _archiver("last_archive_age", "90000x100") | {_INSERTED: "10x100"},
        {},
        silent=("20m",),
    ),
    Case(
        "TimescaleDbRehearsalFailed",
        "it fails, and the next one succeeds",
        _rehearsal("success", "1x7 0x20 1x20"),
        {"2m": ONCE},
        silent=("1m45s", "9m"),
    ),
    Case(
        "TimescaleDbRehearsalFailed",
        "it succeeded",
        _rehearsal("success", "1x60"),
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "TimescaleDbRehearsalOld",
        "the last success is more than eight days ago",
        _rehearsal("last_success_timestamp_seconds", f"{60 - 8 * _DAY}x60"),
        {"6m15s": ONCE},
        silent=("1m", "6m"),
    ),
    Case(
        "TimescaleDbRehearsalOld",
        "it has never succeeded",
        _created("rehearsal", f"{60 - 8 * _DAY}x60"),
        {"6m15s": ONCE},
        silent=("6m",),
    ),
    Case(
        "TimescaleDbRehearsalOld",
        "seven days",
        _rehearsal("last_success_timestamp_seconds", f"{-7 * _DAY}x60")
        | _created("rehearsal", f"{-90 * _DAY}x60"),
        {},
        silent=("10m",),
        shows="below",
    ),
)
