"""The ground an environment's components stand on: namespace, limits, network, credentials, storage."""

import json
from types import TracebackType
from typing import Self

from cdk8s_plus_27 import k8s
from constructs import Construct

from traversion.platform.capacity import ACME_SOLVER, Capacity
from traversion.platform.certificates import Certificates
from traversion.platform.component import KEPT_BY_ARGO_CD, Component
from traversion.platform.credentials import Credentials
from traversion.platform.flows import Addresses, Network
from traversion.platform.notation import quantity
from traversion.platform.placement import Placement
from traversion.platform.storage import Storage
from traversion.settings import (
    AuthoritySettings,
    ClusterSettings,
    CredentialSettings,
    PlacementSettings,
)
from traversion.values import format_bytes, format_millicores

SUPPLIED_SECRETS = "verify.traversion.io/supplied-secrets"
"""Annotation of the Namespace: JSON, Secrets that the manifests rely on but do not contain -> their keys."""


class Platform(Construct):
    """One namespace and what every component in it relies on.

    Used as a context manager: components are made inside the ``with`` block and declare what they
    need; at its end the network policies, the quota and the ExternalSecrets are written from that.

    >>> with Platform(chart, name="dev", namespace="traversion-dev") as platform:
    ...     RedisCache(platform, RedisSettings())
    """

    def __init__(
        self,
        scope: Construct,
        *,
        name: str,
        namespace: str,
        cluster: ClusterSettings | None = None,
        placement: PlacementSettings | None = None,
        credentials: CredentialSettings | None = None,
        authority: AuthoritySettings | None = None,
        priority: int = 100_000,
        quota_headroom_percent: int = 20,
        vertical_pod_autoscaler: bool = False,
    ) -> None:
        """Create the namespace and the certificate authority of the environment called ``name``."""
        super().__init__(scope, "platform")
        cluster = cluster or ClusterSettings()
        self.instance = f"traversion-{name}"
        self.namespace = namespace
        self.component = Component("traversion", "platform", self.instance, namespace)
        self.placement = Placement(placement or PlacementSettings(), cluster.cloud)
        self.vertical_pod_autoscaler = vertical_pod_autoscaler
        self._headroom_percent = quota_headroom_percent

        self._namespace_object = self._namespace()
        self._priority_classes(priority)
        # kubectl applies a file from top to bottom: limits and rules stand before the pods they are for.
        self._limits_scope = Construct(self, "limits")
        self._network_scope = Construct(self, "network")
        self._external_secrets_scope = Construct(self, "external-secrets")
        self.storage = Storage(Construct(self, "storage"), self.component, cluster)
        self.credentials = Credentials(credentials or CredentialSettings())
        self.certificates = Certificates(
            Construct(self, "certificates"),
            self.component,
            authority or AuthoritySettings(),
            self.credentials,
        )
        self.network = Network(self.component, cluster.resolvers)
        self.api_server = Addresses("kubernetes-api-server", cluster.api_server_cidrs)
        self.kubelets = Addresses("kubelets", cluster.node_cidrs)
        self.capacity = Capacity()
        self.capacity.add_pods(1, [ACME_SOLVER], [])
        self.pull_secrets: set[str] = set()

    def __enter__(self) -> Self:
        """Begin to add components."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what follows from the declarations of all components."""
        if error is None:
            self.network.write_policies(self._network_scope)
            self.credentials.write_external_secrets(self._external_secrets_scope)
            self._declare_supplied_secrets()
            self._quota()
            self._limit_range()

    def make_component(self, name: str, role: str, version: str = "") -> Component:
        """Name a component of this environment."""
        return Component(name, role, self.instance, self.namespace, version)

    @property
    def data_priority(self) -> str:
        """The PriorityClass of what keeps data."""
        return f"{self.instance}-data"

    @property
    def serving_priority(self) -> str:
        """The PriorityClass of what answers requests."""
        return f"{self.instance}-serving"

    @property
    def monitoring_priority(self) -> str:
        """The PriorityClass of what watches the others."""
        return f"{self.instance}-monitoring"

    def _namespace(self) -> k8s.KubeNamespace:
        levels = {
            f"pod-security.kubernetes.io/{mode}{suffix}": value
            for mode in ("enforce", "audit", "warn")
            for suffix, value in (("", "restricted"), ("-version", "latest"))
        }
        return k8s.KubeNamespace(
            self,
            "namespace",
            metadata=k8s.ObjectMeta(
                name=self.namespace,
                labels=self.component.labels | levels,
                annotations=KEPT_BY_ARGO_CD,
            ),
        )

    def _declare_supplied_secrets(self) -> None:
        """Tell `traversion verify` which Secrets come from elsewhere, and with which keys."""
        secrets = {name: [".dockerconfigjson"] for name in sorted(self.pull_secrets)}
        secrets |= {each.secret: list(each.sources) for each in self.credentials.supplied}
        if secrets:
            annotation = json.dumps(secrets, separators=(",", ":"))
            self._namespace_object.metadata.add_annotation(SUPPLIED_SECRETS, annotation)

    def _priority_classes(self, highest: int) -> None:
        purposes = {
            self.data_priority: (highest, "Data stores: everything else waits for them."),
            self.serving_priority: (highest - highest // 10, "Pods that answer requests."),
            self.monitoring_priority: (highest // 2, "Pods that watch the others."),
        }
        for name, (value, description) in purposes.items():
            k8s.KubePriorityClass(
                self,
                name,
                metadata=self.component.cluster_metadata(name),
                value=value,
                description=description,
            )

    def _quota(self) -> None:
        def with_headroom(number: int) -> int:
            return -(-number * (100 + self._headroom_percent) // 100)

        def memory(number: int) -> str:
            return format_bytes(-(-with_headroom(number) // 2**20) * 2**20)  # whole MiB

        demand = self.capacity.total
        hard = {
            "requests.cpu": format_millicores(with_headroom(demand.cpu)),
            "limits.cpu": format_millicores(with_headroom(demand.cpu_limit)),
            "requests.memory": memory(demand.memory),
            "limits.memory": memory(demand.memory_limit),
            "pods": str(with_headroom(self.capacity.pods)),
            "requests.storage": memory(self.capacity.storage),
            "persistentvolumeclaims": str(with_headroom(self.capacity.claims)),
            # The ingress controller is the only way in.
            "services.nodeports": "0",
            "services.loadbalancers": "0",
        }
        k8s.KubeResourceQuota(
            self._limits_scope,
            "quota",
            metadata=self.component.metadata("traversion-quota"),
            spec=k8s.ResourceQuotaSpec(hard={key: quantity(value) for key, value in hard.items()}),
        )

    def _limit_range(self) -> None:
        largest = self.capacity.largest
        k8s.KubeLimitRange(
            self._limits_scope,
            "limit-range",
            metadata=self.component.metadata("traversion-limits"),
            spec=k8s.LimitRangeSpec(
                limits=[
                    k8s.LimitRangeItem(
                        type="Container",
                        default_request=_amounts(ACME_SOLVER.cpu, ACME_SOLVER.memory),
                        default=_amounts(ACME_SOLVER.cpu_limit, ACME_SOLVER.memory_limit),
                        max=_amounts(
                            format_millicores(largest.cpu_limit), format_bytes(largest.memory_limit)
                        ),
                    )
                ]
            ),
        )


def _amounts(cpu: str, memory: str) -> dict[str, k8s.Quantity]:
    return {"cpu": quantity(cpu), "memory": quantity(memory)}
