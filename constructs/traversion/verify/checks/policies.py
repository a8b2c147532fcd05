"""NetworkPolicies: rules that the API server refuses, or that do nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traversion.verify.check import Problem, Severity, check
from traversion.verify.declared import may_make_objects
from traversion.verify.graph import Graph, matches_selector
from traversion.verify.model import Resource, items, mapping, number, text
from traversion.verify.nodes import Node
from traversion.verify.policies import DIRECTIONS, Peer, Policy, Rule, parsed_block, within
from traversion.verify.ports import ALL, Ports
from traversion.verify.reachability import Network, network
from traversion.verify.well_known import INJECTED_PORT_NAMES, NAMESPACES

_NAME_LABEL = "kubernetes.io/metadata.name"


@check(
    "policy-invalid",
    "error",
    what="A NetworkPolicy has a rule that the API server refuses although its types are right.",
    why="The whole policy is not created: what it should protect stays open.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api}
spec:
  podSelector: {}
  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [192.168.0.0/16]}}]}]
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api}
spec:
  podSelector: {}
  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]
""",
)
def policies_are_accepted(graph: Graph) -> Iterator[Problem]:
    """Find what kubernetes/pkg/apis/networking/validation refuses and no schema does."""
    for policy in network(graph).policies:
        for rule in _all_rules(policy):
            for index, data in enumerate(items(rule.data.get("ports"))):
                for wrong, remedy in _port_faults(mapping(data)):
                    yield Problem(policy.resource, f"{rule.path}.ports[{index}]", wrong, remedy)
            for peer in rule.peers or ():
                for steps, wrong, remedy in _peer_faults(peer):
                    yield Problem(policy.resource, f"{peer.path}{steps}", wrong, remedy)


@check(
    "policy-rules-ignored",
    "error",
    what="A NetworkPolicy has rules for a direction that its policyTypes leave out.",
    why="They are not in force: the policy neither denies nor allows anything in that direction.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api}
spec: {podSelector: {}, policyTypes: [Ingress], egress: [{ports: [{port: 443}]}]}
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], egress: [{ports: [{port: 443}]}]}
""",
)
def rules_are_in_force(graph: Graph) -> Iterator[Problem]:
    """Find rules that a policyTypes list switches off."""
    for policy in network(graph).policies:
        for rule in policy.without_effect():
            name = rule.direction.capitalize()
            yield Problem(
                policy.resource,
                rule.path,
                f"policyTypes does not list {name}",
                f"add {name} to spec.policyTypes",
            )


@check(
    "policy-peer-dead",
    "warning",
    what="A rule names peers that neither the set nor common installations have.",
    why="It lets nobody in, or reach anybody: what it was written for is dropped.",
    wrong="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {}
  ingress: [{from: [{namespaceSelector: {matchLabels: {name: ingress-nginx}}}]}]
""",
    right="""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {}
  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]}]
""",
)
def peers_exist(graph: Graph) -> Iterator[Problem]:
    """Find selectors that pick no namespace, or no pod where all pods are known."""
    net = network(graph)
    operated = {each.namespace for each in graph.resources if may_make_objects(each)}
    known = (set(net.own_pods) - operated) | {name for name, each in NAMESPACES.items() if each.complete}
    for policy in net.policies:
        for direction in DIRECTIONS:
            for rule in policy.rules(direction):
                for peer in rule.peers or ():
                    problem = _dead(graph, net, peer, known)
                    if problem:
                        yield problem


