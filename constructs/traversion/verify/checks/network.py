"""NetworkPolicies: what they leave open."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from traversion.verify.check import Problem, check
from traversion.verify.graph import Graph
from traversion.verify.model import Resource
from traversion.verify.nodes import Node
from traversion.verify.policies import DIRECTIONS, METADATA, Direction, Policy, Rule
from traversion.verify.ports import Ports
from traversion.verify.reachability import network
from traversion.verify.well_known import DATA_PORTS

_DNS = 53
# What a pod has no business to open elsewhere: remote shells and file shares, and mail, the way of spam.
_EGRESS_PORTS = {22: "SSH", 23: "Telnet", 25: "SMTP", 445: "SMB", 3389: "RDP"}


@check(
    "policy-absent",
    "warning",
    what="A namespace has pods but no NetworkPolicy.",
    why="Every pod of the cluster may talk to these, and they to everybody.",
    wrong="""
{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop}, spec: {containers: [{name: api}]}}
""",
    right="""
{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop}, spec: {containers: [{name: api}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
""",
)
def namespaces_have_policies(graph: Graph) -> Iterator[Problem]:
    """Find namespaces without any policy."""
    covered = {policy.namespace for policy in network(graph).policies}
    for namespace, nodes in network(graph).own_pods.items():
        if namespace not in covered:
            place = graph.find("Namespace", "", namespace) or _owner(nodes[0])
            yield Problem(
                place,
                "",
                f"the {len(nodes)} workloads of namespace {namespace} are under no NetworkPolicy",
                "add a policy that denies all (podSelector: {}), and one for each flow that is needed",
            )


@check(
    "policy-uncovered",
    "warning",
    what="Pods that no policy selects, in a namespace that has policies.",
    why="A policy protects only the pods it selects: the others accept, or open, any connection.",
    wrong="""
{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop}, spec: {containers: [{name: api}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: database}}, policyTypes: [Ingress, Egress]}
""",
    right="""
{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop}, spec: {containers: [{name: api}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
""",
)
def policies_cover_pods(graph: Graph) -> Iterator[Problem]:
    """Find pods that policies leave out, and directions that a namespace leaves out altogether."""
    net = network(graph)
    used: dict[str, set[Direction]] = defaultdict(set)
    first: dict[str, Policy] = {}
    for policy in net.policies:
        used[policy.namespace] |= policy.restricts
        first.setdefault(policy.namespace, policy)
    for namespace, nodes in net.own_pods.items():
        if namespace not in first:
            continue
        for direction in DIRECTIONS:
            if direction not in used[namespace]:
                yield Problem(
                    first[namespace].resource,
                    "spec.policyTypes",
                    f"no policy of namespace {namespace} restricts {direction}",
                    f"add a policy with podSelector: {{}} and policyTypes: [{direction.capitalize()}]",
                )
        for node in nodes:
            ways = [each for each in DIRECTIONS if each in used[namespace] and not net.restricted(node, each)]
            if ways:
                yield Problem(
                    _owner(node),
                    _labels_path(node),
                    f"no policy of namespace {namespace} selects these pods for {' and '.join(ways)}",
                    "let a policy select them; one with podSelector: {} selects all",
                )


@check(
    "policy-open-ingress",
    "warning",
    what="A policy lets everybody reach a port of a data store or of administration.",
    why="Any pod of the cluster, and whatever the cluster exposes to the Internet, may try passwords there.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: database, namespace: shop}
spec:
  podSelector: {matchLabels: {app: database}}
  ingress: [{ports: [{port: 5432}]}]
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: database, namespace: shop}
spec:
  podSelector: {matchLabels: {app: database}}
  ingress: [{from: [{podSelector: {matchLabels: {app: api}}}], ports: [{port: 5432}]}]
""",
)
def ingress_is_narrow(graph: Graph) -> Iterator[Problem]:
    """Find ingress rules for everybody on dangerous ports that the selected pods open, or that are listed."""
    net = network(graph)
    for policy in net.policies:
        selected = [node for node in net.selected(policy) if node.kind == "pods"]
        for rule in policy.rules("ingress"):
            path = _world_path(rule)
            if path is None:
                continue
            opened = {port for node in selected for _, protocol, port in node.ports if protocol == "TCP"}
            opened = opened or (set() if rule.numbered.is_wide else set(DATA_PORTS))
            named = Ports.of(each for node in selected for each in rule.at(node.named_ports).ranges)
            reached = [
                port
                for port in sorted(opened & set(DATA_PORTS))
                if ("TCP", port) in rule.numbered or ("TCP", port) in named
            ]
            if reached:
                yield Problem(
                    policy.resource,
                    path,
                    f"lets everybody reach {_listed(reached, DATA_PORTS)}",
                    "name the pods that need it in from, by their labels",
                )


@check(
    "policy-open-egress",
    "warning",
    what="A policy lets pods reach the whole world on all ports, or on those of shells, shares and mail.",
    why="Whoever takes over a pod can carry data away by any way, and attack others from it.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {}
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {}
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}], ports: [{port: 443}]}]
""",
)
def egress_is_narrow(graph: Graph) -> Iterator[Problem]:
    """Find egress rules to everywhere that are as good as none."""
    for policy in network(graph).policies:
        for rule in policy.rules("egress"):
            path = _world_path(rule)
            if path is None:
                continue
            reached = [port for port in _EGRESS_PORTS if ("TCP", port) in rule.numbered]
            if rule.numbered.is_wide:
                yield Problem(
                    policy.resource,
                    path,
                    f"allows every port of every address (ports: {rule.numbered})",
                    "list the ports that are needed",
                )
            elif reached:
                yield Problem(
                    policy.resource,
                    path,
                    f"allows {_listed(reached, _EGRESS_PORTS)} to every address",
                    "name the addresses that need it, or leave the port out",
                )


@check(
    "policy-metadata",
    "warning",
    what="A policy lets pods reach the cloud's metadata address.",
    why="It hands the node's cloud credentials to any process that asks: a hijacked pod becomes the node.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {}
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 443}]}]
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {}
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}], ports: [{port: 443}]}]
""",
)
def metadata_is_out_of_reach(graph: Graph) -> Iterator[Problem]:
    """Find egress rules that include it. On port 53 alone it is the resolver of GKE's Cloud DNS."""
    for policy in network(graph).policies:
        for rule in policy.rules("egress"):
            if all((low, high) == (_DNS, _DNS) for _, low, high in rule.numbered.ranges):
                continue
            if rule.peers is None:
                yield Problem(
                    policy.resource,
                    rule.path,
                    f"an empty `to` includes 169.254.169.254 (ports: {rule.numbered})",
                    "name the peers, or use ipBlock 0.0.0.0/0 with except: [169.254.169.254/32]",
                )
            for peer in rule.peers or ():
                for address in METADATA:
                    if peer.includes(address):
                        yield Problem(
                            policy.resource,
                            f"{peer.path}.ipBlock",
                            f"{peer.block} includes {address.network_address}",
                            f"add {address} to except",
                        )


def _owner(node: Node) -> Resource:
    assert node.pods is not None  # noqa: S101 # only pods of the set come here
    return node.pods.owner


def _labels_path(node: Node) -> str:
    return node.pods.path("metadata", "labels") if node.pods else ""


def _world_path(rule: Rule) -> str | None:
    """Return where a rule means every address; None when it does not."""
    if rule.peers is None:
        return rule.path
    return next((f"{peer.path}.ipBlock" for peer in rule.peers if peer.is_world), None)


def _listed(ports: Sequence[int], names: Mapping[int, str]) -> str:
    return ", ".join(f"{port} ({names[port]})" for port in ports)
