"""Quantities, lengths of time and schedules, in the notation of Kubernetes and Prometheus.

The functions turn a checked value into a number that can be added up, and a number back into the notation.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice, pairwise
from typing import Annotated, TypeAlias

from cronsim import CronSim, CronSimError
from pydantic import BeforeValidator

from traversion.values.checking import at_least, at_most, matching, refusal

_BYTES = {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_SMALLEST_VOLUME = 2**30  # Cloud disks start at 1 GiB; smaller claims are rounded up or refused.


def bytes_of(size: str) -> int:
    """Return the number of bytes of a memory or storage size such as "512Mi"."""
    number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]+)", size).groups()  # type: ignore[union-attr] # checked values only
    return int(Decimal(number) * _BYTES[unit])


def millicores_of(cpu: str) -> int:
    """Return the thousandths of a CPU of an amount such as "250m" or "1.5"."""
    return int(cpu[:-1]) if cpu.endswith("m") else int(Decimal(cpu) * 1000)


def seconds_of(period: str) -> int:
    """Return the seconds of a period such as "30d"."""
    return int(period[:-1]) * _SECONDS[period[-1]]


def longest_gap(schedule: str) -> int:
    """Return the seconds that pass at most between two turns of a cron schedule.

    Judged by its next sixty turns, which is more than a week of working hours and five years of months.
    """
    turns = [turn.timestamp() for turn in islice(CronSim(schedule, datetime(2026, 1, 1, tzinfo=UTC)), 60)]
    return int(max(later - earlier for earlier, later in pairwise(turns)))


def format_bytes(number: int) -> str:
    """Write bytes in the largest binary unit that loses nothing, as the API server would."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if number and number % _BYTES[unit] == 0:
            return f"{number // _BYTES[unit]}{unit}"
    return str(number)


def format_millicores(number: int) -> str:
    """Write thousandths of a CPU as the API server would: "1500m", but "2" for whole ones."""
    return str(number // 1000) if number % 1000 == 0 else f"{number}m"


def _check_schedule(value: object) -> str:
    remedy = 'write five cron fields in UTC, as Kubernetes reads them, e.g. "0 2 * * *" (daily at 02:00)'
    if not isinstance(value, str) or not _CRON.fullmatch(value):
        raise refusal("a cron schedule", remedy)
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise refusal("a cron schedule", f"{remedy} ({error})") from error
    return value


_BINARY = r"\d+(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)"
# Day of week ends at 6: Kubernetes does not know 7. Names stand for months and days only.
_NUMBERS = r"(\*|\d+(-\d+)?)(/\d+)?(,(\*|\d+(-\d+)?)(/\d+)?)*"
_MONTHS = _NUMBERS.replace(r"\d+(-\d+)?", r"(\d+|[A-Za-z]{3})(-(\d+|[A-Za-z]{3}))?")
_DAYS = _NUMBERS.replace(r"\d+(-\d+)?", r"([0-6]|[A-Za-z]{3})(-([0-6]|[A-Za-z]{3}))?")
_CRON = re.compile(rf"{_NUMBERS} +{_NUMBERS} +{_NUMBERS} +{_MONTHS} +{_DAYS}", re.ASCII)

MemorySize: TypeAlias = Annotated[
    str,
    matching(_BINARY, "a memory size", 'write a number and a unit, e.g. "512Mi" or "2Gi"'),
    at_least(2**20, bytes_of, 'write at least "1Mi"'),
]
"""Memory in Kubernetes notation, with a unit."""

StorageSize: TypeAlias = Annotated[
    str,
    matching(_BINARY, "a storage size", 'write a number and a unit, e.g. "10Gi"'),
    at_least(_SMALLEST_VOLUME, bytes_of, 'volumes start at "1Gi"'),
]
"""The size of a volume in Kubernetes notation, with a unit; at least 1Gi."""

CpuAmount: TypeAlias = Annotated[
    str,
    matching(r"\d+m|\d+(\.\d{1,3})?", "an amount of CPU", 'write cores or thousandths, e.g. "2" or "250m"'),
    at_least(1, millicores_of, 'write at least "1m"'),
]
"""CPU in Kubernetes notation: cores or thousandths ("m")."""

Period: TypeAlias = Annotated[
    str,
    matching(r"\d+[smhdwy]", "a period", 'write a whole number and a unit (s, m, h, d, w, y), e.g. "30d"'),
    at_least(1, seconds_of, 'write at least "1s"'),
    at_most(seconds_of("100y"), seconds_of, 'write at most "100y"'),
]
"""A length of time in Prometheus notation, with a unit."""

CronSchedule: TypeAlias = Annotated[str, BeforeValidator(_check_schedule)]
"""Five cron fields, read in UTC."""

BodySize: TypeAlias = Annotated[
    str, matching(r"[1-9]\d{0,5}[km]", "a body size", 'write a number and k or m, e.g. "50m" for 50 MiB')
]
"""The size of a request body in nginx notation."""

TimeOfDay: TypeAlias = Annotated[
    str,
    matching(
        r"([01]\d|2[0-3]):[0-5]\d|24:00", "a time of day", 'write hours and minutes in UTC, e.g. "02:30"'
    ),
]
"""A time of day in UTC; "24:00" is the end of the day."""
