"""The ends of connections: pods of the set, well-known pods outside it, and blocks of addresses."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv6Network, ip_network
from typing import Literal

from traversion.verify.graph import Graph
from traversion.verify.model import Container, PodTemplate, dig, items, number, text
from traversion.verify.policies import METADATA, Block, Policy, within
from traversion.verify.well_known import PODS, SOLVER_LABEL, SOLVER_PORT, OutsidePods

_WORLD: Block = ip_network("0.0.0.0/0")
_NAMES: Mapping[Block, str] = {
    _WORLD: "internet",
    ip_network("::/0"): "internet (IPv6)",
    METADATA[0]: "metadata",
    METADATA[1]: "metadata (IPv6)",
}


@dataclass(frozen=True, eq=False)
class Node:
    """One end of connections."""

    name: str
    kind: Literal["pods", "outside", "addresses"]
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[tuple[str, str, int]] = ()
    """Name (may be empty), protocol and number of each port that the containers declare."""
    pods: PodTemplate | None = None
    block: Block | None = None
    on_host: bool = False

    @cached_property
    def named_ports(self) -> Mapping[tuple[str, str], Sequence[int]]:
        """The numbers by protocol and name."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for name, protocol, port in self.ports:
            if name:
                found[protocol, name].append(port)
        return found


def nodes_of(graph: Graph, policies: Sequence[Policy]) -> list[Node]:
    """Return every node that a graph and its policies know of."""
    return [*_own_pods(graph), *_outside_pods(graph, policies), *_blocks(policies)]


def order_of(block: Block) -> tuple[int, int, int]:
    """Sort blocks so that those inside another follow it at once."""
    return block.version, int(block.network_address), block.prefixlen


def _own_pods(graph: Graph) -> Iterator[Node]:
    for pods in graph.pod_templates:
        yield Node(
            name=pods.owner.reference,
            kind="pods",
            namespace=pods.namespace,
            labels=pods.labels,
            ports=[port for container in pods.containers for port in _open_ports(container)],
            pods=pods,
            on_host=pods.spec.get("hostNetwork") is True,
        )


def _open_ports(container: Container) -> Iterator[tuple[str, str, int]]:
    if container.is_init and not container.is_sidecar:
        return
    for each in items(container.data.get("ports")):
        port = number(dig(each, "containerPort"))
        if port is not None:
            yield text(dig(each, "name")), text(dig(each, "protocol")) or "TCP", port


def _outside_pods(graph: Graph, policies: Sequence[Policy]) -> Iterator[Node]:
    """Yield the well-known pods, but none in a namespace whose real pods the set shows."""
    shown = {pods.namespace for pods in graph.pod_templates}
    outside = [each for each in PODS if each.namespace not in shown]
    solved = {each.namespace for each in policies if SOLVER_LABEL in repr(each.selector)}
    outside += [
        OutsidePods("acme-solver", each, {SOLVER_LABEL: "true"}, (SOLVER_PORT,)) for each in sorted(solved)
    ]
    for each in outside:
        yield Node(f"{each.namespace}/{each.name}", "outside", each.namespace, each.labels, each.ports)


def _blocks(policies: Sequence[Policy]) -> Iterator[Node]:
    """Yield a node for each block that policies name; it stands for its addresses that no smaller one has.

    So the blocks are apart, and each is wholly inside or outside any ipBlock and any exception.
    """
    blocks = sorted(_named_blocks(policies), key=order_of)
    left = {block: block.num_addresses for block in blocks}
    around: list[Block] = []
    for block in blocks:
        while around and not within(block, around[-1]):
            around.pop()
        if around:
            left[around[-1]] -= block.num_addresses
        around.append(block)
    for block in blocks:
        if left[block]:
            yield Node(_NAMES.get(block, str(block)), "addresses", block=block)


def _named_blocks(policies: Sequence[Policy]) -> set[Block]:
    peers = [
        peer
        for policy in policies
        for direction in policy.restricts
        for rule in policy.rules(direction)
        for peer in rule.peers or ()
    ]
    named = {block for peer in peers for block in (peer.block, *peer.exceptions) if block}
    six = any(isinstance(block, IPv6Network) for block in named)
    return named | {_WORLD, METADATA[0]} | ({METADATA[1]} if six else set())
