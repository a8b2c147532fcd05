"""What the cluster's prometheus-operator is given instead of a Prometheus of our own: monitors and rules.

Series bear the same ``job``, ``component``, ``environment``, ``namespace`` and ``pod`` as in a Prometheus of
our own, so that rules, dashboards and the autoscaler's metric are the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cdk8s import ApiObjectMetadata
from constructs import Construct

from imports.com.coreos.monitoring import (
    PrometheusRule,
    PrometheusRuleSpec,
    PrometheusRuleSpecGroups,
    PrometheusRuleSpecGroupsRules,
    PrometheusRuleSpecGroupsRulesExpr,
    ServiceMonitor,
    ServiceMonitorSpec,
    ServiceMonitorSpecEndpoints,
    ServiceMonitorSpecEndpointsMetricRelabelings,
    ServiceMonitorSpecEndpointsMetricRelabelingsAction,
    ServiceMonitorSpecEndpointsRelabelings,
    ServiceMonitorSpecEndpointsRelabelingsAction,
    ServiceMonitorSpecEndpointsScheme,
    ServiceMonitorSpecEndpointsTlsConfig,
    ServiceMonitorSpecEndpointsTlsConfigCa,
    ServiceMonitorSpecEndpointsTlsConfigCaSecret,
    ServiceMonitorSpecNamespaceSelector,
    ServiceMonitorSpecSelector,
)
from traversion.observability.prometheus import (
    CADVISOR_METRICS,
    KUBELET_METRICS,
    TOKEN_FILE,
    MetricsApi,
    ScrapeTarget,
)
from traversion.observability.scope import scoped
from traversion.platform import Platform
from traversion.platform.certificates import ServingCertificate
from traversion.platform.component import Component
from traversion.platform.flows import Pods
from traversion.platform.workloads import service
from traversion.settings import OperatorSettings

_PORT = "scrape"
# The operator adds these to every target. Metrics of the API have an `endpoint` of their own, which would
# come out as `exported_endpoint`.
_OPERATORS_OWN = "container|endpoint|service"


class Monitors:
    """ServiceMonitors for every target and for the kubelets, and one PrometheusRule.

    Each target gets a Service ``<name>-metrics`` of its own: a monitor of the Services that clients use
    would scrape a pod once for each of them.
    """

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: OperatorSettings,
        *,
        targets: Sequence[ScrapeTarget],
        scrape_interval: str,
        rules: Sequence[Mapping[str, Any]],
    ) -> None:
        """Create them for the operator that ``settings`` describe."""
        self._scope = Construct(scope, "monitors")
        self._settings = settings
        self._interval = scrape_interval
        self._component = platform.make_component("monitors", "monitoring")
        prometheus = Pods("cluster-prometheus", settings.prometheus_labels, settings.namespace)
        self.api = MetricsApi(prometheus, settings.port, settings.url)
        for target in targets:
            port = target.component.ports[target.port_name]
            platform.network.allow(prometheus, target.component, port, because=f"scrape {target.job}")
            self._pods(target)
        self._kubelets("cadvisor", "/metrics/cadvisor", CADVISOR_METRICS)
        self._kubelets("kubelet", "/metrics", KUBELET_METRICS)
        self._rules(scoped(rules, self._component.instance, self._component.namespace))

    def _pods(self, target: ScrapeTarget) -> None:
        component = target.component
        name = f"{component.name}-metrics"
        port = component.ports[target.port_name]
        service(self._scope, component, name, {_PORT: (port, target.port_name)}, headless=True)
        endpoint = ServiceMonitorSpecEndpoints(
            port=_PORT,
            path=target.path,
            interval=self._interval,
            honor_labels=target.describes_others or None,
            **(_tls(target.certificate) if target.certificate else {}),
            relabelings=[
                *self._identity(target.job),
                _label("component", component.role),
                _drop(_OPERATORS_OWN),
            ],
        )
        ServiceMonitor(
            self._scope,
            f"monitor-{target.job}",
            metadata=self._metadata(component, component.name),
            spec=ServiceMonitorSpec(
                selector=ServiceMonitorSpecSelector(match_labels=component.selector), endpoints=[endpoint]
            ),
        )

    def _kubelets(self, job: str, path: str, metrics: str) -> None:
        """Ask the kubelets again, for this namespace alone: who else asks them labels the answers otherwise.

        The operator keeps a Service of all kubelets.
        """
        endpoint = ServiceMonitorSpecEndpoints(
            port="https-metrics",
            scheme=ServiceMonitorSpecEndpointsScheme.HTTPS,
            path=path,
            interval=self._interval,
            bearer_token_file=TOKEN_FILE,
            tls_config=ServiceMonitorSpecEndpointsTlsConfig(insecure_skip_verify=True),
            # Targets have the namespace of the Service; containers have theirs.
            relabelings=[*self._identity(job), _drop(f"{_OPERATORS_OWN}|namespace")],
            metric_relabelings=[
                _keep("__name__", metrics),
                _keep("namespace", self._component.namespace),
            ],
        )
        ServiceMonitor(
            self._scope,
            f"monitor-{job}",
            metadata=self._metadata(self._component, job),
            spec=ServiceMonitorSpec(
                namespace_selector=ServiceMonitorSpecNamespaceSelector(match_names=["kube-system"]),
                selector=ServiceMonitorSpecSelector(match_labels={"app.kubernetes.io/name": "kubelet"}),
                endpoints=[endpoint],
            ),
        )

    def _rules(self, groups: Sequence[Mapping[str, Any]]) -> None:
        PrometheusRule(
            self._scope,
            "rules",
            metadata=self._metadata(self._component, "traversion"),
            spec=PrometheusRuleSpec(
                groups=[
                    PrometheusRuleSpecGroups(
                        name=group["name"], rules=[_rule(**rule) for rule in group["rules"]]
                    )
                    for group in groups
                ]
            ),
        )

    def _identity(self, job: str) -> list[ServiceMonitorSpecEndpointsRelabelings]:
        return [_label("job", job), _label("environment", self._component.instance)]

    def _metadata(self, component: Component, name: str) -> ApiObjectMetadata:
        return ApiObjectMetadata(
            name=name,
            namespace=component.namespace,
            labels={**component.labels, **self._settings.labels},
        )


def _tls(certificate: ServingCertificate) -> Mapping[str, Any]:
    """Pods are found by address, which no certificate bears: expect the name of their Service."""
    authority = ServiceMonitorSpecEndpointsTlsConfigCaSecret(name=certificate.trust_secret, key="ca.crt")
    return {
        "scheme": ServiceMonitorSpecEndpointsScheme.HTTPS,
        "tls_config": ServiceMonitorSpecEndpointsTlsConfig(
            ca=ServiceMonitorSpecEndpointsTlsConfigCa(secret=authority), server_name=certificate.name
        ),
    }


def _label(name: str, value: str) -> ServiceMonitorSpecEndpointsRelabelings:
    return ServiceMonitorSpecEndpointsRelabelings(target_label=name, replacement=value)


def _drop(labels: str) -> ServiceMonitorSpecEndpointsRelabelings:
    action = ServiceMonitorSpecEndpointsRelabelingsAction.LABELDROP
    return ServiceMonitorSpecEndpointsRelabelings(action=action, regex=labels)


def _keep(label: str, pattern: str) -> ServiceMonitorSpecEndpointsMetricRelabelings:
    action = ServiceMonitorSpecEndpointsMetricRelabelingsAction.KEEP
    return ServiceMonitorSpecEndpointsMetricRelabelings(source_labels=[label], regex=pattern, action=action)


def _rule(expr: str, **rest: Any) -> PrometheusRuleSpecGroupsRules:  # noqa: ANN401 # a rule's other fields
    query = PrometheusRuleSpecGroupsRulesExpr.from_string(expr)
    lasting = rest.pop("for", None)
    return PrometheusRuleSpecGroupsRules(expr=query, for_=lasting, **rest)
