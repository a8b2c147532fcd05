"""NetworkPolicies as kubernetes.io/docs/concepts/services-networking/network-policies reads them.

Peers that are absent or an empty list mean everybody, ports that are absent or an empty list mean all;
without ``policyTypes`` a policy restricts ingress, and egress when it has egress rules.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal

from traversion.verify.model import Resource, items, mapping, number, path_of, text
from traversion.verify.ports import ALL, LAST, PROTOCOLS, Ports

Direction = Literal["ingress", "egress"]
Block = IPv4Network | IPv6Network

DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")
METADATA = (ip_network("169.254.169.254/32"), ip_network("fd00:ec2::254/128"))
"""Where clouds hand credentials to any process of a node: IPv4 everywhere, IPv6 on EC2."""


@dataclass(frozen=True, eq=False)
class Peer:
    """One entry of ``from`` or ``to``."""

    rule: "Rule"
    index: int
    data: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Where it stands in the policy."""
        return f"{self.rule.path}.{'from' if self.rule.direction == 'ingress' else 'to'}[{self.index}]"

    @cached_property
    def block(self) -> Block | None:
        """The addresses of an ipBlock, its exceptions not yet taken off."""
        return parsed_block(mapping(self.data.get("ipBlock")).get("cidr"))

    @cached_property
    def exceptions(self) -> Sequence[Block]:
        """The exceptions of an ipBlock."""
        listed = items(mapping(self.data.get("ipBlock")).get("except"))
        return [block for each in listed if (block := parsed_block(each))]

    def includes(self, address: Block) -> bool:
        """Tell whether an ipBlock lets a whole range of addresses in."""
        return bool(self.block and within(address, self.block)) and not any(
            within(address, each) for each in self.exceptions
        )

    @property
    def is_world(self) -> bool:
        """Whether it is every address of a family."""
        return self.block is not None and self.block.prefixlen == 0


@dataclass(frozen=True, eq=False)
class Rule:
    """One entry of ``ingress`` or ``egress``."""

    policy: "Policy"
    direction: Direction
    index: int
    data: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Where it stands in the policy."""
        return path_of("spec", self.direction, self.index)

    @cached_property
    def peers(self) -> Sequence[Peer] | None:
        """Who is let in or reached; None for everybody."""
        listed = items(self.data.get("from" if self.direction == "ingress" else "to"))
        return [Peer(self, index, mapping(each)) for index, each in enumerate(listed)] or None

    @cached_property
    def numbered(self) -> Ports:
        """The ports that are given as numbers, or all."""
        listed = items(self.data.get("ports"))
        return Ports.of(each for port in listed for each in _ranges(mapping(port))) if listed else ALL

    @cached_property
    def named(self) -> Sequence[tuple[str, str]]:
        """Protocol and name of the ports that are given by name; each destination resolves them itself."""
        return [
            (text(port.get("protocol")) or "TCP", name)
            for port in map(mapping, items(self.data.get("ports")))
            if (name := text(port.get("port")))
        ]

    def at(self, named_ports: Mapping[tuple[str, str], Sequence[int]]) -> Ports:
        """Return the ports that the rule opens at a destination with these ports, by protocol and name."""
        if not self.named:
            return self.numbered
        resolved = [
            (protocol, port, port)
            for protocol, name in self.named
            for port in named_ports.get((protocol, name), ())
        ]
        return Ports.of([*self.numbered.ranges, *resolved])


@dataclass(frozen=True, eq=False)
class Policy:
    """One NetworkPolicy."""

    resource: Resource

    @property
    def namespace(self) -> str:
        """The namespace whose pods it selects."""
        return self.resource.namespace

    @cached_property
    def selector(self) -> Mapping[str, Any]:
        """The pods it restricts; an empty selector means all of the namespace."""
        return mapping(self.resource.spec.get("podSelector"))

    @cached_property
    def restricts(self) -> frozenset[Direction]:
        """The directions in which its pods are denied what no rule allows."""
        types = items(self.resource.spec.get("policyTypes"))
        if not types:
            return frozenset(DIRECTIONS if self._written("egress") else ("ingress",))
        return frozenset(each for each in DIRECTIONS if each.capitalize() in types)

    def rules(self, direction: Direction) -> Sequence[Rule]:
        """Return the rules that are in force."""
        return self._written(direction) if direction in self.restricts else []

    def without_effect(self) -> Iterator[Rule]:
        """Yield rules of directions that the policy does not restrict."""
        for direction in DIRECTIONS:
            if direction not in self.restricts:
                yield from self._written(direction)

    @cached_property
    def _all(self) -> Mapping[Direction, Sequence[Rule]]:
        return {
            direction: [
                Rule(self, direction, index, mapping(data))
                for index, data in enumerate(items(self.resource.spec.get(direction)))
            ]
            for direction in DIRECTIONS
        }

    def _written(self, direction: Direction) -> Sequence[Rule]:
        return self._all[direction]


def parsed_block(value: object) -> Block | None:
    """Return a range of addresses; None for what is none. Bits behind the prefix are cut."""
    try:
        return ip_network(text(value), strict=False) if "/" in text(value) else None
    except ValueError:
        return None


def within(inner: Block, outer: Block) -> bool:
    """Tell whether a range lies in another of the same family."""
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _ranges(port: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    protocol = port.get("protocol") or "TCP"
    if protocol not in PROTOCOLS or isinstance(port.get("port"), str):
        return
    if port.get("port") is None:
        yield protocol, 1, LAST
    elif (low := number(port.get("port"))) is not None:
        high = number(port.get("endPort"))
        yield protocol, max(low, 1), min(low if high is None else high, LAST)
