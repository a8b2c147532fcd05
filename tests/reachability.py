"""Who can reach whom, computed from NetworkPolicies alone, as the specification of Kubernetes tells it.

An address block is about addresses outside the cluster; pods are picked by labels.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from tests.manifests import Manifest, of_kind, selects, workloads


@dataclass(frozen=True)
class PodEnd:
    """A pod, as a policy sees it."""

    name: str
    namespace: str
    labels: Mapping[str, str] = field(hash=False, default_factory=dict[str, str])


@dataclass(frozen=True)
class AddressEnd:
    """An address outside the cluster."""

    address: str

    @property
    def name(self) -> str:
        """The address."""
        return self.address


End = PodEnd | AddressEnd
Connection = tuple[str, str, int, str]
"""Source, destination, port, protocol."""


def pods_of(manifests: Sequence[Manifest]) -> list[PodEnd]:
    """Return one pod for each workload."""
    return [
        PodEnd(each.component, each.manifest["metadata"]["namespace"], each.labels)
        for each in workloads(manifests)
    ]


_PEERS = {"ingress": "from", "egress": "to"}


@dataclass(frozen=True)
class Policies:
    """The NetworkPolicies of a set of manifests."""

    policies: Sequence[Manifest]

    @classmethod
    def of(cls, manifests: Sequence[Manifest]) -> "Policies":
        """Pick the policies."""
        return cls(of_kind(manifests, "NetworkPolicy"))

    def connections(self, ends: Iterable[End], ports: Iterable[int]) -> set[Connection]:
        """Return every connection between these ends, to these ports, that both sides permit."""
        ends, ports = list(ends), list(ports)
        return {
            (source.name, destination.name, port, protocol)
            for source in ends
            for destination in ends
            if source != destination
            for port in ports
            for protocol in ("TCP", "UDP")
            if self.permit(source, destination, port, protocol)
        }

    def permit(self, source: End, destination: End, port: int, protocol: str = "TCP") -> bool:
        """Say whether the source's egress and the destination's ingress permit it."""
        return self.consents("egress", source, destination, port, protocol) and self.consents(
            "ingress", destination, source, port, protocol
        )

    def consents(self, direction: str, end: End, other: End, port: int, protocol: str) -> bool:
        """Say whether one end permits it on its side, whatever the other end says."""
        if isinstance(end, AddressEnd):
            return True  # not ours to govern
        specs = list(self._about(end, direction))
        rules = [rule for spec in specs for rule in spec.get(direction, [])]
        return not specs or any(
            _has_port(rule, port, protocol) and _has_peer(rule.get(_PEERS[direction]), end, other)
            for rule in rules
        )

    def isolated(self, pod: PodEnd, direction: str) -> bool:
        """Say whether a pod is denied what no rule permits."""
        return any(True for _ in self._about(pod, direction))

    def _about(self, pod: PodEnd, direction: str) -> Iterator[Manifest]:
        for policy in self.policies:
            spec = policy["spec"]
            governed = direction.capitalize() in spec["policyTypes"]
            here = policy["metadata"]["namespace"] == pod.namespace
            if governed and here and selects(spec["podSelector"], pod.labels):
                yield spec


def _has_port(rule: Manifest, port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    if ports is None:
        return True
    assert all(isinstance(each["port"], int) and "endPort" not in each for each in ports), "teach the tests"
    return any(each["port"] == port and each.get("protocol", "TCP") == protocol for each in ports)


def _has_peer(peers: Sequence[Manifest] | None, end: PodEnd, other: End) -> bool:
    return peers is None or any(_is_peer(peer, end, other) for peer in peers)


def _is_peer(peer: Manifest, end: PodEnd, other: End) -> bool:
    if "ipBlock" in peer:
        return isinstance(other, AddressEnd) and _in_block(peer["ipBlock"], other.address)
    if isinstance(other, AddressEnd):
        return False
    if "namespaceSelector" in peer:
        # Every namespace bears its own name as a label.
        if not selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": other.namespace}):
            return False
    elif other.namespace != end.namespace:
        return False
    return selects(peer.get("podSelector", {}), other.labels)


def _in_block(block: Manifest, address: str) -> bool:
    inside = ip_address(address) in ip_network(block["cidr"])
    return inside and not any(ip_address(address) in ip_network(cidr) for cidr in block.get("except", []))
