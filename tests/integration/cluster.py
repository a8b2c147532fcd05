"""One environment's pods, everybody whom they could talk to, and what its declarations say about these."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network
from itertools import count
from random import Random

from tests.declared import declared, identity
from tests.integration.firewall import DIRECTIONS, Firewall, PodHost
from tests.integration.network import KINDS, Network
from tests.manifests import Manifest, Synthesis, Workload, of_kind, selects, workloads
from tests.reachability import AddressEnd, Connection, End
from traversion.platform.component import Component
from traversion.platform.flows import Flow, Pods

METADATA = ("169.254.169.254", "168.63.129.16", "100.100.100.200")
INTERNET = "198.51.100.7"  # kept for documentation: nobody's
NEVER_TO_THE_INTERNET = (22, 25, 53, 80)
OPENED_BY_NOBODY = 31337
SAMPLE = 3000
"""How many connections of an environment are tried twice, of some 100,000."""


@dataclass(frozen=True)
class Cluster:
    """One environment's pods and everybody whom they could talk to, as hosts of a network."""

    synthesis: Synthesis
    pods: Sequence[PodHost]
    addresses: Sequence[AddressEnd]
    network: Network

    @property
    def manifests(self) -> list[Manifest]:
        return self.synthesis.manifests

    @property
    def ends(self) -> list[End]:
        """Everybody."""
        return [*self.pods, *self.addresses]

    @cached_property
    def ports(self) -> list[int]:
        return ports_of(self.synthesis)

    @cached_property
    def own(self) -> set[str]:
        """Every pod in the environment's namespace."""
        return {pod.name for pod in self.pods if pod.namespace == self.synthesis.platform.namespace}

    @cached_property
    def declared(self) -> set[Connection]:
        """What the flows allow."""
        return {each for flow in self.synthesis.platform.network.flows for each in self.allowed_by(flow)}

    def allowed_by(self, flow: Flow) -> set[Connection]:
        """Return what one flow is about."""
        return declared([flow], self.ends, self.synthesis.platform.namespace)

    @cached_property
    def everything(self) -> list[Connection]:
        """Whether strangers may talk to each other is not this namespace's business."""
        everyone = [end.name for end in self.ends]
        return [
            (source, destination, port, protocol)
            for source in everyone
            for destination in everyone
            if source != destination and not self.own.isdisjoint({source, destination})
            for port in self.ports
            for protocol in KINDS
        ]

    def about(self, policy: Manifest) -> set[Connection]:
        """Return what is declared about the pods that a policy selects."""
        selector = policy["spec"]["podSelector"]
        selected = {pod.name for pod in self.pods if pod.name in self.own and selects(selector, pod.labels)}
        return {each for each in self.declared if not selected.isdisjoint(each[:2])}

    @cached_property
    def sample(self) -> set[Connection]:
        """The same ones every time, and what must never be."""
        return {*Random(6).sample(self.everything, SAMPLE), *self.never}  # noqa: S311 # no secret

    @cached_property
    def never(self) -> set[Connection]:
        """What no pod may do, whatever is declared."""
        ports: dict[str, Sequence[int]] = dict.fromkeys(METADATA, self.ports)
        ports[INTERNET] = NEVER_TO_THE_INTERNET
        return {
            (pod, address, port, protocol)
            for pod in self.own
            for address in ports
            for port in ports[address]
            for protocol in KINDS
        }

    def enforce(self, manifests: Sequence[Manifest], *, blocks_mean_pods: bool = False) -> None:
        self.network.enforce(Firewall(manifests, self.pods, blocks_mean_pods).rules())


def ports_of(synthesis: Synthesis) -> list[int]:
    """Every port that a container opens or a policy mentions, and those that must stay shut."""
    mentioned = {
        port["port"]  # a name would be a container's, which is opened
        for policy in of_kind(synthesis.manifests, "NetworkPolicy")
        for direction in DIRECTIONS
        for rule in policy["spec"].get(direction.rules, ())
        for port in rule.get("ports", ())
        if isinstance(port["port"], int)
    }
    opened = {port for each in workloads(synthesis.manifests) for port in each.ports.values()}
    return sorted({*mentioned, *opened, *NEVER_TO_THE_INTERNET, 443, OPENED_BY_NOBODY})


def pods_of(synthesis: Synthesis) -> Iterator[PodHost]:
    """The pods of each workload, whom the flows name beside them, and who resembles one of these."""
    number = count(1)
    flows, namespace = synthesis.platform.network.flows, synthesis.platform.namespace

    def pod(name: str, where: str, labels: Mapping[str, str], template: Workload | None = None) -> PodHost:
        address = f"10.244.1.{next(number)}"
        return PodHost(name, where, labels, address=address, ports=named_ports(template) if template else {})

    for each in workloads(synthesis.manifests):
        yield pod(f"{each.kind} {each.name}", namespace, each.labels, each)
        if has_several_pods(each):
            yield pod(f"another pod of {each.kind} {each.name}", namespace, each.labels, each)
    yield pod("unlabelled", namespace, {})
    ends = {end.name: end for flow in flows for end in (flow.source, flow.destination)}
    for name, end in ends.items():
        if isinstance(end, Pods):
            home = end.namespace or namespace
            yield pod(name, home, end.labels)
            yield pod(f"{name}, but elsewhere", "elsewhere", end.labels)
            for label in end.labels:
                labels = {key: value for key, value in end.labels.items() if key != label}
                yield pod(f"{name}, but without {label}", home, labels)
        if isinstance(end, Component):
            yield pod(f"{name}, but elsewhere", "elsewhere", identity(end))
            yield pod(f"{name}, but in name only", namespace, {"app.kubernetes.io/name": name})


def has_several_pods(workload: Workload) -> bool:
    # A Deployment has more than one at least while it is updated.
    return workload.kind == "Deployment" or workload.manifest["spec"].get("replicas", 1) > 1


def named_ports(workload: Workload) -> dict[str, tuple[int, str]]:
    return {
        port["name"]: (port["containerPort"], port.get("protocol", "TCP"))
        for container in workload.containers
        for port in container.get("ports", ())
    }


def addresses_of(synthesis: Synthesis) -> list[AddressEnd]:
    """One address in each network and each exception that a policy mentions, and those of the clouds."""
    networks = {
        ip_network(cidr)
        for policy in of_kind(synthesis.manifests, "NetworkPolicy")
        for direction in DIRECTIONS
        for rule in policy["spec"].get(direction.rules, ())
        for peer in rule.get(direction.peers, ())
        if "ipBlock" in peer
        for cidr in (peer["ipBlock"]["cidr"], *peer["ipBlock"].get("except", ()))
    }
    inside = (network[7 if network.num_addresses > 8 else 0] for network in networks if network.version == 4)
    # Neither "this host" nor a loopback is anywhere that a packet could go.
    real = {str(each) for each in inside if not each.is_loopback and int(each) >> 24}
    return [AddressEnd(address) for address in sorted({*real, *METADATA, INTERNET})]
