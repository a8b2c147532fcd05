"""Who may talk to whom, by the NetworkPolicy specification alone.

The nodes are the pods of the set (one for each template), the pods outside it that `well_known` lists, and
the address blocks that policies name. A connection needs the consent of both ends. As the specification
says, an ipBlock is for addresses outside the cluster: it matches no pod here. Pods on the host's network are
under no policy and match no selector: they have their node's address.
"""

import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

from traversion.verify.graph import Graph, matches_selector
from traversion.verify.model import mapping
from traversion.verify.nodes import Node, nodes_of, order_of
from traversion.verify.policies import Block, Direction, Peer, Policy, Rule
from traversion.verify.ports import ALL, NONE, Ports
from traversion.verify.well_known import NAMESPACES


class Connection(NamedTuple):
    """What one node may open at another."""

    source: Node
    destination: Node
    ports: Ports


class Network:
    """The policies of a graph and the nodes they speak of. Each selector is evaluated once."""

    def __init__(self, graph: Graph) -> None:
        """Read the policies; connections are computed when asked for."""
        self.policies = [
            Policy(each) for each in graph.of_kind("NetworkPolicy") if each.group == "networking.k8s.io"
        ]
        self.namespaces = {name: dict(each.labels) for name, each in NAMESPACES.items()}
        self.namespaces = {
            name: labels | {"kubernetes.io/metadata.name": name} for name, labels in self.namespaces.items()
        } | {name: dict(labels) for name, labels in graph.namespaces.items()}
        self.own_namespaces = frozenset(graph.namespaces)
        self.nodes = nodes_of(graph, self.policies)
        self.on_host = [node for node in self.nodes if node.on_host]
        self._position = {node: index for index, node in enumerate(self.nodes)}
        self._blocks = [(order_of(node.block), node) for node in self.nodes if node.block]
        self._pods_in: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            if node.kind != "addresses" and not node.on_host:
                self._pods_in[node.namespace].append(node)
        self._selections: dict[tuple[str, str], frozenset[Node]] = {}
        self._namespace_selections: dict[str, Sequence[str]] = {}
        self._peers: dict[Peer, frozenset[Node]] = {}
        self._rules: dict[tuple[Direction, Node], list[Rule]] = defaultdict(list)
        self._restricted: dict[Direction, set[Node]] = {"ingress": set(), "egress": set()}
        for policy in self.policies:
            selected = self.selected(policy)
            for direction in policy.restricts:
                self._restricted[direction] |= selected
                for rule in policy.rules(direction):
                    for node in selected:
                        self._rules[direction, node].append(rule)

    @cached_property
    def own_pods(self) -> Mapping[str, Sequence[Node]]:
        """The pods of the set that policies can select, by namespace."""
        found: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            if node.kind == "pods" and not node.on_host:
                found[node.namespace].append(node)
        return found

    def selected(self, policy: Policy) -> frozenset[Node]:
        """Return the pods that a policy restricts."""
        return self._pods(policy.namespace, policy.selector)

    def restricted(self, node: Node, direction: Direction) -> bool:
        """Tell whether any policy selects the node in a direction."""
        return node in self._restricted[direction]

    def rules(self, direction: Direction, node: Node) -> Sequence[Rule]:
        """Return the rules of all policies that select a node."""
        return self._rules.get((direction, node), ())

    def matched(self, peer: Peer) -> frozenset[Node]:
        """Return the nodes that an entry of ``from`` or ``to`` means."""
        if peer not in self._peers:
            self._peers[peer] = self._match(peer)
        return self._peers[peer]

    def matched_namespaces(self, peer: Peer) -> Sequence[str]:
        """Return the namespaces that an entry means: its policy's own without a namespaceSelector."""
        selector = peer.data.get("namespaceSelector")
        if selector is None:
            return [peer.rule.policy.namespace]
        key = _key(selector)
        if key not in self._namespace_selections:
            self._namespace_selections[key] = [
                name
                for name, labels in self.namespaces.items()
                if matches_selector(mapping(selector), labels)
            ]
        return self._namespace_selections[key]

    def admits(self, rule: Rule, node: Node) -> bool:
        """Tell whether a rule speaks of a node at its other end."""
        return rule.peers is None or any(node in self.matched(peer) for peer in rule.peers)

    def allowed(self, source: Node, destination: Node) -> Ports:
        """Return what one node may open at another."""
        out = self._consent("egress", source, destination, destination)
        return out & self._consent("ingress", destination, source, destination) if out else out

    def connections(self) -> Iterator[Connection]:
        """Yield every connection that is possible and has a pod of the set at one end at least."""
        for source in self.nodes:
            for destination in self._candidates(source):
                if "pods" in (source.kind, destination.kind):
                    ports = self.allowed(source, destination)
                    if ports:
                        yield Connection(source, destination, ports)

    def _consent(self, direction: Direction, node: Node, other: Node, destination: Node) -> Ports:
        if node not in self._restricted[direction]:
            return ALL
        opened = [
            rule.at(destination.named_ports)
            for rule in self._rules[direction, node]
            if self.admits(rule, other)
        ]
        if len(opened) == 1:
            return opened[0]
        return Ports.of(each for ports in opened for each in ports.ranges) if opened else NONE

    def _candidates(self, source: Node) -> Sequence[Node]:
        """Return the nodes that may consent to a source, without looking at every pair."""
        if source.kind == "addresses":
            return [each for each in self._open_to(source) if each.kind == "pods"]
        if source not in self._restricted["egress"]:
            return self._open_to(source)
        reached: set[Node] = set()
        for rule in self._rules["egress", source]:
            reached |= self._reached(rule)
        return sorted(reached, key=self._position.__getitem__)

    def _open_to(self, source: Node) -> Sequence[Node]:
        invited = self._invitations.get(source, ())
        return [node for node in self.nodes if node not in self._restricted["ingress"] or node in invited]

    def _reached(self, rule: Rule) -> frozenset[Node]:
        if rule.peers is None:
            return frozenset(self.nodes)
        return frozenset().union(*(self.matched(peer) for peer in rule.peers))

    @cached_property
    def _invitations(self) -> Mapping[Node, set[Node]]:
        """For each source the restricted pods that some rule lets it reach."""
        found: dict[Node, set[Node]] = defaultdict(set)
        for policy in self.policies:
            selected = self.selected(policy)
            for rule in policy.rules("ingress"):
                for source in self._reached(rule) if selected else ():
                    found[source] |= selected
        return found

    def _match(self, peer: Peer) -> frozenset[Node]:
        if peer.block is not None:
            return self._addresses(peer, peer.block)
        pods = peer.data.get("podSelector")
        if pods is None and peer.data.get("namespaceSelector") is None:
            return frozenset()
        return frozenset().union(
            *(self._pods(namespace, mapping(pods)) for namespace in self.matched_namespaces(peer))
        )

    def _addresses(self, peer: Peer, block: Block) -> frozenset[Node]:
        key = ("", _key(peer.data.get("ipBlock")))
        if key not in self._selections:
            first = bisect_left(self._blocks, order_of(block), key=_position)
            last = bisect_right(
                self._blocks, (int(block.version), int(block.broadcast_address), 128), key=_position
            )
            inside = (node for _, node in self._blocks[first:last])
            self._selections[key] = frozenset(
                node for node in inside if node.block and peer.includes(node.block)
            )
        return self._selections[key]

    def _pods(self, namespace: str, selector: Mapping[str, object]) -> frozenset[Node]:
        key = (namespace, _key(selector))
        if key not in self._selections:
            self._selections[key] = frozenset(
                node for node in self._pods_in.get(namespace, ()) if matches_selector(selector, node.labels)
            )
        return self._selections[key]


