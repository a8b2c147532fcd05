"""The kinds of value a setting can take: each is checked, and each refusal says what to write instead.

Every kind is a plain ``str`` in the notation that the field knows ("512Mi", "30d", "0 2 * * *"),
so an environment file reads like the manifest it becomes. The functions turn a checked value into
a number that can be added up, and a number back into the notation.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

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
_CRON_FIELDS = 5  # minute, hour, day of month, month, day of week
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


def format_bytes(number: int) -> str:
    """Write bytes in the largest binary unit that loses nothing, as the API server would."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if number and number % _BYTES[unit] == 0:
            return f"{number // _BYTES[unit]}{unit}"
    return str(number)


def format_millicores(number: int) -> str:
    """Write thousandths of a CPU as the API server would: "1500m", but "2" for whole ones."""
    return str(number // 1000) if number % 1000 == 0 else f"{number}m"


def _refuse(kind: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("traversion", "is not {kind}: {remedy}", {"kind": kind, "remedy": remedy})


def _matching(pattern: str, kind: str, remedy: str, *, longest: int = 253) -> AfterValidator:
    def check(text: str) -> str:
        if len(text) > longest or not re.fullmatch(pattern, text):
            raise _refuse(kind, remedy)
        return text

    return AfterValidator(check)


def _at_least(smallest: int, measure: Callable[[str], int], remedy: str) -> AfterValidator:
    def check(text: str) -> str:
        if measure(text) < smallest:
            raise _refuse("enough", remedy)
        return text

    return AfterValidator(check)


def _check_schedule(text: str) -> str:
    remedy = 'write five cron fields in UTC, as Kubernetes reads them, e.g. "0 2 * * *" (daily at 02:00)'
    if len(text.split()) != _CRON_FIELDS or re.search(r"[^\d\s*/,\-A-Za-z]|\b[LW]\b|\d[LW]", text):
        raise _refuse("a cron schedule", remedy)
    try:
        CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise _refuse("a cron schedule", f"{remedy} ({error})") from error
    return text


def _check_cidr(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise _refuse(
            "a CIDR", f'write a network address with its prefix length, e.g. "10.0.0.0/8" ({error})'
        ) from error


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_BINARY = r"\d+(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)"

DnsLabel = Annotated[
    str,
    _matching(
        _LABEL,
        "a DNS label",
        "use 1 to 63 lower-case letters, digits and '-', e.g. \"staging\"",
        longest=63,
    ),
]
"""A Kubernetes object or namespace name (RFC 1123 label)."""

DomainName = Annotated[
    str,
    # "monitoring." is put in front of it, and a DNS name ends at 253 characters.
    _matching(
        rf"(?=.{{1,240}}$)((?=[^.]{{1,63}}\.){_LABEL}\.)+(?=[^.]{{2,63}}$)[a-z]([-a-z0-9]*[a-z0-9])?",
        "a DNS name",
        'write a lower-case domain without scheme, port or path, e.g. "traversion.company.com"',
    ),
]
"""A fully qualified domain name without a trailing dot."""

EmailAddress = Annotated[
    str,
    _matching(
        r"[^@\s<>]+@[^@\s<>]+\.[a-z]{2,}",
        "an e-mail address",
        'write one address, e.g. "sre@company.com"',
    ),
]
"""One mailbox; certificate authorities refuse made-up ones such as example.com."""

MemorySize = Annotated[
    str,
    _matching(_BINARY, "a memory size", 'write a number and a unit, e.g. "512Mi" or "2Gi"'),
    _at_least(2**20, bytes_of, 'write at least "1Mi"'),
]
"""Memory in Kubernetes notation, with a unit."""

StorageSize = Annotated[
    str,
    _matching(_BINARY, "a storage size", 'write a number and a unit, e.g. "10Gi"'),
    _at_least(_SMALLEST_VOLUME, bytes_of, 'volumes start at "1Gi"'),
]
"""The size of a volume in Kubernetes notation, with a unit; at least 1Gi."""

CpuAmount = Annotated[
    str,
    _matching(
        r"\d+m|\d+(\.\d{1,3})?",
        "an amount of CPU",
        'write cores or thousandths, e.g. "2" or "250m"',
    ),
    _at_least(1, millicores_of, 'write at least "1m"'),
]
"""CPU in Kubernetes notation: cores or thousandths ("m")."""

Period = Annotated[
    str,
    _matching(r"\d+[smhdwy]", "a period", 'write a whole number and a unit (s, m, h, d, w, y), e.g. "30d"'),
    _at_least(1, seconds_of, 'write at least "1s"'),
]
"""A length of time in Prometheus notation, with a unit."""

CronSchedule = Annotated[str, AfterValidator(_check_schedule)]
"""Five cron fields, read in UTC."""

Cidr = Annotated[str, AfterValidator(_check_cidr)]
"""A network in CIDR notation, IPv4 or IPv6."""

HttpsOrigin = Annotated[
    str,
    _matching(
        r"https://[a-z0-9.-]+(:\d+)?",
        "an https origin",
        'write scheme and host, e.g. "https://app.company.com"; "*" would let any site act as its visitor',
    ),
]
"""One web origin that may call the API from a browser."""

ImageTag = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?",
        "an image tag",
        'write the tag of one build, e.g. "1.1.0", with or without "@sha256:..."',
    ),
]
"""A container image tag, optionally pinned to a digest."""

ImageRepository = Annotated[
    str,
    _matching(
        r"[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)*",
        "an image repository",
        'write registry and path without a tag, e.g. "registry.company.com/traversion"',
    ),
]
"""A container image repository without a tag."""
