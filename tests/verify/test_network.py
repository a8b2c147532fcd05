"""Checks of NetworkPolicies: what they leave open, cut off, or write in vain."""

import pytest

from tests.verify.cases import errors, found

_IDS = {
    *("policy-absent", "policy-uncovered", "policy-open-ingress", "policy-open-egress", "policy-metadata"),
    *("policy-one-sided", "policy-dns", "policy-invalid", "policy-rules-ignored", "policy-peer-dead"),
    *("policy-port-closed", "policy-port-name"),
}
_NAMESPACE = """
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
"""
_DENY = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
_DNS = """{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}},
    podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}]}"""


def _pod(name: str, *ports: str, namespace: str = "shop", env: str = "") -> str:
    return f"""
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}
spec: {{containers: [{{name: x, env: [{env}], ports: [{", ".join(ports)}]}}]}}
"""


def _policy(spec: str, name: str = "policy") -> str:
    return f"""
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: shop}}
spec: {spec}
"""


def _ingress(rule: str, pods: str = "api") -> str:
    return _policy(f"{{podSelector: {{matchLabels: {{app: {pods}}}}}, ingress: [{rule}]}}")


def _egress(rule: str, pods: str = "api") -> str:
    return _policy(
        f"{{podSelector: {{matchLabels: {{app: {pods}}}}}, policyTypes: [Egress], egress: [{rule}]}}"
    )


def _service(name: str, ports: str) -> str:
    return f"""
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {name}}}, ports: [{ports}]}}
"""


def _to_block(block: str, port: int = 443) -> str:
    return _API + _DENY + _egress(f"{{to: [{{ipBlock: {{{block}}}}}], ports: [{{port: {port}}}]}}")


def _from_namespace(labels: str, pods: str = "") -> str:
    also = f", podSelector: {{matchLabels: {{{pods}}}}}" if pods else ""
    return _ingress(f"{{from: [{{namespaceSelector: {{matchLabels: {{{labels}}}}}{also}}}]}}")


_API = _pod("api", "{name: http, containerPort: 8080}")
_DATABASE = _pod("database", "{name: postgres, containerPort: 5432}")
_GONE = "{from: [{podSelector: {matchLabels: {app: gone}}}]}"
_FROM = "{{from: [{{ipBlock: {{cidr: {}}}}}]}}"
_TO_DATABASE = "{to: [{podSelector: {matchLabels: {app: database}}}], ports: [{port: 5432}]}"
_UDP_53 = "ports: [{port: 53, protocol: UDP}]"


@pytest.mark.parametrize(
    ("manifests", "expected"),
    [
        (_API, {"policy-absent"}),
        (_API + _DENY, set()),
        (_pod("agent").replace("spec: {", "spec: {hostNetwork: true, "), set()),
        (_API + _policy("{podSelector: {}}"), {"policy-uncovered"}),  # nobody restricts egress
        (_API + _DATABASE + _DENY + _ingress("{from: [{podSelector: {}}]}"), {"policy-one-sided"}),
        # -- the world
        (_DATABASE + _DENY + _ingress("{}", "database"), {"policy-open-ingress"}),
        (_API + _DENY + _ingress("{}"), set()),
        (_API + _DENY + _ingress("{from: [], ports: [{port: http}]}"), set()),
        (_DATABASE + _DENY + _ingress("{ports: [{port: postgres}]}", "database"), {"policy-open-ingress"}),
        (_DATABASE + _DENY + _ingress(_FROM.format("'::/0'"), "database"), {"policy-open-ingress"}),
        (_DATABASE + _DENY + _ingress(_FROM.format("10.0.0.0/8"), "database"), set()),
        (_API + _DENY + _egress("{}"), {"policy-open-egress", "policy-metadata"}),
        (_API + _DENY + _egress("{to: [{namespaceSelector: {}}]}"), set()),
        (_API + _DENY + _egress("{ports: [{port: 25}]}"), {"policy-open-egress", "policy-metadata"}),
        # -- the metadata address
        (_API + _DENY + _egress("{ports: [{port: 443}]}"), {"policy-metadata"}),
        (_API + _DENY + _egress("{ports: [{port: 53, protocol: UDP}, {port: 53}]}"), set()),
        (_to_block("cidr: 169.254.169.254/32", 80), {"policy-metadata"}),
        (_to_block("cidr: 169.254.169.254/32", 53), set()),
        (_to_block("cidr: 169.254.0.0/16", 80), {"policy-metadata"}),
        (_to_block("cidr: 0.0.0.0/0, except: [169.254.0.0/16]"), set()),
        (_to_block("cidr: '::/0'"), {"policy-metadata"}),
        (_to_block("cidr: '::/0', except: ['fd00:ec2::254/128']"), set()),
        # -- refused by the API server
        (_ingress("{from: [{}]}"), {"policy-invalid"}),
        (_ingress("{from: [{ipBlock: {cidr: 10.0.0.1}}]}"), {"policy-invalid"}),
        (_ingress("{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}"), {"policy-invalid"}),
        (_ingress("{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}"), {"policy-invalid"}),
        (_ingress("{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['fd00::/8']}}]}"), {"policy-invalid"}),
        (_ingress('{ports: [{port: "8080"}]}'), {"policy-invalid"}),
        (_ingress("{ports: [{port: 80, endPort: 70}]}"), {"policy-invalid"}),
        (_ingress("{ports: [{port: http, endPort: 70}]}"), {"policy-invalid"}),
        (_ingress("{ports: [{endPort: 70}]}"), {"policy-invalid"}),
        (_ingress("{ports: [{port: 80, endPort: 80}]}"), set()),
        (_policy("{podSelector: {}, policyTypes: [Egress], ingress: [{}]}"), {"policy-rules-ignored"}),
        (_policy("{podSelector: {}, policyTypes: [Egress], ingress: []}"), set()),
        # -- peers
        (_from_namespace("name: ingress-nginx"), {"policy-peer-dead"}),
        (_from_namespace("kubernetes.io/metadata.name: traefik"), set()),
        (_from_namespace("app.kubernetes.io/name: ingress-nginx"), set()),
        (_from_namespace("kubernetes.io/metadata.name: ingress-nginx", "app: nginx"), {"policy-peer-dead"}),
        (_from_namespace("kubernetes.io/metadata.name: monitoring", "app: anything"), set()),
        (_API + _DENY + _ingress(_GONE), {"policy-peer-dead"}),
        # Policies alone say nothing about the pods of their namespace, and an operator may make some.
        (_ingress(_GONE), set()),
        (
            _API + _DENY + _ingress(_GONE) + "---\n"
            "{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {name: db, namespace: shop}}",
            set(),
        ),
        (_ingress("{from: [{namespaceSelector: {}}, {podSelector: {}}]}"), set()),
        # -- ports
        (_API + _DENY + _ingress("{ports: [{port: 80}]}"), {"policy-port-closed"}),
        (_API + _DENY + _ingress("{ports: [{port: 8080, protocol: UDP}]}"), {"policy-port-closed"}),
        (_API + _DENY + _ingress("{ports: [{port: 8000, endPort: 9000}]}"), set()),
        (_pod("api") + _DENY + _ingress("{ports: [{port: 80}]}"), set()),
        (_API + _DENY + _ingress("{ports: [{port: web}]}"), {"policy-port-name"}),
        (_API + _DENY + _ingress("{ports: [{port: http, protocol: UDP}]}"), {"policy-port-name"}),
        (_API + _DENY + _ingress("{ports: [{port: http-envoy-prom}]}"), set()),
        (
            _API + _DATABASE + _DENY + _egress(_TO_DATABASE.replace("5432", "5433")),
            {"policy-port-closed", "policy-one-sided"},
        ),
    ],
)
def test_policies(manifests: str, expected: set[str]) -> None:
    assert found(manifests + _NAMESPACE) & _IDS == expected


