"""The ground that everything runs on: limits, volumes, rollouts, scaling, quota, jobs."""

from traversion.observability.metrics import (
    CPU_PERIODS,
    CPU_SECONDS,
    CPU_THROTTLED,
    CRONJOB_NEXT,
    CRONJOB_SUSPENDED,
    DEPLOYMENT_AVAILABLE,
    DEPLOYMENT_CONDITION,
    DEPLOYMENT_WANTED,
    HPA_CONDITION,
    HPA_DESIRED,
    HPA_MAXIMUM,
    HPA_MINIMUM,
    JOB_FAILED,
    LAST_TERMINATED,
    LIMITS,
    POD_OWNER,
    QUOTA,
    RESTARTS,
    STATEFULSET_READY,
    STATEFULSET_WANTED,
    VOLUME_AVAILABLE,
    VOLUME_CAPACITY,
    VOLUME_INODES,
    VOLUME_INODES_FREE,
    WAITING,
    WORKING_SET,
)
from traversion.observability.rules.rule import Alert, Group, Recording

MOST_OF_LIMIT = 0.80
MOST_OF_QUOTA = 0.90
LITTLE_SPACE = 0.20
TOO_LITTLE_SPACE = 0.05
SPACE_FOR_DAYS = 0.40
"""Above it, a trend of six hours is no reason to look."""
MOST_THROTTLED = 0.25
LATEST_CRONJOB = 3600
"""Seconds."""

# The limits come from the pods' specification (kube-state-metrics), not from cAdvisor's container_spec_*:
# those are missing where the container runtime does not report them, and 0 where a limit is unknown.
# Three minutes of CPU: an alert that waits for five more should not average over another five.
# `max` and `sum`: a container that restarts is there twice for a while. Series of whole pods, which have
# no container label, find no limit to be compared with.
CPU = Recording(
    "pod_container:cpu_usage_limit:ratio_rate3m",
    f"""
    sum by (pod, container) (rate({CPU_SECONDS}[3m]))
    /
    max by (pod, container) ({LIMITS.where('resource="cpu"')})
    """,
    ("pod", "container"),
)
MEMORY = Recording(
    "pod_container:memory_working_set_limit:ratio",
    f"""
    max by (pod, container) ({WORKING_SET})
    /
    max by (pod, container) ({LIMITS.where('resource="memory"')})
    """,
    ("pod", "container"),
)
FREE_SPACE = Recording(
    "persistentvolumeclaim:volume_available:ratio",
    f"""
    max by (persistentvolumeclaim) ({VOLUME_AVAILABLE})
    /
    (max by (persistentvolumeclaim) ({VOLUME_CAPACITY}) > 0)
    """,
    ("persistentvolumeclaim",),
)
QUOTA_USED = Recording(
    "resourcequota_resource:quota_used:ratio",
    f"""
    max by (resourcequota, resource) ({QUOTA.where('type="used"')})
    /
    (max by (resourcequota, resource) ({QUOTA.where('type="hard"')}) > 0)
    """,
    ("resourcequota", "resource"),
)
THROTTLED = Recording(
    "pod_container:cpu_throttled_periods:ratio_rate5m",
    f"""
    sum by (pod, container) (rate({CPU_THROTTLED.where('container!=""')}[5m]))
    /
    (sum by (pod, container) (rate({CPU_PERIODS.where('container!=""')}[5m])) > 0)
    """,
    ("pod", "container"),
)

# A dump may use all that its job was given, every night, without waking anyone.
_NOT_JOBS = f"""unless on (pod) {POD_OWNER.where('owner_kind="Job"')}"""

_CONTAINERS = (
    Alert(
        "ContainerCpuHigh",
        "kubernetes",
        f"{CPU} > {MOST_OF_LIMIT} {_NOT_JOBS}",
        "A container is short of CPU",
        "{{ $labels.container }} in {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its "
        "CPU limit; at 100% it is throttled.",
        lasting="5m",
        severity="critical",
    ),
    Alert(
        "ContainerMemoryHigh",
        "kubernetes",
        f"{MEMORY} > {MOST_OF_LIMIT} {_NOT_JOBS}",
        "A container is short of memory",
        "{{ $labels.container }} in {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its "
        "memory limit; at 100% it is killed.",
        lasting="5m",
        severity="critical",
    ),
    Alert(
        "ContainerCpuThrottled",
        "kubernetes",
        f"{THROTTLED} > {MOST_THROTTLED} {_NOT_JOBS}",
        "A container waits for CPU",
        "{{ $labels.container }} in {{ $labels.pod }} was stopped at its CPU limit in "
        "{{ $value | humanizePercentage }} of the scheduling periods; what it answers comes late.",
        lasting="15m",
    ),
    Alert(
        "ContainerRestarting",
        "kubernetes",
        f"sum by (pod, container) (increase({RESTARTS}[1h])) > 2",
        "A container restarts again and again",
        "{{ $labels.container }} in {{ $labels.pod }} restarted {{ $value | humanize }} times in an hour.",
    ),
    Alert(
        "ContainerOomKilled",
        "kubernetes",
        f"""
        increase({RESTARTS}[10m]) > 0
        and on (pod, container)
        {LAST_TERMINATED.where('reason="OOMKilled"')} == 1
        """,
        "A container ran out of memory",
        "{{ $labels.container }} in {{ $labels.pod }} was killed at its memory limit and restarted.",
    ),
    Alert(
        "PodCrashLooping",
        "kubernetes",
        # Between two crashes the container runs for a moment and waits for nothing.
        f"""max_over_time({WAITING.where('reason="CrashLoopBackOff"')}[5m]) == 1""",
        "A container does not stay up",
        "{{ $labels.container }} in {{ $labels.pod }} keeps crashing; Kubernetes waits longer each time.",
        lasting="5m",
    ),
)

