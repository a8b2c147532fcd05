"""The custom metrics API: how the autoscaler learns the requests per second."""

from cdk8s_plus_27 import k8s
from constructs import Construct

from traversion import contract
from traversion.api import REQUESTS_PER_SECOND
from traversion.observability.prometheus import MetricsApi
from traversion.observability.text import to_yaml
from traversion.platform import Platform
from traversion.platform.flows import Pods
from traversion.platform.pods import Container, Pod, http_probe
from traversion.platform.rbac import (
    account_of,
    allow_in_namespace,
    bind_cluster_role,
    call_kubernetes,
)
from traversion.platform.volumes import ConfigFiles, Mount
from traversion.platform.workloads import deployment, disruption_budget, service
from traversion.settings import ExporterSettings

_UID = 65534
_API_GROUP = "custom.metrics.k8s.io"
_CONFIG, _CERTIFICATE = "/etc/adapter", "/etc/adapter-tls"
_TRUST = "/etc/prometheus-trust"


class PrometheusAdapter:
    """Answers the autoscaler's question from Prometheus, as an API that the API server verifies.

    Creates the Deployment and Service ``prometheus-adapter`` and the cluster's one APIService for
    ``custom.metrics.k8s.io``.
    """

    port = 6443

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: ExporterSettings,
        metrics: MetricsApi,
    ) -> None:
        """Create the adapter in front of a Prometheus."""
        self._scope = Construct(scope, "prometheus-adapter")
        self._platform = platform
        self.component = platform.make_component(
            "prometheus-adapter", "autoscaling", settings.image.tag
        ).with_ports(https=self.port)
        self._certificate = platform.certificates.serving(self.component, [self.component.name])
        self._flows(metrics)
        self._permissions()
        self._server(settings, metrics)
        service(self._scope, self.component, self.component.name, {"https": (443, "https")})
        disruption_budget(self._scope, self.component, self.component.name)
        self._api_service()

    def _flows(self, metrics: MetricsApi) -> None:
        network = self._platform.network
        network.allow(self.component, metrics.endpoint, metrics.port, because="query request rates")
        network.allow(self._platform.api_server, self.component, self.port, because="ask for custom metrics")
        # Where the control plane is somebody else's network, its requests come out of this agent; Azure
        # labels it in another way than Google.
        for name, label in (("konnectivity-agent", "k8s-app"), ("konnectivity-agent-of-azure", "app")):
            tunnel = Pods(name, {label: "konnectivity-agent"}, "kube-system")
            network.allow(tunnel, self.component, self.port, because="ask for custom metrics")

    def _permissions(self) -> None:
        call_kubernetes(self._platform, self.component, because="list pods, and check who asks")
        find_pods = k8s.PolicyRule(api_groups=[""], resources=["pods"], verbs=["get", "list", "watch"])
        allow_in_namespace(self._scope, self.component, [find_pods])
        bind_cluster_role(self._scope, self.component, "system:auth-delegator")
        k8s.KubeRoleBinding(
            self._scope,
            "authentication-reader",
            metadata=k8s.ObjectMeta(
                name=f"{self.component.instance}-prometheus-adapter",
                namespace="kube-system",
                labels=self.component.labels,
            ),
            role_ref=k8s.RoleRef(
                api_group="rbac.authorization.k8s.io",
                kind="Role",
                name="extension-apiserver-authentication-reader",
            ),
            subjects=[account_of(self.component)],
        )

    def _server(self, settings: ExporterSettings, metrics: MetricsApi) -> None:
        rule = {
            "seriesQuery": f'{contract.REQUESTS.name}{{namespace!="",pod!=""}}',
            "resources": {"overrides": {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}},
            "name": {"as": REQUESTS_PER_SECOND},
            "metricsQuery": "sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)",
        }
        config = ConfigFiles(
            "config", "prometheus-adapter-config", {"config.yaml": to_yaml({"rules": [rule]})}
        )
        config.create(self._scope, self.component)
        server = Container(
            name="prometheus-adapter",
            image=settings.image,
            resources=settings.resources,
            args=[
                f"--config={_CONFIG}/config.yaml",
                f"--prometheus-url={metrics.url}",
                *([f"--prometheus-ca-file={_TRUST}/ca.crt"] if metrics.certificate else []),
                f"--secure-port={self.port}",
                f"--tls-cert-file={_CERTIFICATE}/tls.crt",
                f"--tls-private-key-file={_CERTIFICATE}/tls.key",
                "--metrics-relist-interval=1m",
            ],
            ports=self.component.ports,
            mounts=[
                Mount(config, _CONFIG),
                Mount(self._certificate.files, _CERTIFICATE),
                *([Mount(metrics.certificate.trust, _TRUST)] if metrics.certificate else []),
            ],
            startup=http_probe("/readyz", "https", scheme="HTTPS", period=5, failures=36),
            readiness=http_probe("/readyz", "https", scheme="HTTPS"),
            liveness=http_probe("/livez", "https", scheme="HTTPS", failures=6),
        )
        pod = Pod(
            [server],
            uid=_UID,
            gid=_UID,
            calls_kubernetes=True,
            priority_class=self._platform.serving_priority,
        )
        deployment(self._scope, self._platform, self.component, self.component.name, pod)

    def _api_service(self) -> None:
        name = f"v1beta1.{_API_GROUP}"
        injected = {
            "cert-manager.io/inject-ca-from": f"{self.component.namespace}/{self._certificate.secret}"
        }
        k8s.KubeApiService(
            self._scope,
            "api-service",
            metadata=self.component.cluster_metadata(name, injected),
            spec=k8s.ApiServiceSpec(
                group=_API_GROUP,
                version="v1beta1",
                group_priority_minimum=100,
                version_priority=100,
                service=k8s.ServiceReference(
                    name=self.component.name, namespace=self.component.namespace, port=443
                ),
            ),
        )
