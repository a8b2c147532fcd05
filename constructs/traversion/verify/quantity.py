"""Quantities as the API server reads them: 250m, 1.5Gi, 2e3."""

import re
from decimal import Decimal
from math import isfinite

# k8s.io/apimachinery/pkg/api/resource/quantity.go: a signed number and a suffix, nothing else.
_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d{1,2}))?")
_UNITS = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}
# Nothing in a cluster is larger; beyond it stands an accident, which must not become arithmetic.
_LARGEST = Decimal(10) ** 30
_LONGEST = 40


def quantity(value: object) -> Decimal | None:
    """Return the amount; None for what is no quantity. YAML numbers are quantities too."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int | float):
        # A Decimal cannot be compared with nan.
        finite = isinstance(value, int) or isfinite(value)
        return Decimal(str(value)) if finite and abs(value) < _LARGEST else None
    match = _FORM.fullmatch(value) if len(value) <= _LONGEST else None
    if match is None:
        return None
    number, unit, exponent = match.groups()
    amount = Decimal(number) * (_UNITS[unit] if unit else Decimal(1)) * Decimal(10) ** int(exponent or 0)
    return amount if abs(amount) < _LARGEST else None


def shown(amount: Decimal, resource: str) -> str:
    """Write an amount as people do: memory and storage in binary units, CPU in thousandths."""
    if resource.endswith(("memory", "storage")):
        for unit in ("Ti", "Gi", "Mi", "Ki"):
            if abs(amount) >= _UNITS[unit]:
                return f"{_plain(amount / _UNITS[unit])}{unit}"
        return _plain(amount)
    if 0 < abs(amount) < 1 and resource.endswith("cpu"):
        return f"{_plain(amount * 1000)}m"
    return _plain(amount)


def brief(value: object) -> str:
    """Show a value of any type in a message."""
    try:
        return repr(value)[:40]
    except ValueError:  # a number of more digits than Python writes
        return "a huge number"


def _plain(amount: Decimal) -> str:
    return f"{amount:.2f}".rstrip("0").rstrip(".")
