"""Containers, volumes, rollouts, scaling, quota and jobs."""

from collections.abc import Mapping

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import KSM, KSM_LABELS


def _limited(pod: str, container: str, cpu: str, memory: str, owner: str) -> dict[str, str]:
    """Return a container with a limit of one core and 1000 bytes that uses ``cpu`` and ``memory``."""
    identity = f'pod="{pod}",container="{container}",namespace="n"'
    limits = f'kube_pod_container_resource_limits{{{KSM},pod="{pod}",container="{container}"'
    return {
        f'container_cpu_usage_seconds_total{{job="cadvisor",{identity},cpu="total"}}': cpu,
        f'container_cpu_usage_seconds_total{{job="cadvisor",pod="{pod}",namespace="n"}}': cpu,
        f'container_memory_working_set_bytes{{job="cadvisor",{identity}}}': memory,
        f'container_memory_working_set_bytes{{job="cadvisor",pod="{pod}",namespace="n"}}': memory,
        f'{limits},resource="cpu",unit="core"}}': "1x80",
        f'{limits},resource="memory",unit="byte"}}': "1000x80",
        f'kube_pod_owner{{{KSM},pod="{pod}",owner_kind="{owner}",owner_name="o"}}': "1x80",
    }


_CONTAINERS = (
    ("traversion-app-1", "traversion", "ReplicaSet"),
    ("timescaledb-0", "timescaledb", "StatefulSet"),
    ("timescaledb-0", "certificate-reloader", "StatefulSet"),
    ("redis-0", "redis", "StatefulSet"),
)
_EVERY_CONTAINER = tuple({"pod": pod, "container": name} for pod, name, _ in _CONTAINERS)


def _containers(cpu: str, memory: str) -> Mapping[str, str]:
    together: dict[str, str] = {}
    for pod, container, owner in _CONTAINERS:
        together |= _limited(pod, container, cpu, memory, owner)
    return together


def _claim(metric: str, claim: str = "data-timescaledb-0") -> str:
    return f'kubelet_volume_stats_{metric}{{job="kubelet",namespace="n",persistentvolumeclaim="{claim}"}}'


_VOLUME = ({"persistentvolumeclaim": "data-timescaledb-0"},)
_HPA = 'horizontalpodautoscaler="traversion-app"'
_HPA_LABELS = ({**KSM_LABELS, "horizontalpodautoscaler": "traversion-app"},)


def _autoscaler(desired: str, least: str, most: str) -> dict[str, str]:
    return {
        f"kube_horizontalpodautoscaler_status_desired_replicas{{{KSM},{_HPA}}}": desired,
        f"kube_horizontalpodautoscaler_spec_min_replicas{{{KSM},{_HPA}}}": least,
        f"kube_horizontalpodautoscaler_spec_max_replicas{{{KSM},{_HPA}}}": most,
    }


def _quota(kind: str) -> str:
    return f'kube_resourcequota{{{KSM},resourcequota="q",resource="pods",type="{kind}"}}'


def _condition(status: str) -> str:
    return (
        f'kube_deployment_status_condition{{{KSM},deployment="d",condition="Progressing",status="{status}"}}'
    )


def _scaling(status: str) -> str:
    return (
        f"kube_horizontalpodautoscaler_status_condition"
        f'{{{KSM},{_HPA},condition="ScalingActive",status="{status}"}}'
    )


_REDIS_CONTAINER = f'{{{KSM},pod="redis-0",container="redis"'
_OOM = f'kube_pod_container_status_last_terminated_reason{_REDIS_CONTAINER},reason="OOMKilled"}}'
_RESTARTS = f"kube_pod_container_status_restarts_total{_REDIS_CONTAINER}}}"
_WAITING = f'kube_pod_container_status_waiting_reason{_REDIS_CONTAINER},reason="CrashLoopBackOff"}}'


def _throttled(pod: str, periods: int, owner: str = "ReplicaSet") -> dict[str, str]:
    """Return a container that is stopped in so many of a hundred scheduling periods."""
    identity = f'job="cadvisor",pod="{pod}",container="x",namespace="n"'
    return {
        f"container_cpu_cfs_periods_total{{{identity}}}": "0+100x90",
        f"container_cpu_cfs_throttled_periods_total{{{identity}}}": f"0+{periods}x90",
        f'kube_pod_owner{{{KSM},pod="{pod}",owner_kind="{owner}",owner_name="o"}}': "1x90",
    }


