"""Sets of ports: what a NetworkPolicy allows, exactly, whatever its ranges."""

from collections.abc import Iterable
from dataclasses import dataclass

PROTOCOLS = ("TCP", "UDP", "SCTP")
LAST = 65535


@dataclass(frozen=True)
class Ports:
    """Ranges of ports by protocol: sorted, apart from each other, both ends included."""

    ranges: tuple[tuple[str, int, int], ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[tuple[str, int, int]]) -> "Ports":
        """Join ranges that touch."""
        joined: list[tuple[str, int, int]] = []
        for protocol, low, high in sorted(ranges):
            if joined and joined[-1][0] == protocol and low <= joined[-1][2] + 1:
                joined[-1] = (protocol, joined[-1][1], max(joined[-1][2], high))
            elif low <= high:
                joined.append((protocol, low, high))
        return cls(tuple(joined))

    def __bool__(self) -> bool:
        return bool(self.ranges)

    @property
    def is_wide(self) -> bool:
        """Whether it has every port of a protocol."""
        return any((low, high) == (1, LAST) for _, low, high in self.ranges)

    def __and__(self, other: "Ports") -> "Ports":
        if self is ALL or self == other:
            return other
        if other is ALL:
            return self
        return Ports.of(
            (protocol, max(low, from_), min(high, to))
            for protocol, low, high in self.ranges
            for other_protocol, from_, to in other.ranges
            if protocol == other_protocol and max(low, from_) <= min(high, to)
        )

    def __contains__(self, port: tuple[str, int]) -> bool:
        return any(protocol == port[0] and low <= port[1] <= high for protocol, low, high in self.ranges)

    def __str__(self) -> str:
        if self == ALL:
            return "all"
        return ", ".join(
            f"{protocol} {'all' if (low, high) == (1, LAST) else low if low == high else f'{low}-{high}'}"
            for protocol, low, high in self.ranges
        )


ALL = Ports.of((protocol, 1, LAST) for protocol in PROTOCOLS)
NONE = Ports()
