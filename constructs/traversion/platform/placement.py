"""Which nodes a component's pods may, should and must run on."""

from dataclasses import dataclass

from cdk8s_plus_27 import k8s

from traversion.platform.component import Component
from traversion.settings import PlacementSettings

# The label that marks a spot node on each cloud; tainted with the same key where the cloud does so.
_SPOT_LABELS = {
    "gke": ("cloud.google.com/gke-spot", "true"),
    "eks": ("eks.amazonaws.com/capacityType", "SPOT"),
    "aks": ("kubernetes.azure.com/scalesetpriority", "spot"),
}
_HOSTNAME, _ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


@dataclass(frozen=True)
class Placement:
    """The placement settings, in the terms of one cloud."""

    settings: PlacementSettings
    cloud: str

    def affinity(self, beside: Component | None = None) -> k8s.Affinity | None:
        """Require the nodes that the environment names, and prefer spot nodes if it wants them.

        ``beside``: on the node of that component, whose volume the pod shares.
        """
        required = [
            k8s.NodeSelectorRequirement(key=key, operator="In", values=[value])
            for key, value in sorted(self.settings.node_labels.items())
        ]
        if not required and not self.settings.spot and not beside:
            return None
        return k8s.Affinity(
            pod_affinity=_on_the_node_of(beside) if beside else None,
            node_affinity=k8s.NodeAffinity(
                required_during_scheduling_ignored_during_execution=k8s.NodeSelector(
                    node_selector_terms=[k8s.NodeSelectorTerm(match_expressions=required)]
                )
                if required
                else None,
                preferred_during_scheduling_ignored_during_execution=self._spot_nodes(),
            )
            if required or self.settings.spot
            else None,
        )

    def tolerations(self) -> list[k8s.Toleration] | None:
        """Accept the taint that keeps ordinary pods off spot nodes."""
        if not self.settings.spot:
            return None
        key, value = _SPOT_LABELS[self.cloud]
        return [k8s.Toleration(key=key, operator="Equal", value=value, effect="NoSchedule")]

    def spread(self, component: Component) -> list[k8s.TopologySpreadConstraint]:
        """Even the pods out over nodes, and over zones if wanted; a full zone must not stop a rollout."""
        keys = [_HOSTNAME, *([_ZONE] if self.settings.spread_zones else [])]
        return [
            k8s.TopologySpreadConstraint(
                topology_key=key,
                max_skew=1,
                when_unsatisfiable="ScheduleAnyway",
                label_selector=k8s.LabelSelector(match_labels=component.selector),
            )
            for key in keys
        ]

    def _spot_nodes(self) -> list[k8s.PreferredSchedulingTerm] | None:
        if not self.settings.spot:
            return None
        key, value = _SPOT_LABELS[self.cloud]
        spot = k8s.NodeSelectorRequirement(key=key, operator="In", values=[value])
        term = k8s.NodeSelectorTerm(match_expressions=[spot])
        return [k8s.PreferredSchedulingTerm(weight=100, preference=term)]


def _on_the_node_of(component: Component) -> k8s.PodAffinity:
    term = k8s.PodAffinityTerm(
        topology_key=_HOSTNAME, label_selector=k8s.LabelSelector(match_labels=component.selector)
    )
    return k8s.PodAffinity(required_during_scheduling_ignored_during_execution=[term])
