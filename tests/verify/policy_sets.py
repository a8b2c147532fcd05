"""Random sets of namespaces, pods and NetworkPolicies, and a slow, plain evaluator of them.

The evaluator shares nothing with `traversion.verify.reachability`: it asks for one pair, one protocol and one
port at a time, and follows the words of the specification. Where the two differ, one of them is wrong.
"""

from ipaddress import ip_address, ip_network
from random import Random
from typing import Any

Data = dict[str, Any]

NAMESPACES = {"blue": {"team": "a"}, "green": {"team": "b", "tier": "web"}, "red": {}}
ADDRESSES = ("8.8.8.8", "10.1.2.3", "10.2.0.1", "10.2.9.9", "192.168.1.1", "169.254.169.254")
_BLOCKS: tuple[tuple[str, list[str]], ...] = (
    ("0.0.0.0/0", ["10.0.0.0/8", "169.254.169.254/32"]),
    ("10.0.0.0/8", ["10.2.0.0/16"]),
    ("10.2.0.0/16", ["10.2.9.0/24"]),
    ("192.168.0.0/16", []),
)
_NAMED = {"http": (8080, "TCP"), "dns": (5353, "UDP"), "admin": (9000, "TCP"), "sctp": (7000, "SCTP")}
PORTS = (79, 80, 81, 443, 5353, 7000, 8080, 8081, 9000, 9001, 65535)


def random_set(random: Random) -> list[Data]:
    """Return the objects of one set: three namespaces, four to seven pods, one to five policies."""
    objects: list[Data] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}
        for name, labels in NAMESPACES.items()
    ]
    objects += [_pod(random, index) for index in range(random.randint(4, 7))]
    objects += [_policy(random, index) for index in range(random.randint(1, 5))]
    return objects


def _pod(random: Random, index: int) -> Data:
    labels = {"app": random.choice("xyz"), "tier": random.choice(["web", "data"])}
    ports = [
        {"name": name, "containerPort": port + random.randint(0, 1), "protocol": protocol}
        for name, (port, protocol) in _NAMED.items()
        if random.random() < 0.6
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"pod{index}", "namespace": random.choice([*NAMESPACES]), "labels": labels},
        "spec": {"containers": [{"name": "main", "image": "x", "ports": ports}]},
    }


def _policy(random: Random, index: int) -> Data:
    spec: Data = {"podSelector": _selector(random)}
    for direction, key in (("ingress", "from"), ("egress", "to")):
        if random.random() < 0.7:
            spec[direction] = [_rule(random, key) for _ in range(random.randint(0, 2))]
    if random.random() < 0.6:
        spec["policyTypes"] = random.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"policy{index}", "namespace": random.choice([*NAMESPACES])},
        "spec": spec,
    }


def _rule(random: Random, key: str) -> Data:
    rule: Data = {}
    if random.random() < 0.75:
        rule[key] = [_peer(random) for _ in range(random.randint(1, 2))]
    if random.random() < 0.7:
        rule["ports"] = [_port(random) for _ in range(random.randint(1, 2))]
    return rule


def _peer(random: Random) -> Data:
    match random.randrange(4):
        case 0:
            return {"podSelector": _selector(random)}
        case 1:
            return {"namespaceSelector": _namespaces(random)}
        case 2:
            return {"podSelector": _selector(random), "namespaceSelector": _namespaces(random)}
        case _:
            cidr, exceptions = random.choice(_BLOCKS)
            chosen = random.sample(exceptions, random.randint(0, len(exceptions)))
            return {"ipBlock": {"cidr": cidr} | ({"except": chosen} if chosen else {})}


def _port(random: Random) -> Data:
    protocol = random.choice(["TCP", "UDP", "SCTP", None])
    port: Data = {"protocol": protocol} if protocol else {}
    match random.randrange(4):
        case 0:
            port["port"] = random.choice(PORTS[:-1])
        case 1:
            port |= {"port": random.choice([80, 443, 8080]), "endPort": random.choice([8080, 9000, 65535])}
        case 2:
            port["port"] = random.choice([*_NAMED])
        case _:
            pass
    return port


