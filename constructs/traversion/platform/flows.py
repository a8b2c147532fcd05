"""Who may talk to whom. Constructs declare flows; the network policies follow, and nothing else passes.

A flow needs two permissions in Kubernetes: egress where it starts and ingress where it ends. Both are
written from the one declaration, beside a policy that denies everything undeclared.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cdk8s_plus_27 import k8s
from constructs import Construct

from traversion.platform.component import Component
from traversion.platform.notation import int_or_string
from traversion.values import within

_METADATA_SERVICES = (
    "169.254.0.0/16",  # Link-local: the instance metadata address of AWS, Azure and Google Cloud.
    "168.63.129.16/32",  # Azure's wire server.
    "100.100.100.200/32",  # Alibaba Cloud.
    "fe80::/10",
    "fd00:ec2::/32",  # AWS, by IPv6.
)
_NOT_INTERNET = (
    *_METADATA_SERVICES,
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
)


@dataclass(frozen=True)
class Pods:
    """Pods that are not a component of ours: in another namespace, or made here by a controller."""

    name: str
    labels: Mapping[str, str]
    namespace: str | None = None
    """None: the environment's own namespace."""


@dataclass(frozen=True)
class Addresses:
    """Networks outside the pod network, never including a metadata service."""

    name: str
    cidrs: Sequence[str]
    exceptions: Sequence[str] = _METADATA_SERVICES
    by_name: bool = False
    """Whether clients look the address up in DNS."""


INTERNET = Addresses("internet", ("0.0.0.0/0",), _NOT_INTERNET, by_name=True)


def outside(name: str, cidrs: Sequence[str]) -> Addresses:
    """Return these networks, or the Internet where none is given."""
    return Addresses(name, cidrs, by_name=True) if cidrs else INTERNET


ACME_SOLVER = Pods("acme-http01-solver", {"acme.cert-manager.io/http01-solver": "true"})
KUBE_DNS = Pods("kube-dns", {"k8s-app": "kube-dns"}, "kube-system")

Endpoint: TypeAlias = Component | Pods | Addresses


@dataclass(frozen=True)
class Flow:
    """``source`` opens connections to ``ports`` of ``destination``, because of ``reason``."""

    source: Endpoint
    destination: Endpoint
    ports: tuple[int, ...]
    reason: str
    protocols: tuple[str, ...] = ("TCP",)


class Network:
    """The declared flows of one environment."""

    def __init__(self, namespace_component: Component, dns_cidrs: Sequence[str]) -> None:
        """Start with nothing allowed."""
        self._namespace = namespace_component
        self._dns: list[Endpoint] = [KUBE_DNS]
        if dns_cidrs:
            # Seen as an address or, by network plug-ins that redirect to it, as the cache's pods.
            self._dns.append(Addresses("node-local-dns", dns_cidrs, exceptions=()))
            self._dns.append(Pods("node-local-dns-pods", {"k8s-app": "node-local-dns"}, "kube-system"))
        self._declared: list[Flow] = []

    def allow(
        self, source: Endpoint, destination: Endpoint, *ports: int, because: str, udp: bool = False
    ) -> None:
        """Declare that ``source`` calls ``destination`` on these TCP ports, or by UDP as well."""
        protocols = ("UDP", "TCP") if udp else ("TCP",)
        self._declared.append(Flow(source, destination, ports, because, protocols))

    @property
    def flows(self) -> list[Flow]:
        """Every declared flow, and the name look-ups that they need."""
        callers = dict.fromkeys(flow.source.name for flow in self._declared if _resolves_names(flow))
        sources = {flow.source.name: flow.source for flow in self._declared}
        lookups = [
            Flow(sources[caller], dns, (53,), "look up names", ("UDP", "TCP"))
            for caller in callers
            for dns in self._dns
        ]
        return self._declared + lookups

    def write_policies(self, scope: Construct) -> None:
        """Create the default denial and one policy for each component with a flow."""
        k8s.KubeNetworkPolicy(
            scope,
            "default-deny",
            metadata=self._namespace.metadata("default-deny"),
            spec=k8s.NetworkPolicySpec(pod_selector=k8s.LabelSelector(), policy_types=["Ingress", "Egress"]),
        )
        flows = self.flows
        ends = {end.name: end for flow in flows for end in (flow.destination, flow.source)}
        for name, end in sorted(ends.items()):
            if _is_local(end):
                self._write_policy(scope, name, end, flows)

    def _write_policy(self, scope: Construct, name: str, end: Endpoint, flows: list[Flow]) -> None:
        incoming = [flow for flow in flows if flow.destination.name == name]
        outgoing = [flow for flow in flows if flow.source.name == name]
        k8s.KubeNetworkPolicy(
            scope,
            f"allow-{name}",
            metadata=(end if isinstance(end, Component) else self._namespace).metadata(f"allow-{name}"),
            spec=k8s.NetworkPolicySpec(
                pod_selector=k8s.LabelSelector(match_labels=_pod_labels(end)),
                policy_types=["Ingress", "Egress"],
                ingress=[
                    k8s.NetworkPolicyIngressRule(from_=_peers(peer), ports=_ports(flows))
                    for peer, flows in _by_peer((flow.source, flow) for flow in incoming)
                ]
                or None,
                egress=[
                    k8s.NetworkPolicyEgressRule(to=_peers(peer), ports=_ports(flows))
                    for peer, flows in _by_peer((flow.destination, flow) for flow in outgoing)
                ]
                or None,
            ),
        )


