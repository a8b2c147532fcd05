"""NetworkPolicies: what they cut off by mistake."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product

from traversion.verify.check import Problem, check
from traversion.verify.graph import Graph
from traversion.verify.model import Container, PodTemplate, Resource, dig, items, mapping, text
from traversion.verify.nodes import Node
from traversion.verify.policies import DIRECTIONS, Peer, Rule
from traversion.verify.reachability import Network, network

_DNS = 53
_MOST_PAIRS = 1000
_LONGEST = 10_000


@check(
    "policy-one-sided",
    "warning",
    what="One policy allows a flow, and the policies at its other end do not.",
    why="A connection needs the consent of both ends, its source's egress and its destination's ingress.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api}]}
---
apiVersion: v1
kind: Pod
metadata: {name: database, namespace: shop, labels: {app: database}}
spec: {containers: [{name: database, ports: [{containerPort: 5432}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {matchLabels: {app: database}}}], ports: [{port: 5432}]}]
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api}]}
---
apiVersion: v1
kind: Pod
metadata: {name: database, namespace: shop, labels: {app: database}}
spec: {containers: [{name: database, ports: [{containerPort: 5432}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: flow, namespace: shop}
spec:
  podSelector: {}
  egress: [{to: [{podSelector: {matchLabels: {app: database}}}], ports: [{port: 5432}]}]
  ingress: [{from: [{podSelector: {matchLabels: {app: api}}}], ports: [{port: 5432}]}]
""",
)
def flows_have_two_ends(graph: Graph) -> Iterator[Problem]:
    """Find peers of which none can use the rule that names them."""
    net = network(graph)
    for policy in net.policies:
        selected = sorted(net.selected(policy), key=lambda node: node.name)
        for direction in DIRECTIONS:
            for rule in policy.rules(direction):
                for peer in rule.peers or ():
                    others = sorted(net.matched(peer), key=lambda node: node.name)
                    if selected and others and not _used(net, rule, selected, others):
                        yield _one_sided(peer, selected, others)


@check(
    "policy-dns",
    "warning",
    what="Pods that name Services may not ask the cluster's DNS.",
    why="Names do not resolve, so they reach nothing, whatever other ports are open.",
    wrong="""
apiVersion: v1
kind: Service
metadata: {name: database, namespace: shop}
spec: {selector: {app: database}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api, env: [{name: DB_HOST, value: database}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  egress: [{to: [{podSelector: {matchLabels: {app: database}}}], ports: [{port: 5432}]}]
""",
    right="""
apiVersion: v1
kind: Service
metadata: {name: database, namespace: shop}
spec: {selector: {app: database}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api, env: [{name: DB_HOST, value: database}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  egress:
    - {to: [{podSelector: {matchLabels: {app: database}}}], ports: [{port: 5432}]}
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{port: 53, protocol: UDP}, {port: 53}]
""",
)
def names_resolve(graph: Graph) -> Iterator[Problem]:
    """Find pods under an egress policy that use names but cannot reach port 53 of a resolver."""
    net = network(graph)
    services: dict[str, dict[str, Resource]] = defaultdict(dict)
    for each in graph.of_kind("Service"):
        services[each.namespace][each.name] = each
    for nodes in net.own_pods.values():
        for node in nodes:
            if node.pods is None or not net.restricted(node, "egress") or _resolves(net, node):
                continue
            name = _named_service(graph, node, services)
            if name:
                yield Problem(
                    node.pods.owner,
                    node.pods.path("metadata", "labels"),
                    f"uses the name {name}, but no egress rule of its policies reaches kube-dns on port 53",
                    "allow UDP and TCP 53 to the pods k8s-app: kube-dns of namespace kube-system",
                )


def _used(net: Network, rule: Rule, selected: Sequence[Node], others: Sequence[Node]) -> bool:
    ends = product(others, selected) if rule.direction == "ingress" else product(selected, others)
    return any(
        net.allowed(source, destination) & rule.at(destination.named_ports)
        for source, destination in islice(ends, _MOST_PAIRS)
    )


def _one_sided(peer: Peer, selected: Sequence[Node], others: Sequence[Node]) -> Problem:
    inward = peer.rule.direction == "ingress"
    source, destination = (others[0], selected[0]) if inward else (selected[0], others[0])
    side, lacking = ("egress", source) if inward else ("ingress", destination)
    return Problem(
        peer.rule.policy.resource,
        peer.path,
        f"allows {source.name} to reach {destination.name}"
        f" ({peer.rule.at(destination.named_ports) or 'no port'}),"
        f" but the {side} policies of {lacking.name} do not",
        f"add the same flow to the {side} rules of {lacking.name}, or remove it here",
    )


def _resolves(net: Network, node: Node) -> bool:
    return any(_reaches_dns(net, rule) for rule in net.rules("egress", node))


def _reaches_dns(net: Network, rule: Rule) -> bool:
    if rule.peers is None:
        return ("UDP", _DNS) in rule.numbered
    for peer in rule.peers:
        if peer.block:
            if ("UDP", _DNS) in rule.numbered:
                return True
            continue
        for other in net.matched(peer):
            if ("UDP", _DNS) in rule.at(other.named_ports) and any(
                port == _DNS for _, _, port in other.ports
            ):
                return True
        # A resolver that nobody knows: node-local-dns, OpenShift's, one of another namespace.
        elsewhere = set(net.matched_namespaces(peer)) - {"kube-system"} - net.own_namespaces
        if ("UDP", _DNS) in rule.numbered and (elsewhere or "node-local-dns" in str(peer.data)):
            return True
    return False


_HOST = re.compile(r"(?<![\w.-])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9-]{1,63}){0,4}(?![\w-])")


def _named_service(graph: Graph, node: Node, services: Mapping[str, Mapping[str, Resource]]) -> str:
    """Return the first name of a Service that the pod's environment, command or ConfigMaps contain."""
    pods = node.pods
    if pods is None:
        return ""
    near = services.get(pods.namespace, {})
    for words in _words(graph, pods):
        for match in _HOST.finditer(words[:_LONGEST]):
            name, _, rest = match.group().partition(".")
            namespace = rest.partition(".")[0]
            there = services.get(namespace, {}) if namespace and not rest.startswith("svc") else near
            service = there.get(name)
            # Its own name is no flow, and a word such as "redis" in a command need not be a host.
            if service and pods not in graph.behind(service) and _is_host(words, match):
                return match.group()
    return ""


def _is_host(words: str, match: re.Match[str]) -> bool:
    before, after = words[: match.start()], words[match.end() :]
    alone = match.group() == words.strip()
    address = before.lower().endswith(("//", "@", "host=")) or bool(re.match(r":\d", after))
    return alone or address or "." in match.group()


def _words(graph: Graph, pods: PodTemplate) -> Iterator[str]:
    for container in pods.containers:
        for _, variable in container.environment():
            yield text(variable.get("value"))
        for key in ("command", "args"):
            yield from (text(each) for each in items(container.data.get(key)))
        for name in _config_maps(container):
            config = graph.find("ConfigMap", pods.namespace, name)
            yield from (text(each) for each in mapping(config and config.data.get("data")).values())


def _config_maps(container: Container) -> Iterator[str]:
    for each in items(container.data.get("envFrom")):
        yield text(dig(each, "configMapRef", "name"))
