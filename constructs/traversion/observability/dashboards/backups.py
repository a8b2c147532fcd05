"""Backups: how old, how large, how long; whether WAL is archived, and how the last rehearsal went."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, number
from traversion.observability.dashboards.queries import PromQl
from traversion.observability.metrics import (
    BACKUP_ADDED,
    BACKUP_COMPLETED,
    BACKUP_COUNT,
    BACKUP_OLDEST,
    BACKUP_SECONDS,
    PG_ARCHIVE_AGE,
    PG_ARCHIVE_FAILURES,
    PG_ARCHIVED,
    REHEARSAL_DATA_AGE,
    REHEARSAL_SECONDS,
    REHEARSAL_SUCCEEDED,
    REHEARSED,
)
from traversion.observability.rules import backups

_KIND = "{{repository}}, {{type}}"


def _by_kind(metric: object) -> str:
    return f"max by (repository, type) ({metric})"


DASHBOARD = Dashboard(
    "traversion-backups",
    "Traversion / Backups",
    "Whether there is a backup when one is needed, and whether it was ever restored.",
    (
        Row(
            "Now",
            (
                number(
                    "Newest backup",
                    "Time since any backup in the first repository was complete.",
                    f"""time() - max({BACKUP_COMPLETED.where('repository="primary"')})""",
                    "dtdurations",
                    width=5,
                ),
                number(
                    "Newest WAL",
                    "Time since a segment was archived; grows where nobody writes.",
                    f"max({PG_ARCHIVE_AGE})",
                    "dtdurations",
                    width=5,
                ),
                number(
                    "Last rehearsal",
                    "1 when the last restore that was rehearsed succeeded.",
                    f"max({REHEARSAL_SUCCEEDED})",
                    width=4,
                    threshold=Threshold(1, 0.5),
                ),
                number(
                    "Rehearsed",
                    "Time since a rehearsal succeeded.",
                    f"time() - max({REHEARSED})",
                    "dtdurations",
                    width=5,
                    threshold=Threshold(backups.OLDEST_REHEARSAL),
                ),
                number(
                    "Data in the rehearsal",
                    "How old the newest commit was that the last rehearsal brought back.",
                    f"max({REHEARSAL_DATA_AGE})",
                    "dtdurations",
                    width=5,
                    threshold=Threshold(backups.OLDEST_REHEARSED_COMMIT),
                ),
            ),
        ),
        Row(
            "Repositories",
            (
                Panel(
                    "Age of the newest backup",
                    "By repository and kind; each falls to zero when one is complete.",
                    (PromQl(f"time() - {_by_kind(BACKUP_COMPLETED)}", _KIND),),
                    "s",
                ),
                Panel(
                    "How far back",
                    "Age of the oldest backup that is kept: the earliest moment that can be restored.",
                    (PromQl(f"time() - {_by_kind(BACKUP_OLDEST)}", _KIND),),
                    "s",
                ),
                Panel("Backups", "How many are kept.", (PromQl(_by_kind(BACKUP_COUNT), _KIND),)),
                Panel(
                    "Added by the newest",
                    "What it added to its repository, compressed.",
                    (PromQl(_by_kind(BACKUP_ADDED), _KIND),),
                    "bytes",
                ),
                Panel(
                    "Duration",
                    "How long the newest backup took, and the last rehearsal.",
                    (
                        PromQl(_by_kind(BACKUP_SECONDS), _KIND),
                        PromQl(f"max({REHEARSAL_SECONDS})", "rehearsal"),
                    ),
                    "s",
                ),
                Panel(
                    "WAL",
                    "Segments that were archived, and attempts that failed, per second.",
                    (
                        PromQl(f"sum(rate({PG_ARCHIVED}[$__rate_interval]))", "archived"),
                        PromQl(f"sum(rate({PG_ARCHIVE_FAILURES}[$__rate_interval]))", "failed"),
                    ),
                    "ops",
                ),
            ),
        ),
    ),
)