@pytest.mark.parametrize(
    ("env", "rules", "dns"),
    [
        ("{name: DB, value: database}", "", True),
        ("{name: DB, value: 'postgres://me@database:5432/x'}", "", True),
        ("{name: DB, value: database.shop.svc.cluster.local}", "", True),
        ("{name: DB, value: 'the database of the shop'}", "", False),
        ("{name: DB, value: other}", "", False),
        ("{name: DB, value: api}", "", False),  # its own Service
        ("{name: DB, value: database}", f", {_DNS}", False),
        ("{name: DB, value: database}", f", {_DNS.replace('kube-dns', 'coredns')}", True),
        ("{name: DB, value: database}", ", {ports: [{port: 53, protocol: UDP}]}", False),
        ("{name: DB, value: database}", ", {ports: [{port: 53}]}", True),
        (
            "{name: DB, value: database}",
            f", {{to: [{{ipBlock: {{cidr: 10.96.0.10/32}}}}], {_UDP_53}}}",
            False,
        ),
        ("{name: DB, value: database}", f", {{to: [{{namespaceSelector: {{}}}}], {_UDP_53}}}", False),
    ],
)
def test_names_need_dns(env: str, rules: str, dns: bool) -> None:  # noqa: FBT001 # a table
    manifests = (
        _pod("api", env=env)
        + _DATABASE
        + _service("database", "{port: 5432}")
        + _service("api", "{port: 80}")
        + _egress(_TO_DATABASE + rules)
    )
    assert ("policy-dns" in found(manifests)) == dns


def test_a_services_port_in_a_rule_is_an_error() -> None:
    rule = _ingress("{ports: [{port: 80}]}")
    assert "policy-port-closed" not in errors(_API + rule)
    assert "policy-port-closed" in errors(_API + rule + _service("api", "{port: 80, targetPort: 8080}"))
    assert "policy-port-closed" in errors(_API + rule + _service("api", "{port: 80, targetPort: http}"))


def test_a_namespace_of_the_set_without_the_label_is_an_error() -> None:
    rule = _ingress("{from: [{namespaceSelector: {matchLabels: {name: shop}}}]}")
    assert "policy-peer-dead" not in errors(rule)
    assert "policy-peer-dead" in errors(rule + _NAMESPACE)


@pytest.mark.parametrize("odd", ["null", "[]", "3", "text", "{}", "[null]", "[{}]", "[[1]]"])
def test_wrong_types_are_survived(odd: str) -> None:
    peer = f"{{podSelector: {odd}, namespaceSelector: {odd}}}"
    found(_API + _policy(f"{{podSelector: {{}}, ingress: [{{from: [{peer}], ports: [{{port: {odd}}}]}}]}}"))
    found(_API + _policy(f"{{podSelector: {odd}, policyTypes: {odd}, egress: {odd}}}"))
    found(_API + _policy(f"{{podSelector: {{}}, egress: [{{to: {odd}, ports: {odd}}}, {odd}]}}"))
    found(_API + _policy(odd))
