"""A declared flow becomes the two permissions that Kubernetes asks for, and no third."""

from collections.abc import Sequence

import pytest

from tests.manifests import Manifest, find, names, synthesize_alone
from tests.reachability import AddressEnd, PodEnd, Policies
from traversion.platform import Platform
from traversion.platform.flows import INTERNET, Addresses, Endpoint, Pods

NAMESPACE = "traversion-alone"
INSTANCE = "traversion-alone"


def pod(name: str, role: str = "role") -> PodEnd:
    labels = {"name": name, "component": role, "instance": INSTANCE}
    return PodEnd(name, NAMESPACE, {f"app.kubernetes.io/{key}": value for key, value in labels.items()})


def policies(*flows: tuple[str | Endpoint, str | Endpoint, Sequence[int]]) -> list[Manifest]:
    def build(platform: Platform) -> None:
        def end(name: str | Endpoint) -> Endpoint:
            return platform.make_component(name, "role") if isinstance(name, str) else name

        for source, destination, ports in flows:
            platform.network.allow(end(source), end(destination), *ports, because="a test wants it")

    return synthesize_alone(build).manifests


def test_a_flow_is_granted_on_both_sides_one_way_on_its_ports() -> None:
    found = Policies.of(policies(("a", "b", [80, 81]), ("b", "c", [90])))
    a, b, c = pod("a"), pod("b"), pod("c")
    granted = found.connections([a, b, c, pod("a", "another role")], [80, 81, 82, 90])
    assert granted == {("a", "b", 80, "TCP"), ("a", "b", 81, "TCP"), ("b", "c", 90, "TCP")}


def test_two_flows_between_the_same_ends_make_one_rule() -> None:
    spec = find(policies(("a", "b", [80]), ("a", "b", [70])), "NetworkPolicy", "allow-b")["spec"]
    (rule,) = spec["ingress"]
    assert [port["port"] for port in rule["ports"]] == [70, 80]


def test_without_flows_there_is_only_the_denial() -> None:
    assert names(policies(), "NetworkPolicy") == {"default-deny"}


def test_callers_find_names_and_nobody_else_does() -> None:
    found = Policies.of(policies(("a", "b", [80])))
    dns = PodEnd("dns", "kube-system", {"k8s-app": "kube-dns"})
    assert found.connections([pod("a"), pod("b"), dns], [53]) == {
        ("a", "dns", 53, "UDP"),
        ("a", "dns", 53, "TCP"),
    }


def test_a_foreign_pod_is_met_in_its_namespace_only() -> None:
    guest = Pods("guest", {"app": "guest"}, "elsewhere")
    found = Policies.of(policies((guest, "b", [80])))
    assert found.permit(PodEnd("guest", "elsewhere", {"app": "guest"}), pod("b"), 80)
    for impostor in (PodEnd("x", NAMESPACE, {"app": "guest"}), PodEnd("x", "elsewhere", {"app": "other"})):
        assert not found.permit(impostor, pod("b"), 80)


@pytest.mark.parametrize(
    ("addresses", "reached", "not_reached"),
    [
        (
            INTERNET,
            ["8.8.8.8", "172.15.0.1", "192.169.0.1"],
            ["10.0.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1"],
        ),
        (Addresses("any", ("0.0.0.0/0",)), ["8.8.8.8", "10.0.0.1"], ["169.254.169.254", "168.63.129.16"]),
        (Addresses("one", ("192.0.2.1/32",)), ["192.0.2.1"], ["192.0.2.2"]),
        (Addresses("half", ("128.0.0.0/1",)), ["192.0.2.1"], ["169.254.169.254", "10.0.0.1"]),
        (Addresses("six", ("2001:db8::/32",)), ["2001:db8::1"], ["2001:db9::1", "192.0.2.1"]),
        # Naming the metadata service as the destination does not make it one.
        (Addresses("metadata network", ("169.254.0.0/16",)), [], ["169.254.169.254"]),
        (Addresses("metadata", ("169.254.169.254/32",)), [], ["169.254.169.254"]),
        (
            Addresses("all of both", ("0.0.0.0/0", "::/0")),
            ["2001:db8::1"],
            ["fd00:ec2::254", "169.254.169.254"],
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_addresses_never_include_a_metadata_service(
    addresses: Addresses, reached: list[str], not_reached: list[str]
) -> None:
    found = Policies.of(policies(("a", addresses, [443])))
    for address in reached:
        assert found.permit(pod("a"), AddressEnd(address), 443), address
        assert not found.permit(pod("a"), AddressEnd(address), 80), address
    for address in not_reached:
        assert not found.permit(pod("a"), AddressEnd(address), 443), address