_NETWORKS: WeakKeyDictionary[Graph, Network] = WeakKeyDictionary()


def network(graph: Graph) -> Network:
    """Return the network of a graph, made once."""
    if graph not in _NETWORKS:
        _NETWORKS[graph] = Network(graph)
    return _NETWORKS[graph]


def connections(graph: Graph) -> list[Connection]:
    """Return who may talk to whom on which ports, in the order of the objects."""
    return list(network(graph).connections())


def as_table(found: Sequence[Connection]) -> str:
    """Return connections as aligned columns."""
    rows = [("SOURCE", "DESTINATION", "PORTS")]
    rows += [(each.source.name, each.destination.name, str(each.ports)) for each in found]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{a:{widths[0]}}  {b:{widths[1]}}  {c}" for a, b, c in rows)


def as_json(found: Sequence[Connection]) -> str:
    """Return connections as a JSON list."""
    return json.dumps(
        [
            {
                "source": each.source.name,
                "destination": each.destination.name,
                "ports": [
                    {"protocol": protocol, "port": low, "endPort": high}
                    for protocol, low, high in each.ports.ranges
                ],
            }
            for each in found
        ],
        indent=2,
    )


def as_mermaid(found: Sequence[Connection]) -> str:
    """Return connections as a Mermaid flowchart, a box for each namespace."""
    nodes = list(dict.fromkeys(node for each in found for node in (each.source, each.destination)))
    numbers = {node: f"n{index}" for index, node in enumerate(nodes)}
    lines = ["flowchart LR"]
    for index, namespace in enumerate(dict.fromkeys(node.namespace for node in nodes)):
        inside = [f'{numbers[node]}["{_quoted(node.name)}"]' for node in nodes if node.namespace == namespace]
        if namespace:
            lines += [
                f'  subgraph s{index}["{_quoted(namespace)}"]',
                *(f"    {each}" for each in inside),
                "  end",
            ]
        else:
            lines += [f"  {each}" for each in inside]
    lines += [f'  {numbers[each.source]} -->|"{each.ports}"| {numbers[each.destination]}' for each in found]
    return "\n".join(lines)


def _position(block: tuple[tuple[int, int, int], Node]) -> tuple[int, int, int]:
    return block[0]


def _quoted(name: str) -> str:
    return name.replace('"', "&quot;")


FORMATS = {"table": as_table, "json": as_json, "mermaid": as_mermaid}
"""How connections can be printed."""


def _key(selector: object) -> str:
    return repr(selector)
