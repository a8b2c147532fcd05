"""NetworkPolicies as rules of nftables, by the words of their specification.

What it says, and this follows: a pod that no policy of a direction selects is open in that direction; one
that some select is closed but for what any of their rules grants. A connection needs the consent of both
ends, its answers need none. An ``ipBlock`` is about addresses outside the cluster. There implementations
differ: some let it mean pods too, which ``blocks_mean_pods`` imitates. What a node does with its own pods,
such as probing them, no policy may hinder, so nodes are left out. IPv4 only.

Nothing is shared with `traversion.verify` nor with `Policies` of the tests, so this can contradict both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_network

from tests.manifests import Manifest, of_kind
from tests.reachability import PodEnd


@dataclass(frozen=True, kw_only=True)
class PodHost(PodEnd):
    """A pod with an address."""

    address: str
    ports: Mapping[str, tuple[int, str]] = field(hash=False, default_factory=dict[str, tuple[int, str]])
    """Port and protocol, by the port's name."""


@dataclass(frozen=True)
class Direction:
    """The half of a connection that is somebody's to permit."""

    kind: str
    rules: str
    peers: str
    own: str
    other: str


DIRECTIONS = (
    Direction("Egress", "egress", "to", "ip saddr", "ip daddr"),
    Direction("Ingress", "ingress", "from", "ip daddr", "ip saddr"),
)


@dataclass(frozen=True)
class Firewall:
    """What a router between all pods permits."""

    manifests: Sequence[Manifest]
    """NetworkPolicies, and Namespaces with their labels; other objects are of no interest."""
    pods: Sequence[PodHost]
    blocks_mean_pods: bool = False

    def rules(self) -> list[str]:
        """Return the lines of a table for ``nft -f``."""
        chains = {
            direction: {
                pod: self._grants(direction, pod, restricting)
                for pod in self.pods
                if (restricting := [each for each in self._policies() if _restricts(each, direction, pod)])
            }
            for direction in DIRECTIONS
        }
        return [
            "table ip policies {",
            f"set pods {{ type ipv4_addr; elements = {_set(pod.address for pod in self.pods)}; }}",
            *(
                line
                for direction in DIRECTIONS
                for chain in chains[direction].items()
                for line in _chain(direction, *chain)
            ),
            "chain forward {",
            "type filter hook forward priority filter; policy accept;",
            "ct state established,related accept",
            *(_dispatch(direction, chains[direction]) for direction in DIRECTIONS),
            "}",
            "}",
        ]

    def _policies(self) -> list[Manifest]:
        return of_kind(self.manifests, "NetworkPolicy")

    def _grants(self, direction: Direction, pod: PodHost, policies: Iterable[Manifest]) -> list[str]:
        return [
            grant
            for policy in policies
            for rule in policy["spec"].get(direction.rules) or ()
            for peer in rule.get(direction.peers) or (None,)
            for port in rule.get("ports") or (None,)
            for grant in self._grant(direction, pod, peer, port)
        ]

    def _grant(
        self, direction: Direction, pod: PodHost, peer: Manifest | None, port: Manifest | None
    ) -> Iterator[str]:
        """Yield matches of nftables: together they are what one peer may do on one port."""
        who = self._who(direction, pod, peer)
        if who is None:
            return
        if port and isinstance(port.get("port"), str):
            # Whoever is called gives its ports their names.
            for called in [pod] if direction.kind == "Ingress" else self._picked(peer, pod.namespace):
                if number := _number(called, port):
                    yield f"{who} ip daddr {called.address} {_open({**port, 'port': number})}"
        else:
            yield f"{who} {_open(port)}"

    def _who(self, direction: Direction, pod: PodHost, peer: Manifest | None) -> str | None:
        """Return a match for the other side; None if nobody is meant."""
        if peer is None:
            return ""
        if "ipBlock" in peer:
            return self._block(direction, peer["ipBlock"])
        picked = self._picked(peer, pod.namespace)
        return f"{direction.other} {_set(each.address for each in picked)}" if picked else None

    def _block(self, direction: Direction, block: Manifest) -> str | None:
        # Only IPv4 is spoken here.
        if not isinstance(ip_network(block["cidr"]), IPv4Network):
            return None
        outside = [] if self.blocks_mean_pods else ["!= @pods"]
        exceptions = [f"!= {cidr}" for cidr in block.get("except") or ()]
        return " ".join(f"{direction.other} {each}" for each in (block["cidr"], *exceptions, *outside))

    def _picked(self, peer: Manifest | None, namespace: str) -> list[PodHost]:
        if peer is None:
            return list(self.pods)
        pods, namespaces = peer.get("podSelector"), peer.get("namespaceSelector")
        if pods is None and namespaces is None:
            return []
        return [
            pod
            for pod in self.pods
            if (
                pod.namespace == namespace
                if namespaces is None
                else _selects(namespaces, self._namespace_labels(pod.namespace))
            )
            and _selects(pods or {}, pod.labels)
        ]

    def _namespace_labels(self, name: str) -> dict[str, str]:
        given = (
            each["metadata"].get("labels", {})
            for each in of_kind(self.manifests, "Namespace")
            if each["metadata"]["name"] == name
        )
        return {**next(given, {}), "kubernetes.io/metadata.name": name}


def _restricts(policy: Manifest, direction: Direction, pod: PodHost) -> bool:
    spec = policy["spec"]
    # Without a choice a policy is about what comes in, and about what goes out if it has rules for that.
    kinds = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return (
        direction.kind in kinds
        and policy["metadata"]["namespace"] == pod.namespace
        and _selects(spec["podSelector"], pod.labels)
    )


def _selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        _meets(labels, each["key"], each["operator"], each.get("values", ()))
        for each in selector.get("matchExpressions", ())
    )


def _meets(labels: Mapping[str, str], key: str, operator: str, values: Sequence[str]) -> bool:
    match operator:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            raise ValueError(operator)


def _number(pod: PodHost, port: Manifest) -> int | None:
    number, protocol = pod.ports.get(port["port"], (None, None))
    return number if protocol == port.get("protocol", "TCP") else None


def _open(port: Manifest | None) -> str:
    if port is None:
        return ""
    protocol = port.get("protocol", "TCP").lower()
    if "port" not in port:
        return f"meta l4proto {protocol}"
    first, last = port["port"], port.get("endPort", port["port"])
    return f"{protocol} dport {first if first == last else f'{first}-{last}'}"


def _chain(direction: Direction, pod: PodHost, grants: Iterable[str]) -> list[str]:
    return [
        f"chain {_name(direction, pod)} {{",
        *(f"{grant} return" for grant in grants),
        # A cluster drops what it refuses. Here the caller is told, and nobody waits for a time-out.
        "meta l4proto tcp reject with tcp reset",
        "reject with icmp admin-prohibited",
        "}",
    ]


def _dispatch(direction: Direction, pods: Iterable[PodHost]) -> str:
    jumps = [f"{pod.address} : jump {_name(direction, pod)}" for pod in pods]
    return f"{direction.own} vmap {_set(jumps)}" if jumps else ""


def _name(direction: Direction, pod: PodHost) -> str:
    return f"{direction.rules}_{pod.address.replace('.', '_')}"


def _set(elements: Iterable[str]) -> str:
    return f"{{ {', '.join(elements)} }}"
