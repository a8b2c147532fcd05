"""Backups: taken when they should be, without damage, with all WAL, and restored in rehearsals."""

from collections.abc import Iterator

from traversion.observability.metrics import (
    BACKUP_COMPLETED,
    BACKUP_DAMAGED,
    CRONJOB_CREATED,
    PG_ARCHIVE_AGE,
    PG_ARCHIVE_FAILURES,
    PG_ARCHIVED,
    PG_ROWS_INSERTED,
    REHEARSAL_SUCCEEDED,
    REHEARSED,
)
from traversion.observability.rules.rule import Alert, Group
from traversion.settings import BackupSettings
from traversion.values import longest_gap, seconds_of

LONGEST_BACKUP = 2 * 3600
"""Seconds that a backup may take before it is missed."""
OLDEST_REHEARSAL = 8 * 86400
"""Seconds: rehearsals are weekly, and may be a day late."""
OLDEST_REHEARSED_COMMIT = 3600
"""Seconds."""


def group(settings: BackupSettings | None) -> Group:
    """Return the rules on the backups that are set; without any there are none."""
    if not settings:
        return Group("backups", ())
    alerts = (_old(settings), _DAMAGED, _NOT_ARCHIVED, _archived_late(settings))
    return Group("backups", (*alerts, *(_REHEARSAL if settings.rehearsal else ())))


def oldest(settings: BackupSettings) -> Iterator[tuple[str, str, str, int]]:
    """Yield each kind of backup: CronJob, repository, type, and the age in seconds at which it is old."""
    yield "full", "primary", "full", longest_gap(settings.full) + LONGEST_BACKUP
    if settings.incremental:
        yield "incremental", "primary", "full|incremental", longest_gap(settings.incremental) + LONGEST_BACKUP
    if settings.offsite:
        yield "offsite", "offsite", "full", longest_gap(settings.offsite.schedule) + LONGEST_BACKUP
    if settings.archive:
        age = longest_gap(settings.archive.schedule) + LONGEST_BACKUP
        yield "archive", "archive", "full", age
        yield "archive", "archive", "dump", age


def _old(settings: BackupSettings) -> Alert:
    conditions = []
    for job, repository, kind, age in oldest(settings):
        completed = BACKUP_COMPLETED.where(f'repository="{repository}"', f'type=~"{kind}"')
        cronjob = f'cronjob="timescaledb-backup-{job}"'
        made = CRONJOB_CREATED.where(cronjob)
        # Before the first one the age of the CronJob itself counts.
        conditions.append(f"""
            label_replace(time() - max({completed}) > {age}
              or (time() - max({made}) > {age} unless on () {completed}),
              "backup", "{job}{" (dump)" if kind == "dump" else ""}", "", "")""")
    return Alert(
        "TimescaleDbBackupOld",
        "timescaledb",
        "\nor".join(conditions),
        "A backup of TimescaleDB is too old",
        "The last backup of the kind {{ $labels.backup }} was complete {{ $value | humanizeDuration }} ago, "
        "or none ever was; its schedule allows less.",
        lasting="5m",
        dashboard="backups",
    )


_DAMAGED = Alert(
    "TimescaleDbBackupDamaged",
    "timescaledb",
    f"max by (repository, type) ({BACKUP_DAMAGED}) == 1",
    "A backup of TimescaleDB found damaged pages",
    "The newest {{ $labels.type }} backup in {{ $labels.repository }} met pages whose checksums are wrong: "
    "the database's volume is damaged.",
    severity="critical",
    dashboard="backups",
)
_NOT_ARCHIVED = Alert(
    "TimescaleDbWalArchivingFailing",
    "timescaledb",
    f"max(increase({PG_ARCHIVE_FAILURES}[10m])) > 0 and on () max(increase({PG_ARCHIVED}[10m])) == 0",
    "WAL of TimescaleDB is not archived",
    "{{ $value | humanize }} attempts failed within 10 minutes and none succeeded. What is written now "
    "is lost if the volume is, and the volume fills up.",
    lasting="5m",
    severity="critical",
    dashboard="backups",
)
_REHEARSAL = (
    Alert(
        "TimescaleDbRehearsalFailed",
        "timescaledb",
        f"max({REHEARSAL_SUCCEEDED}) == 0",
        "The last rehearsal of a restore failed",
        "The newest backup could not be restored, or what came back was not whole.",
        severity="critical",
        dashboard="backups",
    ),
    Alert(
        "TimescaleDbRehearsalOld",
        "timescaledb",
        f"""
        time() - max({REHEARSED}) > {OLDEST_REHEARSAL}
        or
        (time() - max({CRONJOB_CREATED.where('cronjob="timescaledb-rehearsal"')}) > {OLDEST_REHEARSAL}
         unless on () {REHEARSED})
        """,
        "No restore has been rehearsed for long",
        "The last rehearsal succeeded {{ $value | humanizeDuration }} ago, or none ever did.",
        lasting="5m",
        dashboard="backups",
    ),
)


def _archived_late(settings: BackupSettings) -> Alert:
    age = max(300, 5 * seconds_of(settings.recovery_point))
    return Alert(
        "TimescaleDbWalArchivingLags",
        "timescaledb",
        # A server that nobody writes to has nothing to archive.
        f"max({PG_ARCHIVE_AGE}) > {age} and on () sum(rate({PG_ROWS_INSERTED}[5m])) > 0",
        "WAL of TimescaleDB is archived late",
        "The last segment was archived {{ $value | humanizeDuration }} ago while rows are written; the "
        f"recovery point is {settings.recovery_point}.",
        lasting="5m",
        severity="critical",
        dashboard="backups",
    )
