"""What declared flows mean between given pods and addresses."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address, ip_network

from tests.reachability import AddressEnd, Connection, End, PodEnd
from traversion.platform.component import Component
from traversion.platform.flows import Addresses, Endpoint, Flow, Pods


def declared(flows: Iterable[Flow], ends: Sequence[End], namespace: str) -> set[Connection]:
    """Return every connection between these ends that a flow of the namespace allows."""
    return {
        (source, destination, port, protocol)
        for flow in flows
        for source in met(flow.source, ends, namespace)
        for destination in met(flow.destination, ends, namespace)
        for port in flow.ports
        for protocol in flow.protocols
        if source != destination
    }


def met(end: Endpoint, ends: Iterable[End], namespace: str) -> list[str]:
    """Name the ends that a declared endpoint means."""
    if isinstance(end, Addresses):
        return [
            each.name
            for each in ends
            if isinstance(each, AddressEnd)
            and contains(end.cidrs, each.address)
            and not contains(end.exceptions, each.address)
        ]
    home = end.namespace or namespace
    labels = end.labels if isinstance(end, Pods) else identity(end)
    return [
        each.name
        for each in ends
        if isinstance(each, PodEnd) and each.namespace == home and labels.items() <= each.labels.items()
    ]


def identity(component: Component) -> dict[str, str]:
    """Return the labels that tell a component's pods from all others."""
    return {
        "app.kubernetes.io/name": component.name,
        "app.kubernetes.io/component": component.role,
        "app.kubernetes.io/instance": component.instance,
    }


def contains(cidrs: Iterable[str], address: str) -> bool:
    """Say whether one of the networks holds the address."""
    return any(ip_address(address) in ip_network(cidr) for cidr in cidrs)