def _selector(random: Random) -> Data:
    match random.randrange(5):
        case 0:
            return {}
        case 1:
            return {"matchLabels": {"app": random.choice("xyz")}}
        case 2:
            return {"matchExpressions": [{"key": "app", "operator": "In", "values": ["x", "y"]}]}
        case 3:
            return {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}
        case _:
            return {
                "matchLabels": {"tier": "web"},
                "matchExpressions": [{"key": "app", "operator": random.choice(["Exists", "DoesNotExist"])}],
            }


def _namespaces(random: Random) -> Data:
    return random.choice(
        [
            {},
            {"matchLabels": {"team": random.choice("abc")}},
            {"matchLabels": {"kubernetes.io/metadata.name": random.choice([*NAMESPACES])}},
            {"matchExpressions": [{"key": "team", "operator": random.choice(["Exists", "DoesNotExist"])}]},
            {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]},
        ]
    )


def may_connect(
    objects: list[Data], source: Data | str, destination: Data | str, protocol: str, port: int
) -> bool:
    """Tell whether a pod, or an address, may open a port of another."""
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    asked = (destination, protocol, port)
    leaves = isinstance(source, str) or _permitted(policies, "Egress", source, destination, asked)
    enters = isinstance(destination, str) or _permitted(policies, "Ingress", destination, source, asked)
    return leaves and enters


def _permitted(
    policies: list[Data], direction: str, pod: Data, other: Data | str, asked: tuple[Data | str, str, int]
) -> bool:
    restricting = [each for each in policies if _restricts(each, direction) and _picks(each, pod)]
    if not restricting:
        return True
    key = {"Ingress": "from", "Egress": "to"}[direction]
    for policy in restricting:
        for rule in policy["spec"].get(direction.lower(), []):
            peers, ports = rule.get(key), rule.get("ports")
            known = not peers or any(_is_peer(peer, other, policy["metadata"]["namespace"]) for peer in peers)
            open_ = not ports or any(_is_port(each, *asked) for each in ports)
            if known and open_:
                return True
    return False


def _restricts(policy: Data, direction: str) -> bool:
    types = policy["spec"].get("policyTypes")
    if types:
        return direction in types
    return direction == "Ingress" or bool(policy["spec"].get("egress"))


def _picks(policy: Data, pod: Data) -> bool:
    same = policy["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return same and _matches(policy["spec"]["podSelector"], pod["metadata"]["labels"])


def _is_peer(peer: Data, other: Data | str, namespace: str) -> bool:
    if "ipBlock" in peer:
        if not isinstance(other, str):
            return False
        block = peer["ipBlock"]
        inside = ip_address(other) in ip_network(block["cidr"])
        return inside and not any(ip_address(other) in ip_network(each) for each in block.get("except", []))
    if isinstance(other, str):
        return False
    where = other["metadata"]["namespace"]
    if "namespaceSelector" in peer:
        labels = {**NAMESPACES[where], "kubernetes.io/metadata.name": where}
        if not _matches(peer["namespaceSelector"], labels):
            return False
    elif where != namespace:
        return False
    return "podSelector" not in peer or _matches(peer["podSelector"], other["metadata"]["labels"])


def _is_port(allowed: Data, destination: Data | str, protocol: str, port: int) -> bool:
    if allowed.get("protocol", "TCP") != protocol:
        return False
    if "port" not in allowed:
        return True
    if isinstance(allowed["port"], int):
        return bool(allowed["port"] <= port <= allowed.get("endPort", allowed["port"]))
    if isinstance(destination, str):
        return False
    return any(
        each["name"] == allowed["port"] and each["protocol"] == protocol and each["containerPort"] == port
        for container in destination["spec"]["containers"]
        for each in container["ports"]
    )


def _matches(selector: Data, labels: dict[str, str]) -> bool:
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for each in selector.get("matchExpressions", []):
        has, value = each["key"] in labels, labels.get(each["key"])
        match each["operator"]:
            case "In":
                met = has and value in each["values"]
            case "NotIn":
                met = not has or value not in each["values"]
            case "Exists":
                met = has
            case _:
                met = not has
        if not met:
            return False
    return True