@check(
    "policy-port-closed",
    "warning",
    what="A rule allows a port that none of the pods it is about opens.",
    why="Policies see the pod's port, not the Service's: the traffic that was meant is dropped.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api, ports: [{containerPort: 8080}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: 80}]}]}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api, ports: [{containerPort: 8080}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: 8080}]}]}
""",
)
def ports_are_open(graph: Graph) -> Iterator[Problem]:
    """Find closed ports; an error when it is a Service's port and the rule lacks the port behind it."""
    net = network(graph)
    services = _services(graph)
    for rule, nodes in _destinations(net):
        for index, data in enumerate(items(rule.data.get("ports"))):
            allowed = _only(rule, index)
            if not allowed or allowed == ALL or any(_opens(node, allowed) for node in nodes):
                continue
            port = mapping(data).get("port")
            behind = _behind_service(graph, rule, nodes, port, services)
            if behind:
                service, target = behind
                wrong = f"{port} is the port of Service {service}; its pods listen on {target}"
                yield _closed(rule, index, wrong, f"allow {target}", "error")
            elif all(node.ports for node in nodes):
                wrong = f"none of these pods opens {allowed}: {_some(nodes)}"
                yield _closed(rule, index, wrong, f"allow one of {_opened(nodes)}, or declare the port", None)


@check(
    "policy-port-name",
    "error",
    what="A rule allows a port by a name that none of the pods it is about has.",
    why="The name means a container port of the destination: without one the rule allows nothing.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: web}]}]}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: http}]}]}
""",
)
def port_names_exist(graph: Graph) -> Iterator[Problem]:
    """Find names that no destination resolves."""
    for rule, nodes in _destinations(network(graph)):
        for index, data in enumerate(items(rule.data.get("ports"))):
            port = mapping(data)
            name, protocol = text(port.get("port")), text(port.get("protocol")) or "TCP"
            if not name or name in INJECTED_PORT_NAMES:
                continue
            if not any((protocol, name) in node.named_ports for node in nodes):
                names = sorted({f"{each[1]} ({each[0]})" for node in nodes for each in node.named_ports})
                yield _closed(
                    rule,
                    index,
                    f"no port of {_some(nodes)} is named {name} ({protocol})",
                    f"use one of {', '.join(names)}"
                    if names
                    else "use the number, or name the container's port",
                    None,
                )


def _all_rules(policy: Policy) -> Iterator[Rule]:
    for direction in DIRECTIONS:
        yield from policy.rules(direction)
    yield from policy.without_effect()


def _port_faults(port: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    first, last = port.get("port"), number(port.get("endPort"))
    if isinstance(first, str) and first.isdigit():
        yield f'port "{first}" is a text, so it is taken for a name', "write the number without quotes"
    if last is None:
        return
    low = number(first)
    if low is None:
        yield f"endPort {last} stands without a numeric port", "give the first port of the range as a number"
    elif last < low:
        yield f"endPort {last} is less than port {low}", "swap them"


def _peer_faults(peer: Peer) -> Iterator[tuple[str, str, str]]:
    block = peer.data.get("ipBlock")
    selectors = [key for key in ("podSelector", "namespaceSelector") if peer.data.get(key) is not None]
    if block is None:
        if not selectors:
            yield "", "names no peer", "give it a podSelector, a namespaceSelector or an ipBlock"
        return
    if selectors:
        yield "", f"has both ipBlock and {selectors[0]}", "make two entries of it"
    cidr = text(mapping(block).get("cidr"))
    if not peer.block:
        yield ".ipBlock.cidr", f"{cidr or 'nothing'} is no range of addresses", "write it as 10.0.0.0/8"
        return
    for index, each in enumerate(items(mapping(block).get("except"))):
        inner = parsed_block(each)
        path = f".ipBlock.except[{index}]"
        if inner is None:
            yield path, f"{each} is no range of addresses", "write it as 10.1.0.0/16"
        elif inner == peer.block or not within(inner, peer.block):
            yield path, f"{each} is no part of {cidr}", "except only ranges inside cidr"


def _dead(graph: Graph, net: Network, peer: Peer, known: set[str]) -> Problem | None:
    resource = peer.rule.policy.resource
    if peer.data.get("ipBlock") is not None or net.matched(peer):
        return None
    spaces, pods = peer.data.get("namespaceSelector"), peer.data.get("podSelector")
    namespaces = net.matched_namespaces(peer)
    if spaces is not None and not namespaces:
        unlabelled = next((each for each in _values(spaces) if graph.find("Namespace", "", each)), None)
        there = f"; namespace {unlabelled} does not bear it" if unlabelled else ""
        return Problem(
            resource,
            f"{peer.path}.namespaceSelector",
            f"no known namespace has {_shown(spaces)}{there}",
            f"select {_NAME_LABEL}: {unlabelled or '<name>'}, which Kubernetes sets, or label the namespace",
            "error" if unlabelled and _NAME_LABEL not in str(spaces) else None,
        )
    on_host = any(
        node.namespace in namespaces and matches_selector(mapping(pods), node.labels) for node in net.on_host
    )
    if pods is None or on_host or not set(namespaces) <= known:
        return None
    where = ", ".join(namespaces[:3])
    return Problem(
        resource,
        f"{peer.path}.podSelector",
        f"no pods of namespace {where} have {_shown(pods)}",
        "use labels that the pods bear, or remove the peer",
    )


def _values(selector: object) -> Iterator[str]:
    yield from (text(each) for each in mapping(mapping(selector).get("matchLabels")).values())
    for requirement in items(mapping(selector).get("matchExpressions")):
        yield from (text(each) for each in items(mapping(requirement).get("values")))


def _shown(selector: object) -> str:
    labels = [f"{key}={value}" for key, value in mapping(mapping(selector).get("matchLabels")).items()]
    for requirement in map(mapping, items(mapping(selector).get("matchExpressions"))):
        values = ", ".join(str(each) for each in items(requirement.get("values")))
        labels.append(f"{requirement.get('key')} {requirement.get('operator')} ({values})")
    return ", ".join(labels) or "any labels"


def _destinations(net: Network) -> Iterator[tuple[Rule, Sequence[Node]]]:
    """Yield the rules whose destinations are all pods of the set, with these."""
    for policy in net.policies:
        selected = sorted(net.selected(policy), key=lambda node: node.name)
        for rule in policy.rules("ingress"):
            if selected:
                yield rule, selected
        for rule in policy.rules("egress") if selected else ():
            reached = {node for peer in rule.peers or () for node in net.matched(peer)}
            foreign = any(set(net.matched_namespaces(peer)) - set(net.own_pods) for peer in rule.peers or ())
            if reached and not foreign and all(node.kind == "pods" for node in reached):
                yield rule, sorted(reached, key=lambda node: node.name)


def _only(rule: Rule, index: int) -> Ports:
    """Return what one entry of a rule's ports allows; nothing when it is a name."""
    return Rule(
        rule.policy, rule.direction, rule.index, {"ports": [items(rule.data.get("ports"))[index]]}
    ).numbered


def _opens(node: Node, allowed: Ports) -> bool:
    return any((protocol, port) in allowed for _, protocol, port in node.ports)


def _services(graph: Graph) -> Mapping[str, Sequence[Resource]]:
    found: dict[str, list[Resource]] = {}
    for each in graph.of_kind("Service"):
        found.setdefault(each.namespace, []).append(each)
    return found


def _behind_service(
    graph: Graph, rule: Rule, nodes: Sequence[Node], port: object, services: Mapping[str, Sequence[Resource]]
) -> tuple[str, int] | None:
    """Return the Service with this port before one of the pods, and the pods' port, which the rule lacks."""
    by_pods = {node.pods: node for node in nodes if node.pods}
    for service in services.get(nodes[0].namespace, ()):
        for each in map(mapping, items(service.spec.get("ports"))):
            if number(each.get("port")) != port or port is None:
                continue
            protocol, target = text(each.get("protocol")) or "TCP", each.get("targetPort", port)
            for pods in graph.behind(service):
                node = by_pods.get(pods)
                if node is None:
                    continue
                numbers = [target] if number(target) else node.named_ports.get((protocol, text(target)), ())
                for found in numbers:
                    if (protocol, found) not in rule.at(node.named_ports):
                        return service.name, found
    return None


def _closed(rule: Rule, index: int, wrong: str, remedy: str, severity: Severity | None) -> Problem:
    return Problem(rule.policy.resource, f"{rule.path}.ports[{index}]", wrong, remedy, severity)


def _some(nodes: Sequence[Node]) -> str:
    more = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
    return f"{nodes[0].name}{more}"


def _opened(nodes: Sequence[Node]) -> str:
    return str(Ports.of((protocol, port, port) for node in nodes for _, protocol, port in node.ports))
