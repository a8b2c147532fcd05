"""Pods and namespaces that other people install and that policies name.

Add an entry to teach the checks another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class OutsidePods:
    """Pods that are in most clusters but in few sets of manifests."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    ports: tuple[tuple[str, str, int], ...] = ()
    """Name, protocol and number of the ports that they open."""


@dataclass(frozen=True)
class OutsideNamespace:
    """A namespace that common installations make."""

    labels: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False
    """Whether all of its usual pods stand in ``PODS``: a selector that picks none of them is dead."""


def _helm(name: str, instance: str, component: str = "") -> dict[str, str]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": instance}
    return labels | ({"app.kubernetes.io/component": component} if component else {})


PODS = (
    # kubernetes/ingress-nginx deploy/static/provider/cloud/deploy.yaml
    OutsidePods(
        "controller",
        "ingress-nginx",
        _helm("ingress-nginx", "ingress-nginx", "controller"),
        (("http", "TCP", 80), ("https", "TCP", 443), ("metrics", "TCP", 10254), ("webhook", "TCP", 8443)),
    ),
    # kubernetes/kubernetes cluster/addons/dns/coredns/coredns.yaml.base: CoreDNS keeps its forerunner's label
    OutsidePods(
        "kube-dns",
        "kube-system",
        {"k8s-app": "kube-dns"},
        (("dns", "UDP", 53), ("dns-tcp", "TCP", 53), ("metrics", "TCP", 9153)),
    ),
    # kubernetes-sigs/metrics-server manifests/base/deployment.yaml
    OutsidePods("metrics-server", "kube-system", {"k8s-app": "metrics-server"}, (("https", "TCP", 10250),)),
    # cert-manager deploy/charts/cert-manager/templates; ports: 9402 metrics, 10250 webhook
    OutsidePods(
        "cert-manager",
        "cert-manager",
        _helm("cert-manager", "cert-manager", "controller") | {"app": "cert-manager"},
        (("http-metrics", "TCP", 9402), ("http-healthz", "TCP", 9403)),
    ),
    OutsidePods(
        "webhook",
        "cert-manager",
        _helm("webhook", "cert-manager", "webhook") | {"app": "webhook"},
        (("https", "TCP", 10250), ("healthcheck", "TCP", 6080), ("http-metrics", "TCP", 9402)),
    ),
    OutsidePods(
        "cainjector",
        "cert-manager",
        _helm("cainjector", "cert-manager", "cainjector") | {"app": "cainjector"},
        (("http-metrics", "TCP", 9402),),
    ),
)
"""Those whose labels and ports are known."""

SOLVER_LABEL = "acme.cert-manager.io/http01-solver"
"""cert-manager starts its solvers in the namespace of the Certificate (pkg/issuer/acme/http/pod.go)."""

SOLVER_PORT = ("http", "TCP", 8089)

INJECTED_PORT_NAMES = frozenset(
    {
        "http-envoy-prom",  # istio-proxy, istio/istio manifests/charts/istio-control/istio-discovery
        "linkerd-admin",  # linkerd2 charts/partials/templates/_proxy.tpl
        "linkerd-proxy",
    }
)
"""Ports of containers that a mesh adds when the pod is made."""

# Names that installations use by default; their namespaces carry no labels that a policy could rely on,
# except the name that Kubernetes itself writes. Sources: each project's manifest or Helm instructions.
NAMESPACES: Mapping[str, OutsideNamespace] = {
    name: OutsideNamespace()
    for name in (
        *("default", "kube-node-lease", "kube-public", "kube-system"),
        *("argocd", "argo", "argo-rollouts", "flux-system", "tekton-pipelines", "cattle-system"),
        *("external-dns", "external-secrets", "reloader", "sealed-secrets", "vault", "velero"),
        *("calico-system", "cilium", "metallb-system", "projectcontour", "tigera-operator", "traefik"),
        *("haproxy-controller", "istio-ingress", "istio-system", "kong", "linkerd", "linkerd-viz"),
        *("envoy-gateway-system", "ingress", "nginx-gateway", "nginx-ingress"),
        *("datadog", "elastic-system", "grafana", "jaeger", "logging", "loki", "monitoring", "observability"),
        *("opentelemetry-operator-system", "prometheus", "tempo"),
        *("cnpg-system", "gatekeeper-system", "keda", "knative-serving", "kyverno", "longhorn-system"),
        *("gke-managed-system", "gmp-system", "kube-flannel", "rook-ceph"),
    )
} | {
    "cert-manager": OutsideNamespace(complete=True),
    "ingress-nginx": OutsideNamespace(_helm("ingress-nginx", "ingress-nginx"), complete=True),
    # openshift docs, "About network policy": the router's and the monitoring namespaces bear these labels
    "openshift-ingress": OutsideNamespace(
        {
            "network.openshift.io/policy-group": "ingress",
            "policy-group.network.openshift.io/ingress": "",
        }
    ),
    "openshift-host-network": OutsideNamespace({"policy-group.network.openshift.io/host-network": ""}),
    "openshift-monitoring": OutsideNamespace({"network.openshift.io/policy-group": "monitoring"}),
    "openshift-user-workload-monitoring": OutsideNamespace(
        {"network.openshift.io/policy-group": "monitoring"}
    ),
    "openshift-dns": OutsideNamespace(),
}
"""Namespaces that policies of other people name."""

DATA_PORTS: Mapping[int, str] = {
    22: "SSH",
    23: "Telnet",
    1433: "SQL Server",
    1521: "Oracle",
    2181: "ZooKeeper",
    2375: "Docker",
    2379: "etcd",
    3306: "MySQL",
    3389: "RDP",
    5432: "PostgreSQL",
    5672: "AMQP",
    5984: "CouchDB",
    6379: "Redis",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "Elasticsearch",
    9300: "Elasticsearch",
    10250: "kubelet",
    11211: "memcached",
    26257: "CockroachDB",
    27017: "MongoDB",
}
"""Ports of data stores and of administration, by the IANA register or the project's default."""
