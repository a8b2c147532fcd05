"""Deployments, StatefulSets, Jobs and CronJobs: each runs hardened pods under an account of its own.

Whatever is created here is counted, so that the quota of the namespace admits it.
"""

import json
from collections.abc import Mapping
from hashlib import sha256

from cdk8s import JsonPatch
from cdk8s_plus_27 import k8s
from constructs import Construct

from imports.io.k8s.autoscaling import (
    VerticalPodAutoscaler,
    VerticalPodAutoscalerSpec,
    VerticalPodAutoscalerSpecTargetRef,
    VerticalPodAutoscalerSpecUpdatePolicy,
    VerticalPodAutoscalerSpecUpdatePolicyUpdateMode,
)
from traversion.platform.component import KEPT_BY_ARGO_CD, Component
from traversion.platform.ground import Platform
from traversion.platform.notation import int_or_string
from traversion.platform.pods import Pod
from traversion.platform.volumes import Claim


def deployment(
    scope: Construct,
    platform: Platform,
    component: Component,
    name: str,
    pod: Pod,
    *,
    autoscaled_to: int | None = None,
    surge: int = 1,
    annotations: Mapping[str, str] | None = None,
) -> None:
    """Create a Deployment of one pod, or one whose size an autoscaler decides, up to ``autoscaled_to``."""
    service_account(scope, component)
    _count(platform, pod, (autoscaled_to or 1) + surge)
    _recommendations(scope, platform, component, "Deployment", name)
    k8s.KubeDeployment(
        scope,
        "deployment",
        metadata=component.metadata(name, annotations),
        spec=k8s.DeploymentSpec(
            # Beside an autoscaler, a number here would reset the size at every apply.
            replicas=None if autoscaled_to else 1,
            revision_history_limit=5,
            selector=k8s.LabelSelector(match_labels=component.selector),
            strategy=k8s.DeploymentStrategy(
                type="RollingUpdate",
                rolling_update=k8s.RollingUpdateDeployment(
                    max_surge=int_or_string(surge), max_unavailable=int_or_string(0)
                ),
            ),
            template=pod.template(component, platform.placement, spread=autoscaled_to is not None),
        ),
    )


def stateful_set(
    scope: Construct,
    platform: Platform,
    component: Component,
    pod: Pod,
    *,
    claim: Claim,
    governing_service: str,
    replicas: int = 1,
) -> None:
    """Create a StatefulSet of pods with a volume each that nothing deletes."""
    service_account(scope, component)
    _count(platform, pod, replicas)
    platform.capacity.add_claim(claim.size, replicas)
    _recommendations(scope, platform, component, "StatefulSet", component.name)
    created = k8s.KubeStatefulSet(
        scope,
        "stateful-set",
        metadata=component.metadata(component.name, KEPT_BY_ARGO_CD),
        spec=k8s.StatefulSetSpec(
            replicas=replicas,
            revision_history_limit=5,
            service_name=governing_service,
            pod_management_policy="OrderedReady",
            selector=k8s.LabelSelector(match_labels=component.selector),
            template=pod.template(component, platform.placement, spread=replicas > 1),
            volume_claim_templates=[
                k8s.KubePersistentVolumeClaimProps(
                    metadata=k8s.ObjectMeta(
                        name=claim.name, labels=component.lasting_labels, annotations=KEPT_BY_ARGO_CD
                    ),
                    spec=claim.spec(),
                )
            ],
        ),
    )
    # The API server fills these in; unsaid, Argo CD would report the difference for ever.
    template = "/spec/volumeClaimTemplates/0"
    created.add_json_patch(
        JsonPatch.add(f"{template}/apiVersion", "v1"),
        JsonPatch.add(f"{template}/kind", "PersistentVolumeClaim"),
    )


def persistent_volume_claim(scope: Construct, platform: Platform, component: Component, claim: Claim) -> None:
    """Create a claim that pods of several workloads take turns to mount."""
    platform.capacity.add_claim(claim.size)
    k8s.KubePersistentVolumeClaim(
        scope, "claim", metadata=component.metadata(claim.name, KEPT_BY_ARGO_CD), spec=claim.spec()
    )


def job(
    scope: Construct, platform: Platform, component: Component, name: str, pod: Pod, *, deadline_seconds: int
) -> None:
    """Create a Job that runs once for each content: a fingerprint of its pod ends its name.

    A Job's pod template is immutable, so a changed one must be a new Job; Argo CD runs it as a hook.
    """
    service_account(scope, component)
    _count(platform, pod, 1)
    created = k8s.KubeJob(
        scope,
        "job",
        metadata=component.metadata(
            name,
            {
                "argocd.argoproj.io/hook": "Sync",
                "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
            },
        ),
        spec=_job_spec(platform, component, pod, deadline_seconds),
    )
    template = json.dumps(created.to_json()["spec"]["template"], sort_keys=True)
    fingerprint = sha256(template.encode()).hexdigest()[:8]
    created.add_json_patch(JsonPatch.replace("/metadata/name", f"{name}-{fingerprint}"))


