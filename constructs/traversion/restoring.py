"""From an operator's wish to the objects that restore the database; nothing is applied."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cdk8s import ApiObject, App

from traversion.chart import TraversionChart
from traversion.refusal import SettingsRefused
from traversion.settings import Environment
from traversion.timescaledb.restore import Restore

REPOSITORIES: Mapping[str, int] = {"primary": 1, "offsite": 2, "archive": 3}


def restore_manifests(environment: Environment, restore: Restore) -> list[dict[str, Any]]:
    """Return the objects of a restore, ready for kubectl.

    Raises ``SettingsRefused`` where the environment has no such repository.
    """
    backups = environment.database.backups
    if backups is None:
        raise SettingsRefused(
            f"{environment.name}: database.backups = None: there is nothing to restore from"
        )
    kept = {1: backups.repository, 2: backups.offsite, 3: backups.archive}
    if kept[restore.repository] is None:
        name = next(name for name, number in REPOSITORIES.items() if number == restore.repository)
        raise SettingsRefused(
            f"{environment.name}: database.backups.{name} = None: there is no such repository; "
            "use another: --repository"
        )
    chart = TraversionChart(App(), environment, validated=False, restore=restore)
    objects = (each.to_json() for each in chart.node.find_all() if isinstance(each, ApiObject))
    label = "app.kubernetes.io/name"
    return [each for each in objects if each["metadata"]["labels"].get(label) == restore.label]


def moment(text: str) -> datetime:
    """Read the moment to restore; raises ``SettingsRefused`` without a zone, and for the future."""
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo:
            time.astimezone(UTC)  # the first and the last day of the calendar exist in some zones only
    except (ValueError, OverflowError) as error:
        raise SettingsRefused(
            f'--time {text}: is no moment: write date, time and zone, e.g. "2026-11-25 14:30:00+00:00"'
        ) from error
    if time.tzinfo is None:
        raise SettingsRefused(f'--time {text}: has no zone: write e.g. "{time.isoformat(" ")}+00:00" for UTC')
    now = datetime.now(UTC)
    if time > now:
        raise SettingsRefused(
            f"--time {text}: is in the future; it is {now.isoformat(' ', 'seconds')} now: "
            "leave --time out to restore all that was archived"
        )
    return time


def dump_name(text: str) -> str:
    """Read which dump to restore; raises ``SettingsRefused`` for what the backup job never writes."""
    if text != "latest" and not re.fullmatch(r"traversion-[0-9]{8}T[0-9]{6}Z\.dump", text):
        raise SettingsRefused(
            f'--dump {text}: is not the name of a dump: write "latest", or the name alone that the job '
            'logged, e.g. "traversion-20261101T050003Z.dump"'
        )
    return text


def check_covered(restore: Restore, info: str, source: str) -> None:
    """Refuse a moment before the repository's oldest backup, by what ``pgbackrest info`` printed as JSON.

    Raises ``SettingsRefused``, also for text that is not that.
    """
    try:
        stops = [
            datetime.fromtimestamp(backup["timestamp"]["stop"], UTC)
            for stanza in json.loads(info)
            for backup in stanza["backup"]
            if backup["database"]["repo-key"] == restore.repository
        ]
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise SettingsRefused(
            f"--backups {source}: is not what `pgbackrest --output=json info` prints "
            f"({type(error).__name__}: {error})"
        ) from error
    if not stops:
        raise SettingsRefused(
            f"--backups {source}: repository {restore.repository} holds no backup: "
            "name another by --repository"
        )
    if restore.time and restore.time < min(stops):
        oldest = min(stops) + timedelta(seconds=1)
        raise SettingsRefused(
            f"--time {restore.time.isoformat(' ')}: is before the oldest backup: write "
            f"{oldest.isoformat(' ')} or later, or name another repository by --repository"
        )