def admit(scope: Construct, source: Component, destination: Component, port: int) -> None:
    """Create a policy that lets ``source`` in, for a destination whose own policy is not to be touched."""
    k8s.KubeNetworkPolicy(
        scope,
        f"admit-{source.name}",
        metadata=source.metadata(f"admit-{source.name}"),
        spec=k8s.NetworkPolicySpec(
            pod_selector=k8s.LabelSelector(match_labels=destination.selector),
            policy_types=["Ingress"],
            ingress=[
                k8s.NetworkPolicyIngressRule(
                    from_=_peers(source),
                    ports=[k8s.NetworkPolicyPort(port=int_or_string(port), protocol="TCP")],
                )
            ],
        ),
    )


def _is_local(end: Endpoint) -> bool:
    return isinstance(end, Component) or (isinstance(end, Pods) and end.namespace is None)


def _resolves_names(flow: Flow) -> bool:
    if isinstance(flow.destination, Addresses):
        return flow.destination.by_name
    return _is_local(flow.source)


def _pod_labels(end: Endpoint) -> dict[str, str]:
    if isinstance(end, Component):
        return end.selector
    if isinstance(end, Pods):
        return dict(end.labels)
    message = f"{end.name} are addresses, not pods"
    raise TypeError(message)


def _peers(end: Endpoint) -> list[k8s.NetworkPolicyPeer]:
    if isinstance(end, Addresses):
        return [
            k8s.NetworkPolicyPeer(ip_block=k8s.IpBlock(cidr=cidr, except_=exceptions or None))
            for cidr, exceptions in _blocks(end)
        ]
    namespace = end.namespace if isinstance(end, Pods) else None
    return [
        k8s.NetworkPolicyPeer(
            pod_selector=k8s.LabelSelector(match_labels=_pod_labels(end)),
            namespace_selector=k8s.LabelSelector(match_labels={"kubernetes.io/metadata.name": namespace})
            if namespace
            else None,
        )
    ]


def _blocks(addresses: Addresses) -> list[tuple[str, list[str]]]:
    """Return each network with the exceptions inside it; leave out one that is itself an exception."""
    return [
        (cidr, [exception for exception in addresses.exceptions if within(exception, cidr)])
        for cidr in addresses.cidrs
        if not any(within(cidr, exception) for exception in addresses.exceptions)
    ]


def _by_peer(flows: Iterable[tuple[Endpoint, Flow]]) -> list[tuple[Endpoint, list[Flow]]]:
    """Gather the flows with one peer: they make one rule. A rule without a peer would admit everyone."""
    gathered: dict[str, tuple[Endpoint, list[Flow]]] = {}
    for peer, flow in flows:
        if isinstance(peer, Addresses) and not _blocks(peer):
            continue
        gathered.setdefault(peer.name, (peer, []))[1].append(flow)
    return list(gathered.values())


def _ports(flows: Iterable[Flow]) -> list[k8s.NetworkPolicyPort]:
    ports = {(port, protocol) for flow in flows for port in flow.ports for protocol in flow.protocols}
    return [
        k8s.NetworkPolicyPort(port=int_or_string(port), protocol=protocol) for port, protocol in sorted(ports)
    ]