def cron_job(
    scope: Construct,
    platform: Platform,
    component: Component,
    name: str,
    pod: Pod,
    *,
    schedule: str,
    deadline_seconds: int,
    retries: int = 6,
) -> None:
    """Create a CronJob that never runs beside itself and starts late rather than not at all.

    The component's account is made by ``service_account``, as several CronJobs may share it.
    """
    _count(platform, pod, 1)
    k8s.KubeCronJob(
        scope,
        "cron-job",
        metadata=component.metadata(name),
        spec=k8s.CronJobSpec(
            schedule=schedule,
            time_zone="Etc/UTC",  # whatever clock the controller lives by
            concurrency_policy="Forbid",
            # An hour of controller outage is made up for; a longer one waits for the next turn.
            starting_deadline_seconds=3600,
            successful_jobs_history_limit=3,
            failed_jobs_history_limit=3,
            job_template=k8s.JobTemplateSpec(
                metadata=k8s.ObjectMeta(labels=component.labels),
                spec=_job_spec(platform, component, pod, deadline_seconds, retries),
            ),
        ),
    )


def service(
    scope: Construct,
    component: Component,
    name: str,
    ports: Mapping[str, tuple[int, str]],
    *,
    headless: bool = False,
    sticky: bool = False,
    app_protocol: str | None = None,
) -> None:
    """Create a Service; ``ports`` maps a name to the port and the container port's name behind it.

    Headless, it gives every pod a DNS name, also before the pod is ready. ``app_protocol`` tells gateways
    and meshes what all its ports speak, where the ports' names do not.
    Sticky, it sends a client to the same pod again.
    """
    k8s.KubeService(
        scope,
        name,
        metadata=component.metadata(name),
        spec=k8s.ServiceSpec(
            type="ClusterIP",
            cluster_ip="None" if headless else None,
            publish_not_ready_addresses=True if headless else None,
            session_affinity="ClientIP" if sticky else None,
            selector=component.selector,
            ports=[
                k8s.ServicePort(
                    name=port_name,
                    port=port,
                    target_port=int_or_string(target),
                    protocol="TCP",
                    app_protocol=app_protocol,
                )
                for port_name, (port, target) in ports.items()
            ],
        ),
    )


def disruption_budget(scope: Construct, component: Component, name: str) -> None:
    """Create a PodDisruptionBudget that lets a drain take one pod at a time, and never blocks it."""
    k8s.KubePodDisruptionBudget(
        scope,
        "disruption-budget",
        metadata=component.metadata(name),
        spec=k8s.PodDisruptionBudgetSpec(
            max_unavailable=int_or_string(1),
            selector=k8s.LabelSelector(match_labels=component.selector),
        ),
    )


def _job_spec(
    platform: Platform, component: Component, pod: Pod, deadline_seconds: int, retries: int = 6
) -> k8s.JobSpec:
    return k8s.JobSpec(
        backoff_limit=retries,
        ttl_seconds_after_finished=86_400,
        active_deadline_seconds=deadline_seconds,
        template=pod.template(component, platform.placement),
    )


def service_account(scope: Construct, component: Component) -> None:
    """Create the account that a component's pods run under; it is granted nothing."""
    k8s.KubeServiceAccount(
        scope,
        "service-account",
        metadata=component.metadata(component.name),
        automount_service_account_token=False,
    )


def _recommendations(
    scope: Construct, platform: Platform, component: Component, kind: str, name: str
) -> None:
    """Have resources recommended, where the environment wants that; nothing applies them by itself."""
    if platform.vertical_pod_autoscaler:
        VerticalPodAutoscaler(
            scope,
            "recommendations",
            metadata=component.resource_metadata(name),
            spec=VerticalPodAutoscalerSpec(
                target_ref=VerticalPodAutoscalerSpecTargetRef(api_version="apps/v1", kind=kind, name=name),
                update_policy=VerticalPodAutoscalerSpecUpdatePolicy(
                    update_mode=VerticalPodAutoscalerSpecUpdatePolicyUpdateMode.OFF
                ),
            ),
        )


def _count(platform: Platform, pod: Pod, pods: int) -> None:
    """Count what the pods can demand, and note the Secrets that their images are pulled with."""
    platform.pull_secrets |= pod.pull_secrets
    platform.capacity.add_pods(
        pods,
        [container.resources for container in pod.containers],
        [container.resources for container in pod.init_containers],
    )