_VOLUMES = (
    Alert(
        "PersistentVolumeFillingUp",
        "storage",
        f"{FREE_SPACE} < {LITTLE_SPACE}",
        "A volume is filling up",
        "{{ $value | humanizePercentage }} of {{ $labels.persistentvolumeclaim }} are free.",
        lasting="15m",
    ),
    Alert(
        "PersistentVolumeFullInDays",
        "storage",
        f"""
        {FREE_SPACE} < {SPACE_FOR_DAYS}
        and on (persistentvolumeclaim) predict_linear({VOLUME_AVAILABLE}[6h], 4 * 24 * 3600) < 0
        """,
        "A volume will be full within four days",
        "{{ $value | humanizePercentage }} of {{ $labels.persistentvolumeclaim }} are free, "
        "and at the pace of the last 6 hours that is not enough for 4 days.",
        lasting="1h",
    ),
    Alert(
        "PersistentVolumeAlmostFull",
        "storage",
        # Compaction and dumps fill and free a volume in waves: only little space makes a trend urgent.
        f"""
        {FREE_SPACE} < {TOO_LITTLE_SPACE}
        or
        ({FREE_SPACE} < {LITTLE_SPACE}
         and on (persistentvolumeclaim) predict_linear({VOLUME_AVAILABLE}[1h], 4 * 3600) < 0)
        """,
        "A volume is almost full",
        "{{ $value | humanizePercentage }} of {{ $labels.persistentvolumeclaim }} are free, "
        "and less than 5% or not enough for the next 4 hours.",
        lasting="5m",
        severity="critical",
    ),
    Alert(
        "PersistentVolumeInodesLow",
        "storage",
        f"""
        max by (persistentvolumeclaim) ({VOLUME_INODES_FREE})
        /
        (max by (persistentvolumeclaim) ({VOLUME_INODES}) > 0) < {TOO_LITTLE_SPACE}
        """,
        "A volume runs out of inodes",
        "{{ $value | humanizePercentage }} of the inodes of {{ $labels.persistentvolumeclaim }} are free.",
        lasting="15m",
    ),
)

_WORKLOADS = (
    Alert(
        "DeploymentRolloutStuck",
        "kubernetes",
        # Kubernetes has waited for the progress deadline before it says so.
        f"""{DEPLOYMENT_CONDITION.where('condition="Progressing"', 'status="false"')} == 1""",
        "A rollout does not proceed",
        "New pods of {{ $labels.deployment }} do not become ready; the old ones still serve.",
        lasting="1m",
    ),
    Alert(
        "DeploymentReplicasMissing",
        "kubernetes",
        f"{DEPLOYMENT_WANTED} - {DEPLOYMENT_AVAILABLE} > 0",
        "A Deployment has too few pods",
        "{{ $value }} pods of {{ $labels.deployment }} have been missing for 15 minutes.",
        lasting="15m",
    ),
    Alert(
        "StatefulSetReplicasMissing",
        "kubernetes",
        f"{STATEFULSET_WANTED} - {STATEFULSET_READY} > 0",
        "A StatefulSet has too few pods",
        "{{ $value }} pods of {{ $labels.statefulset }} have been missing for 15 minutes.",
        lasting="15m",
    ),
    Alert(
        "HorizontalPodAutoscalerAtMaximum",
        "kubernetes",
        # An autoscaler with one possible size is always there.
        f"{HPA_DESIRED} >= {HPA_MAXIMUM} and {HPA_MAXIMUM} > {HPA_MINIMUM}",
        "An autoscaler cannot scale further",
        "{{ $labels.horizontalpodautoscaler }} has wanted its maximum of {{ $value }} pods for 15 minutes.",
        lasting="15m",
    ),
    Alert(
        "HorizontalPodAutoscalerBlind",
        "kubernetes",
        f"""{HPA_CONDITION.where('condition="ScalingActive"', 'status="false"')} == 1""",
        "An autoscaler cannot read its metrics",
        "{{ $labels.horizontalpodautoscaler }} does not scale; "
        "is metrics-server or the custom metrics API unavailable?",
        lasting="15m",
    ),
    Alert(
        "ResourceQuotaAlmostUsed",
        "kubernetes",
        f"{QUOTA_USED} > {MOST_OF_QUOTA}",
        "A quota is almost used up",
        "{{ $value | humanizePercentage }} of {{ $labels.resource }} in {{ $labels.resourcequota }} are "
        "used; beyond it no pod starts.",
        lasting="15m",
    ),
    Alert(
        "JobFailed",
        "kubernetes",
        f"""{JOB_FAILED.where('condition="true"')} == 1""",
        "A job failed",
        "{{ $labels.job_name }} has given up after its last retry.",
        lasting="1m",
    ),
    Alert(
        "CronJobOverdue",
        "kubernetes",
        # `next` moves on when a run begins, and not while the last one goes on or none may begin.
        f"time() - {CRONJOB_NEXT} > {LATEST_CRONJOB} unless on (cronjob) {CRONJOB_SUSPENDED} == 1",
        "A CronJob does not start its jobs",
        "{{ $labels.cronjob }} should have begun {{ $value | humanizeDuration }} ago.",
        lasting="5m",
    ),
)

GROUP = Group(
    "kubernetes", (CPU, MEMORY, THROTTLED, FREE_SPACE, QUOTA_USED, *_CONTAINERS, *_VOLUMES, *_WORKLOADS)
)
