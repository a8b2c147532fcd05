"""Nothing reaches anything that was not declared, and what was declared gets through."""

from collections.abc import Callable, Mapping
from ipaddress import ip_network
from itertools import product

import pytest

from tests.declared import declared
from tests.manifests import Manifest, Synthesis, find, workloads
from tests.reachability import AddressEnd, End, PodEnd, Policies, pods_of
from traversion.platform.flows import Addresses

ENVIRONMENTS = ("dev", "production", "staging")
SYNTHESES = (
    *ENVIRONMENTS,
    "upstream",
    "generic",
    "aks",
    "nginx-oidc",
    "gateway-traefik",
    "gateway-envoy",
    "gateway-elsewhere",
)

INTERNET, NODE, METADATA = "93.184.216.34", "10.0.0.7", "169.254.169.254"
ADDRESSES = [
    AddressEnd(address)
    for address in (
        INTERNET,
        NODE,
        METADATA,
        "10.128.0.7",
        "169.254.20.10",
        "168.63.129.16",
        "100.100.100.200",
        "100.64.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "192.0.2.10",
        "35.191.0.7",  # a load balancer of Google Cloud
        "10.20.0.5",  # an identity provider
    )
]
FORBIDDEN = (22, 25, 53, 80)
STRANGERS = [
    PodEnd("kube-dns", "kube-system", {"k8s-app": "kube-dns"}),
    PodEnd("konnectivity-agent", "kube-system", {"k8s-app": "konnectivity-agent"}),
    PodEnd(
        "ingress-nginx",
        "ingress-nginx",
        {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"},
    ),
    PodEnd("nginx-of-another-name", "ingress", {"app": "nginx"}),
    PodEnd("traefik", "traefik", {"app.kubernetes.io/name": "traefik"}),
    PodEnd(
        "envoy",
        "envoy-gateway-system",
        {"app.kubernetes.io/name": "envoy", "app.kubernetes.io/component": "proxy"},
    ),
    PodEnd("envoy-gateway", "envoy-gateway-system", {"app.kubernetes.io/name": "gateway-helm"}),
    PodEnd("kube-dns-elsewhere", "somewhere", {"k8s-app": "kube-dns"}),
    PodEnd("controller-elsewhere", "somewhere", {"app.kubernetes.io/name": "ingress-nginx"}),
    PodEnd("stranger", "somewhere"),
]


@pytest.fixture(scope="session", params=SYNTHESES)
def synthesis(
    request: pytest.FixtureRequest,
    syntheses: Mapping[str, Synthesis],
    variants: Callable[[str], Synthesis],
) -> Synthesis:
    name: str = request.param
    return syntheses.get(name) or variants(name)


def ends_of(synthesis: Synthesis) -> list[End]:
    """Every pod and address that a test asks about, strangers in the same namespace included."""
    namespace = synthesis.platform.namespace
    solver = PodEnd("acme-http01-solver", namespace, {"acme.cert-manager.io/http01-solver": "true"})
    return [
        *pods_of(synthesis.manifests),
        solver,
        PodEnd("unlabelled", namespace),
        PodEnd("impostor", namespace, {"app.kubernetes.io/name": "traversion"}),
        *STRANGERS,
        *ADDRESSES,
    ]


def ports_of(synthesis: Synthesis) -> set[int]:
    """Every port that a container opens, or a flow or a policy is about, and those that must stay shut."""
    opened = {port for each in workloads(synthesis.manifests) for port in each.ports.values()}
    return (
        opened
        | {port for flow in synthesis.platform.network.flows for port in flow.ports}
        | {port["port"] for rule in rules_of(synthesis) for port in rule["ports"]}
        | {*FORBIDDEN, 443}
    )


def rules_of(synthesis: Synthesis) -> list[Manifest]:
    return [
        rule
        for policy in Policies.of(synthesis.manifests).policies
        for direction in ("ingress", "egress")
        for rule in policy["spec"].get(direction, ())
    ]


def edges_of(synthesis: Synthesis) -> list[AddressEnd]:
    """The first and the last address of every network that a flow or a policy names, and their neighbours."""
    blocks = [
        peer["ipBlock"]
        for rule in rules_of(synthesis)
        for peer in (*rule.get("from", ()), *rule.get("to", ()))
        if "ipBlock" in peer
    ]
    named = {cidr for block in blocks for cidr in (block["cidr"], *block.get("except", ()))} | {
        cidr
        for flow in synthesis.platform.network.flows
        for end in (flow.source, flow.destination)
        if isinstance(end, Addresses)
        for cidr in (*end.cidrs, *end.exceptions)
    }
    edges = {
        edge + step
        for network in map(ip_network, named)
        for edge, outwards in ((network[0], -1), (network[-1], 1))
        for step in (0, outwards)
        if 0 <= int(edge) + step < 2**network.max_prefixlen
    }
    return [AddressEnd(str(edge)) for edge in edges]


def test_exactly_the_declared_flows_pass(synthesis: Synthesis) -> None:
    ends = ends_of(synthesis)
    # Whether two foreign ends may talk is not this namespace's business.
    ours = {
        end.name for end in ends if isinstance(end, PodEnd) and end.namespace == synthesis.platform.namespace
    }
    found = Policies.of(synthesis.manifests).connections(ends, ports_of(synthesis))
    found = {connection for connection in found if ours & set(connection[:2])}
    expected = declared(synthesis.platform.network.flows, ends, synthesis.platform.namespace)
    # A foreign end is open on its own side; only the flow's other side decides.
    assert found == expected


def test_neither_side_of_a_connection_consents_to_more(synthesis: Synthesis) -> None:
    ends, policies = ends_of(synthesis), Policies.of(synthesis.manifests)
    allowed = declared(synthesis.platform.network.flows, ends, synthesis.platform.namespace)
    for pod, other in product(pods_of(synthesis.manifests), ends):
        for port, protocol in product(ports_of(synthesis) if pod != other else (), ("TCP", "UDP")):
            leaves, enters = (pod.name, other.name, port, protocol), (other.name, pod.name, port, protocol)
            assert policies.consents("egress", pod, other, port, protocol) == (leaves in allowed), leaves
            assert policies.consents("ingress", pod, other, port, protocol) == (enters in allowed), enters


def test_networks_end_where_their_declaration_ends(synthesis: Synthesis) -> None:
    pods, edges, ports = pods_of(synthesis.manifests), edges_of(synthesis), ports_of(synthesis)
    policies = Policies.of(synthesis.manifests)
    found = {
        (source.name, destination.name, port, protocol)
        for pod, edge in product(pods, edges)
        for source, destination in ((pod, edge), (edge, pod))
        for port, protocol in product(ports, ("TCP", "UDP"))
        if policies.permit(source, destination, port, protocol)
    }
    expected = declared(synthesis.platform.network.flows, [*pods, *edges], synthesis.platform.namespace)
    names = {pod.name for pod in pods}
    assert found == {connection for connection in expected if not names.issuperset(connection[:2])}
    assert found


def test_every_flow_says_why(synthesis: Synthesis) -> None:
    for flow in synthesis.platform.network.flows:
        assert len(flow.reason) > 5
        assert flow.ports


def test_every_pod_is_denied_what_is_not_granted(synthesis: Synthesis) -> None:
    policies, namespace = Policies.of(synthesis.manifests), synthesis.platform.namespace
    for pod in (*pods_of(synthesis.manifests), PodEnd("unlabelled", namespace)):
        for direction in ("ingress", "egress"):
            assert policies.isolated(pod, direction), f"{direction} of {pod.name}"
    assert find(synthesis.manifests, "NetworkPolicy", "default-deny")["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }


def test_no_pod_reaches_what_no_pod_may_reach(synthesis: Synthesis) -> None:
    policies = Policies.of(synthesis.manifests)
    for pod in pods_of(synthesis.manifests):
        for port in (*ports_of(synthesis), 1, 8080, 8443):
            for address in (METADATA, "168.63.129.16", "100.100.100.200", "fd00:ec2::254"):
                for protocol in ("TCP", "UDP"):
                    assert not policies.permit(pod, AddressEnd(address), port, protocol), (
                        pod.name,
                        address,
                        port,
                    )
        for port in FORBIDDEN:
            assert not policies.permit(pod, AddressEnd(INTERNET), port), (
                f"{pod.name} reaches the Internet on {port}"
            )
            assert not policies.permit(pod, AddressEnd(INTERNET), port, "UDP")


def test_rules_without_ports_or_peers_do_not_exist(synthesis: Synthesis) -> None:
    for policy in Policies.of(synthesis.manifests).policies:
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(direction, []):
                assert rule["ports"], policy["metadata"]["name"]
                assert rule[peers], policy["metadata"]["name"]


API, DATABASE, CACHE = "traversion", "timescaledb", "redis"
PROMETHEUS, ALERTMANAGER, GRAFANA = "prometheus", "alertmanager", "grafana"
DNS, CONTROLLER = "kube-dns", "ingress-nginx"
EXPECTED = {
    (API, DATABASE, 5432),
    (API, CACHE, 6379),
    ("timescaledb-schema", DATABASE, 5432),
    ("timescaledb-backup", DATABASE, 5432),
    ("timescaledb-backup", DATABASE, 8432),
    ("timescaledb-backup", "pushgateway", 9091),
    ("timescaledb-rehearsal", "pushgateway", 9091),
    (PROMETHEUS, "pushgateway", 9091),
    ("postgres-exporter", DATABASE, 5432),
    ("redis-exporter", CACHE, 6379),
    (GRAFANA, DATABASE, 5432),
    (GRAFANA, PROMETHEUS, 8443),
    (PROMETHEUS, API, 9443),
    (PROMETHEUS, ALERTMANAGER, 8443),
    (PROMETHEUS, GRAFANA, 8443),
    (PROMETHEUS, "postgres-exporter", 9187),
    (PROMETHEUS, "redis-exporter", 9121),
    (PROMETHEUS, "kube-state-metrics", 8080),
    ("prometheus-adapter", PROMETHEUS, 8443),
    ("konnectivity-agent", "prometheus-adapter", 6443),
    (CONTROLLER, API, 8443),
    (CONTROLLER, API, 8444),
    (CONTROLLER, PROMETHEUS, 8443),
    (CONTROLLER, ALERTMANAGER, 8443),
    (CONTROLLER, GRAFANA, 8443),
    (CONTROLLER, "acme-http01-solver", 8089),
}
"""Production, written down by hand: who calls whom between pods, name look-ups aside."""


def test_production_is_as_drawn(syntheses: Mapping[str, Synthesis]) -> None:
    synthesis = syntheses["production"]
    ends = [end for end in ends_of(synthesis) if isinstance(end, PodEnd)]
    ours = {end.name for end in ends if end.namespace == synthesis.platform.namespace}
    found = Policies.of(synthesis.manifests).connections(ends, ports_of(synthesis))
    found = {connection for connection in found if ours & set(connection[:2])}
    assert {(source, target, port) for source, target, port, _ in found if target != DNS} == EXPECTED
    # Alertmanager looks up its receivers on the Internet, and the database its repositories.
    callers = {source for source, _, _ in EXPECTED if source in ours} | {ALERTMANAGER, DATABASE}
    assert {connection for connection in found if connection[1] == DNS} == {
        (caller, DNS, 53, protocol) for caller in callers for protocol in ("TCP", "UDP")
    }


FRONTS = {
    "production": CONTROLLER,
    "nginx-oidc": "nginx-of-another-name",
    "gateway-traefik": "traefik",
    "gateway-envoy": "envoy",
    "gateway-elsewhere": "35.191.0.7",
}
PROXY = "oauth2-proxy"


@pytest.mark.parametrize("name", FRONTS)
def test_only_what_carries_the_traffic_gets_in(
    name: str, syntheses: Mapping[str, Synthesis], variants: Callable[[str], Synthesis]
) -> None:
    """Written down by hand: with a log-in by OpenID Connect, nobody outside reaches what is behind it."""
    synthesis = syntheses.get(name) or variants(name)
    ends = ends_of(synthesis)
    home = synthesis.platform.namespace
    ours = {end.name for end in ends if isinstance(end, PodEnd) and end.namespace == home}
    found = Policies.of(synthesis.manifests).connections(ends, ports_of(synthesis))
    strangers = {end.name for end in ends} - ours
    # The API server calls this one, from wherever it is.
    found = {connection for connection in found if connection[1] != "prometheus-adapter"}
    expected = {(API, 8443), (API, 8444), (GRAFANA, 8443)}
    expected |= {(PROMETHEUS, 8443), (ALERTMANAGER, 8443)} if name == "production" else {(PROXY, 8443)}
    if name in {"production", "gateway-traefik"}:  # proves its hosts by HTTP-01
        expected.add(("acme-http01-solver", 8089))
    assert {each for each in found if each[0] in strangers and each[1] in ours} == {
        (FRONTS[name], target, port, "TCP") for target, port in expected
    }


@pytest.mark.parametrize(
    ("name", "provider"), [("gateway-traefik", INTERNET), ("gateway-envoy", "10.20.0.5")]
)
def test_a_log_in_reaches_its_provider_and_what_it_shows(
    name: str, provider: str, variants: Callable[[str], Synthesis]
) -> None:
    synthesis = variants(name)
    ends = ends_of(synthesis)
    found = Policies.of(synthesis.manifests).connections(ends, ports_of(synthesis))
    reached = {each[1:] for each in found if each[0] == PROXY and each[1] != DNS}
    assert reached >= {(PROMETHEUS, 8443, "TCP"), (ALERTMANAGER, 8443, "TCP"), (provider, 443, "TCP")}
    pods = {end.name for end in ends if isinstance(end, PodEnd)}
    assert {each[0] for each in reached} & pods == {PROMETHEUS, ALERTMANAGER}
    resolver = "169.254.20.10"
    assert {each[1:] for each in reached if each[0] not in {*pods, resolver}} == {(443, "TCP")}
    private = {"10.0.0.7", "10.128.0.7", "192.168.0.1"}
    assert not private & {each[0] for each in reached}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_only_alerts_backups_and_calls_of_the_api_server_leave_the_cluster(
    name: str, syntheses: Mapping[str, Synthesis]
) -> None:
    synthesis = syntheses[name]
    policies, internet = Policies.of(synthesis.manifests), AddressEnd(INTERNET)
    reach = {
        pod.name: {port for port in ports_of(synthesis) if policies.permit(pod, internet, port)}
        for pod in pods_of(synthesis.manifests)
    }
    # Where the API server lives is not known by default: its two ports are open to any address.
    api_server = {443, 6443}
    expected = {"prometheus": api_server, "kube-state-metrics": api_server}
    if name != "dev":
        senders = ("alertmanager", "timescaledb", "timescaledb-backup", "timescaledb-rehearsal")
        expected |= {sender: {443} for sender in senders}
    if name == "production":
        expected["prometheus-adapter"] = api_server
    assert {pod: ports for pod, ports in reach.items() if ports} == expected


def test_an_environment_does_not_reach_another(
    syntheses: Mapping[str, Synthesis],
) -> None:
    together: list[Manifest] = [manifest for each in syntheses.values() for manifest in each.manifests]
    pods = [
        PodEnd(f"{name}/{pod.name}", pod.namespace, pod.labels)
        for name, synthesis in syntheses.items()
        for pod in pods_of(synthesis.manifests)
    ]
    ports = {port for synthesis in syntheses.values() for port in ports_of(synthesis)}
    for source, destination, port, _ in Policies.of(together).connections(pods, ports):
        assert source.split("/")[0] == destination.split("/")[0], f"{source} reaches {destination} on {port}"


def test_a_known_api_server_is_all_that_is_opened(variants: Callable[[str], Synthesis]) -> None:
    synthesis = variants("generic")
    policies = Policies.of(synthesis.manifests)
    (prometheus,) = (pod for pod in pods_of(synthesis.manifests) if pod.name == "prometheus")
    assert policies.permit(prometheus, AddressEnd("192.0.2.10"), 6443)
    assert policies.permit(prometheus, AddressEnd("10.128.0.7"), 10250)
    assert policies.permit(prometheus, AddressEnd("169.254.20.10"), 53, "UDP")
    for address in (INTERNET, NODE, "192.0.2.11"):
        for port in (443, 6443, 10250):
            assert not policies.permit(prometheus, AddressEnd(address), port)
