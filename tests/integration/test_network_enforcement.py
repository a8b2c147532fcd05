"""The synthesized NetworkPolicies in force: real connections between pods that are network namespaces.

The kernel's own firewall stands for the cluster's, with rules that are translated from the policies.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from random import Random

import pytest

from tests.integration.cluster import Cluster, addresses_of, pods_of, ports_of
from tests.integration.firewall import DIRECTIONS, Firewall, PodHost
from tests.integration.network import KINDS, Network
from tests.manifests import Manifest, Synthesis, find, of_kind, selects
from tests.verify.policy_sets import ADDRESSES, PORTS, may_connect, random_set

pytestmark = [pytest.mark.daemon, pytest.mark.slow]


@pytest.fixture(scope="module", params=["production", "staging", "dev", "generic"])
def cluster(
    request: pytest.FixtureRequest,
    network_maker: type[Network],
    syntheses: Mapping[str, Synthesis],
    variants: Callable[[str], Synthesis],
) -> Iterator[Cluster]:
    synthesis = syntheses.get(request.param) or variants(request.param)
    pods, addresses = list(pods_of(synthesis)), addresses_of(synthesis)
    hosts = [*({pod.name: pod.address} for pod in pods), {each.name: each.address for each in addresses}]
    with network_maker(hosts, ports_of(synthesis)) as network:
        yield Cluster(synthesis, pods, addresses, network)


def test_declared_connections_are_made_and_others_refused(cluster: Cluster) -> None:
    for flow in cluster.synthesis.platform.network.flows:
        assert cluster.allowed_by(flow), f"nobody here would need {flow}"
    tried = cluster.declared | cluster.sample
    cluster.enforce(cluster.manifests)
    assert cluster.network.made(tried) == cluster.declared
    # It was the policies that refused them: somebody listened, and there was a way.
    cluster.enforce([])
    assert cluster.network.made(tried) == tried


only_production = pytest.mark.parametrize("cluster", ["production"], indirect=True)


@only_production
def test_nothing_else_passes_on_any_port_between_any_two(cluster: Cluster) -> None:
    cluster.enforce(cluster.manifests)
    # Nobody listens by UDP but whoever is asked for names; the sample has the rest.
    tried = {each for each in cluster.everything if each[3] == "TCP" or each[2] == 53}
    assert cluster.network.made(tried | cluster.declared) == cluster.declared


@only_production
def test_no_rule_can_be_spared(cluster: Cluster) -> None:
    for policy in of_kind(cluster.manifests, "NetworkPolicy"):
        others = [each for each in cluster.manifests if each is not policy]
        for rule, poorer in without_each_rule(policy):
            cluster.enforce([*others, poorer])
            tried = cluster.about(policy)
            assert cluster.network.made(tried) < tried, f"{policy['metadata']['name']} does not need {rule}"


def without_each_rule(policy: Manifest) -> Iterator[tuple[Manifest, Manifest]]:
    """Yield each rule of a policy, and the policy without it."""
    for direction in DIRECTIONS:
        for index, rule in enumerate(policy["spec"].get(direction.rules, ())):
            poorer = deepcopy(policy)
            del poorer["spec"][direction.rules][index]
            yield rule, poorer


@only_production
def test_without_the_denial_a_pod_that_nobody_planned_is_open(cluster: Cluster) -> None:
    denial = find(cluster.manifests, "NetworkPolicy", "default-deny")
    others = [each for each in cluster.manifests if each is not denial]
    selectors = [policy["spec"]["podSelector"] for policy in of_kind(others, "NetworkPolicy")]
    guarded = {
        pod.name
        for pod in cluster.pods
        if pod.name in cluster.own and any(selects(each, pod.labels) for each in selectors)
    }
    between_open_ends = {each for each in cluster.sample if guarded.isdisjoint(each[:2])}
    assert between_open_ends
    cluster.enforce(others)
    assert cluster.network.made(cluster.sample) == between_open_ends | (cluster.sample & cluster.declared)


@only_production
def test_where_networks_mean_pods_too_only_what_is_open_to_networks_is_open_to_pods(cluster: Cluster) -> None:
    networks = {each.name for each in cluster.addresses}
    callers = {(source, port) for source, target, port, _ in cluster.declared if target in networks}
    called = {(target, port) for source, target, port, _ in cluster.declared if source in networks}
    cluster.enforce(cluster.manifests, blocks_mean_pods=True)
    ports = {port for _, port in callers | called}
    made = cluster.network.made(each for each in cluster.everything if each[2] in ports)
    more = made - cluster.declared
    assert more
    for source, target, port, _ in more:
        assert source not in cluster.own or (source, port) in callers
        assert target not in cluster.own or (target, port) in called


@pytest.fixture(scope="module")
def seven_pods(network_maker: type[Network]) -> Iterator[Network]:
    pods = {f"pod{number}": f"10.244.1.{number}" for number in range(7)}
    addresses = {address: address for address in ADDRESSES}
    with network_maker([*({name: address} for name, address in pods.items()), addresses], PORTS) as network:
        yield network


@pytest.mark.parametrize("seed", range(12))
def test_the_translation_says_what_the_specification_says(seed: int, seven_pods: Network) -> None:
    objects = random_set(Random(seed))  # noqa: S311 # the same sets every time
    pods = {pod["metadata"]["name"]: pod for pod in of_kind(objects, "Pod")}
    ends: dict[str, Manifest | str] = {**pods, **{address: address for address in ADDRESSES}}
    tried = {
        (source, target, port, protocol): may_connect(objects, ends[source], ends[target], protocol, port)
        for source in ends
        for target in ends
        if source != target and (source in pods or target in pods)
        for port in PORTS
        for protocol in KINDS
    }
    seven_pods.enforce(Firewall(objects, [as_host(pod) for pod in pods.values()]).rules())
    assert seven_pods.made(tried) == {connection for connection, may in tried.items() if may}


def as_host(pod: Manifest) -> PodHost:
    name = pod["metadata"]["name"]
    ports = pod["spec"]["containers"][0]["ports"]
    return PodHost(
        **pod["metadata"],
        address=f"10.244.1.{name.removeprefix('pod')}",
        ports={each["name"]: (each["containerPort"], each["protocol"]) for each in ports},
    )