CASES = (
    Case(
        "ContainerCpuHigh",
        "every container uses 81% of its limit; whole pods are not counted twice",
        _containers(cpu="0+12.15x80", memory="100x80"),
        {"8m": _EVERY_CONTAINER},
        silent=("30s", "5m", "7m45s"),
        shows="two pods",
    ),
    Case(
        "ContainerCpuHigh",
        "just below 80%",
        _containers(cpu="0+11.9x80", memory="100x80"),
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "ContainerCpuHigh",
        "a nightly backup uses all its CPU",
        _limited("timescaledb-backup-full-1", "backup", "0+15x80", "100x80", "Job"),
        {},
        silent=("10m",),
    ),
    Case(
        "ContainerCpuHigh",
        "usage without limits, or limits without usage",
        {
            'container_cpu_usage_seconds_total{job="cadvisor",pod="a",container="x"}': "0+99x80",
            f'kube_pod_container_resource_limits{{{KSM},pod="b",container="x",resource="cpu"}}': "1x80",
        },
        {},
        silent=("10m",),
    ),
    Case(
        "ContainerMemoryHigh",
        "every container uses 81% of its limit, then less",
        _containers(cpu="0+1x80", memory="810x60 700x20"),
        {"5m": _EVERY_CONTAINER, "15m": _EVERY_CONTAINER},
        silent=("30s", "4m45s", "16m"),
        shows="two pods",
    ),
    Case(
        "ContainerMemoryHigh",
        "at 80%",
        _containers(cpu="0+1x80", memory="800x80"),
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "ContainerMemoryHigh",
        "a nightly backup fills its page cache",
        _limited("timescaledb-backup-full-1", "backup", "0+1x80", "990x80", "Job"),
        {},
        silent=("10m",),
    ),
    Case(
        "ContainerOomKilled",
        "Redis is killed after 5 minutes",
        {_RESTARTS: "0x20 1x80", _OOM: "_x20 1x80"},
        {"5m15s": ({**KSM_LABELS, "pod": "redis-0", "container": "redis"},)},
        silent=("5m", "16m"),
    ),
    Case(
        "ContainerOomKilled",
        "it restarts for another reason",
        {_RESTARTS: "0x20 1x80", _OOM.replace("OOMKilled", "Error"): "_x20 1x80"},
        {},
        silent=("5m15s", "8m"),
        shows="below",
    ),
    Case(
        "PodCrashLooping",
        "Redis waits, tries again for a moment, and waits longer",
        {_WAITING: "1x8 _x3 1x60"},
        {"5m": ({**KSM_LABELS, "pod": "redis-0", "container": "redis", "reason": "CrashLoopBackOff"},)},
        silent=("4m45s",),
    ),
    Case(
        "PodCrashLooping",
        "it waits for its image",
        {_WAITING.replace("CrashLoopBackOff", "ContainerCreating"): "1x60"},
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "PersistentVolumeFillingUp",
        "19% are free",
        {_claim("available_bytes"): "190x80", _claim("capacity_bytes"): "1000x80"},
        {"15m": _VOLUME},
        silent=("14m45s",),
    ),
    Case(
        "PersistentVolumeFillingUp",
        "20% are free; another volume has no capacity yet",
        {
            _claim("available_bytes"): "200x80",
            _claim("capacity_bytes"): "1000x80",
            _claim("available_bytes", "new"): "0x80",
            _claim("capacity_bytes", "new"): "0x80",
        },
        {},
        silent=("16m",),
        shows="below",
    ),
    Case(
        "PersistentVolumeAlmostFull",
        "4.9% are free",
        {_claim("available_bytes"): "49x80", _claim("capacity_bytes"): "1000x80"},
        {"5m": _VOLUME},
        silent=("4m45s",),
    ),
    Case(
        "PersistentVolumeAlmostFull",
        "19% are free, and gone within the next 4 hours",
        {_claim("available_bytes"): "19000-20x80", _claim("capacity_bytes"): "100000x80"},
        {"5m15s": _VOLUME},
        silent=("5m",),
    ),
    Case(
        "PersistentVolumeAlmostFull",
        "19% are free and last for longer; another loses much but has much left",
        {
            _claim("available_bytes"): "19000-10x80",
            _claim("capacity_bytes"): "100000x80",
            _claim("available_bytes", "other"): "50000-100x80",
            _claim("capacity_bytes", "other"): "100000x80",
        },
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "PersistentVolumeInodesLow",
        "4.9% are free",
        {_claim("inodes_free"): "49x80", _claim("inodes"): "1000x80"},
        {"15m": _VOLUME},
        silent=("14m45s",),
    ),
    Case(
        "PersistentVolumeInodesLow",
        "5% are free; another file system has no inodes",
        {
            _claim("inodes_free"): "50x80",
            _claim("inodes"): "1000x80",
            _claim("inodes_free", "other"): "0x80",
            _claim("inodes", "other"): "0x80",
        },
        {},
        silent=("16m",),
        shows="below",
    ),
    Case(
        "DeploymentRolloutStuck",
        "the progress deadline has passed",
        {_condition("false"): "0x8 1x40", _condition("true"): "1x8 0x40"},
        {"3m15s": ({**KSM_LABELS, "deployment": "d", "condition": "Progressing", "status": "false"},)},
        silent=("3m",),
    ),
    Case(
        "DeploymentRolloutStuck",
        "it proceeds",
        {_condition("false"): "0x40", _condition("true"): "1x40"},
        {},
        silent=("5m",),
        shows="below",
    ),
    Case(
        "DeploymentReplicasMissing",
        "one pod of two is missing",
        {
            f'kube_deployment_spec_replicas{{{KSM},deployment="d"}}': "2x80",
            f'kube_deployment_status_replicas_available{{{KSM},deployment="d"}}': "1x80",
        },
        {"15m": ({**KSM_LABELS, "deployment": "d"},)},
        silent=("14m45s",),
    ),
    Case(
        "DeploymentReplicasMissing",
        "a surge has more than it needs",
        {
            f'kube_deployment_spec_replicas{{{KSM},deployment="d"}}': "2x80",
            f'kube_deployment_status_replicas_available{{{KSM},deployment="d"}}': "3x80",
        },
        {},
        silent=("16m",),
        shows="below",
    ),
    Case(
        "StatefulSetReplicasMissing",
        "its pod is missing",
        {
            f'kube_statefulset_replicas{{{KSM},statefulset="redis"}}': "1x80",
            f'kube_statefulset_status_replicas_ready{{{KSM},statefulset="redis"}}': "0x80",
        },
        {"15m": ({**KSM_LABELS, "statefulset": "redis"},)},
        silent=("14m45s",),
    ),
    Case(
        "StatefulSetReplicasMissing",
        "its pod is ready",
        {
            f'kube_statefulset_replicas{{{KSM},statefulset="redis"}}': "1x80",
            f'kube_statefulset_status_replicas_ready{{{KSM},statefulset="redis"}}': "1x80",
        },
        {},
        silent=("16m",),
        shows="below",
    ),
    Case(
        "HorizontalPodAutoscalerAtMaximum",
        "it wants 10 of at most 10",
        _autoscaler("10x80", "3x80", "10x80"),
        {"15m": _HPA_LABELS},
        silent=("14m45s",),
    ),
    Case(
        "HorizontalPodAutoscalerAtMaximum",
        "it wants 9 of 10",
        _autoscaler("9x80", "3x80", "10x80"),
        {},
        silent=("16m",),
        shows="below",
    ),
    Case(
        "HorizontalPodAutoscalerAtMaximum",
        "it has no choice",
        _autoscaler("1x80", "1x80", "1x80"),
        {},
        silent=("16m",),
    ),
    Case(
        "HorizontalPodAutoscalerBlind",
        "no metrics",
        {_scaling("false"): "1x80", _scaling("true"): "0x80"},
        {"15m": ({**_HPA_LABELS[0], "condition": "ScalingActive", "status": "false"},)},
        silent=("14m45s",),
    ),
    Case(
        "HorizontalPodAutoscalerBlind",
        "metrics",
        {_scaling("false"): "0x80", _scaling("true"): "1x80"},
        {},
        silent=("16m",),
        shows="below",
    ),
    Case(
        "ResourceQuotaAlmostUsed",
        "91 of 100 pods",
        {_quota("used"): "91x80", _quota("hard"): "100x80"},
        {"15m": ({"resourcequota": "q", "resource": "pods"},)},
        silent=("14m45s",),
    ),
    Case(
        "ResourceQuotaAlmostUsed",
        "90 of 100, and 0 of 0",
        {
            _quota("used"): "90x80",
            _quota("hard"): "100x80",
            _quota("used").replace("pods", "services"): "0x80",
            _quota("hard").replace("pods", "services"): "0x80",
        },
        {},
        silent=("16m",),
        shows="below",
    ),
    Case(
        "JobFailed",
        "the last retry failed",
        {f'kube_job_failed{{{KSM},job_name="j",condition="true"}}': "_x8 1x20"},
        {"3m": ({**KSM_LABELS, "job_name": "j", "condition": "true"},)},
        silent=("2m45s",),
    ),
    Case(
        "JobFailed",
        "it succeeded",
        {f'kube_job_failed{{{KSM},job_name="j",condition="false"}}': "1x20"},
        {},
        silent=("5m",),
        shows="below",
    ),
    Case(
        "ContainerCpuThrottled",
        "two pods wait in a quarter of the periods and more; a dump does too",
        _throttled("a", 26) | _throttled("b", 30) | _throttled("dump", 90, "Job"),
        {"15m15s": ({"pod": "a", "container": "x"}, {"pod": "b", "container": "x"})},
        silent=("15m",),
        shows="two pods",
    ),
    Case(
        "ContainerCpuThrottled",
        "just a quarter",
        _throttled("a", 25) | _throttled("b", 0),
        {},
        silent=("20m",),
        shows="below",
    ),
    Case(
        "ContainerRestarting",
        "three restarts, of one of two pods",
        {_RESTARTS: "0x7 1x7 2x7 3x300", _RESTARTS.replace("redis-0", "b"): "5x300"},
        {"6m15s": ({"pod": "redis-0", "container": "redis"},)},
        silent=("5m45s", "1h10m"),
        shows="two pods",
    ),
    Case(
        "ContainerRestarting",
        "two restarts",
        {_RESTARTS: "0x7 1x7 2x300"},
        {},
        silent=("6m", "1h5m"),
        shows="below",
    ),
    Case(
        "ContainerOomKilled",
        "two pods at once",
        {
            _RESTARTS: "0x20 1x80",
            _OOM: "_x20 1x80",
            _RESTARTS.replace("redis-0", "b"): "0x20 1x80",
            _OOM.replace("redis-0", "b"): "_x20 1x80",
        },
        {
            "5m15s": (
                {**KSM_LABELS, "pod": "redis-0", "container": "redis"},
                {**KSM_LABELS, "pod": "b", "container": "redis"},
            )
        },
        shows="two pods",
    ),
    Case(
        "PodCrashLooping",
        "one of two pods",
        {_WAITING: "1x60", _WAITING.replace("redis-0", "b"): "0x60"},
        {"5m": ({**KSM_LABELS, "pod": "redis-0", "container": "redis", "reason": "CrashLoopBackOff"},)},
        shows="two pods",
    ),
    Case(
        "PersistentVolumeFullInDays",
        "39% are free, and gone within four days",
        {_claim("available_bytes"): "39000-2x400", _claim("capacity_bytes"): "100000x400"},
        {"1h15s": _VOLUME},
        silent=("1h",),
    ),
    Case(
        "PersistentVolumeFullInDays",
        "39% are free and last for five days; another loses more and has more",
        {
            _claim("available_bytes"): "39000-1x400",
            _claim("capacity_bytes"): "100000x400",
            _claim("available_bytes", "other"): "45000-9x400",
            _claim("capacity_bytes", "other"): "100000x400",
        },
        {},
        silent=("1h10m",),
        shows="below",
    ),
    Case(
        "CronJobOverdue",
        "it should have begun an hour ago; a suspended one too",
        {
            f'kube_cronjob_next_schedule_time{{{KSM},cronjob="c"}}': "-3541x40",
            f'kube_cronjob_spec_suspend{{{KSM},cronjob="c"}}': "0x40",
            f'kube_cronjob_next_schedule_time{{{KSM},cronjob="off"}}': "-9999x40",
            f'kube_cronjob_spec_suspend{{{KSM},cronjob="off"}}': "1x40",
        },
        {"6m": ({**KSM_LABELS, "cronjob": "c"},)},
        silent=("30s", "5m45s"),
    ),
    Case(
        "CronJobOverdue",
        "it will begin soon",
        {f'kube_cronjob_next_schedule_time{{{KSM},cronjob="c"}}': "600x40"},
        {},
        silent=("9m",),
        shows="below",
    ),
)
