"""What everything runs on: CPU and memory against requests and limits, scaling, quota, volumes."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, Variable
from traversion.observability.dashboards.queries import PromQl
from traversion.observability.metrics import (
    CERTIFICATE_EXPIRES,
    CERTIFICATE_READY,
    CPU_SECONDS,
    CRONJOB_SUCCEEDED,
    DEPLOYMENT_AVAILABLE,
    DEPLOYMENT_WANTED,
    HPA_CURRENT,
    HPA_DESIRED,
    HPA_MAXIMUM,
    HPA_MINIMUM,
    JOB_FAILED,
    LIMITS,
    NETWORK_RECEIVED,
    NETWORK_SENT,
    REQUESTED,
    RESTARTS,
    STATEFULSET_READY,
    STATEFULSET_WANTED,
    VOLUME_AVAILABLE,
    VOLUME_INODES,
    VOLUME_INODES_FREE,
    WORKING_SET,
)
from traversion.observability.rules import certificates, kubernetes

_POD = 'pod=~"$pod"'
_CONTAINER = 'container!=""'  # without the series of whole pods, which would count everything twice
_LIMIT = Threshold(kubernetes.MOST_OF_LIMIT)
_EACH = "{{pod}} {{container}}"


def _bounds(resource: str) -> tuple[PromQl, ...]:
    chosen = f'resource="{resource}"'
    return (
        PromQl(f"sum({REQUESTED.where(chosen, _POD)})", "requests"),
        PromQl(f"sum({LIMITS.where(chosen, _POD)})", "limits"),
    )


DASHBOARD = Dashboard(
    "traversion-resources",
    "Traversion / Resources",
    "CPU and memory of every container against its limit, restarts, scaling, the quota and the volumes.",
    (
        Row(
            "CPU",
            (
                Panel(
                    "CPU of the limit",
                    "Per container; above the line for 5 minutes is an alert, jobs excepted.",
                    (PromQl(f"{kubernetes.CPU}{{{_POD}}}", _EACH),),
                    "percentunit",
                    threshold=_LIMIT,
                ),
                Panel(
                    "CPU against requests and limits",
                    "Cores used by the chosen pods together. Far below the requests, nodes stand idle.",
                    (
                        PromQl(
                            f"sum(rate({CPU_SECONDS.where(_CONTAINER, _POD)}[$__rate_interval]))",
                            "used",
                        ),
                        *_bounds("cpu"),
                    ),
                ),
                Panel(
                    "Throttling",
                    "Share of scheduling periods in which a container had to wait for its limit.",
                    (PromQl(f"{kubernetes.THROTTLED}{{{_POD}}}", _EACH),),
                    "percentunit",
                    threshold=Threshold(kubernetes.MOST_THROTTLED),
                ),
            ),
        ),
        Row(
            "Memory",
            (
                Panel(
                    "Memory of the limit",
                    "Working set per container; above the line for 5 minutes is an alert, jobs excepted.",
                    (PromQl(f"{kubernetes.MEMORY}{{{_POD}}}", _EACH),),
                    "percentunit",
                    threshold=_LIMIT,
                ),
                Panel(
                    "Memory against requests and limits",
                    "Working sets of the chosen pods together.",
                    (
                        PromQl(f"sum({WORKING_SET.where(_CONTAINER, _POD)})", "used"),
                        *_bounds("memory"),
                    ),
                    "bytes",
                ),
                Panel(
                    "Restarts",
                    "Containers restarted within an hour.",
                    (
                        PromQl(
                            f"sum by (pod, container) (increase({RESTARTS.where(_POD)}[1h])) > 0",
                            _EACH,
                        ),
                    ),
                ),
            ),
        ),
        Row(
            "Scaling",
            (
                Panel(
                    "Autoscaler",
                    "Pods there are, pods it wants, and between which bounds it may choose.",
                    (
                        PromQl(f"{HPA_CURRENT}", "{{horizontalpodautoscaler}} current"),
                        PromQl(f"{HPA_DESIRED}", "{{horizontalpodautoscaler}} desired"),
                        PromQl(f"{HPA_MINIMUM}", "{{horizontalpodautoscaler}} minimum"),
                        PromQl(f"{HPA_MAXIMUM}", "{{horizontalpodautoscaler}} maximum"),
                    ),
                    width=12,
                ),
                Panel(
                    "Missing pods",
                    "Pods that are wanted and cannot serve.",
                    (
                        PromQl(f"{DEPLOYMENT_WANTED} - {DEPLOYMENT_AVAILABLE}", "{{deployment}}"),
                        PromQl(f"{STATEFULSET_WANTED} - {STATEFULSET_READY}", "{{statefulset}}"),
                    ),
                    width=12,
                    threshold=Threshold(1),
                ),
            ),
        ),
        Row(
            "Space",
            (
                Panel(
                    "Volumes: free space",
                    "Share of each volume that is free.",
                    (PromQl(f"{kubernetes.FREE_SPACE}", "{{persistentvolumeclaim}}"),),
                    "percentunit",
                    kind="bargauge",
                    maximum=1,
                    threshold=Threshold(kubernetes.LITTLE_SPACE, kubernetes.TOO_LITTLE_SPACE),
                ),
                Panel(
                    "Volumes: free bytes",
                    "How fast each volume fills.",
                    (
                        PromQl(
                            f"max by (persistentvolumeclaim) ({VOLUME_AVAILABLE})",
                            "{{persistentvolumeclaim}}",
                        ),
                    ),
                    "bytes",
                ),
                Panel(
                    "Volumes: free inodes",
                    "Share of the inodes of each volume that is free.",
                    (
                        PromQl(
                            f"max by (persistentvolumeclaim) ({VOLUME_INODES_FREE}) / "
                            f"(max by (persistentvolumeclaim) ({VOLUME_INODES}) > 0)",
                            "{{persistentvolumeclaim}}",
                        ),
                    ),
                    "percentunit",
                    kind="bargauge",
                    maximum=1,
                    threshold=Threshold(kubernetes.LITTLE_SPACE, kubernetes.TOO_LITTLE_SPACE),
                ),
                Panel(
                    "Quota",
                    "Share of each resource that the namespace's quota has granted.",
                    (PromQl(f"{kubernetes.QUOTA_USED}", "{{resource}}"),),
                    "percentunit",
                    kind="bargauge",
                    width=12,
                    maximum=1,
                    threshold=Threshold(kubernetes.MOST_OF_QUOTA),
                ),
                Panel(
                    "Network",
                    "Received and sent by the chosen pods.",
                    (
                        PromQl(
                            f"sum by (pod) (rate({NETWORK_RECEIVED.where(_POD)}[$__rate_interval]))",
                            "{{pod}} received",
                        ),
                        PromQl(
                            f"sum by (pod) (rate({NETWORK_SENT.where(_POD)}[$__rate_interval]))",
                            "{{pod}} sent",
                        ),
                    ),
                    "Bps",
                    width=12,
                ),
            ),
        ),
        Row(
            "Certificates and jobs",
            (
                Panel(
                    "Certificates expire in",
                    "Renewed 30 days before their end; 20 days and 3 days are alerts.",
                    (PromQl(f"min by (certificate) ({CERTIFICATE_EXPIRES}) - time()", "{{certificate}}"),),
                    "dtdurations",
                    kind="bargauge",
                    threshold=Threshold(certificates.SOON, certificates.TOO_SOON),
                ),
                Panel(
                    "Certificates that are not ready",
                    "Not issued, or not as specified.",
                    (
                        PromQl(
                            f"""sum by (certificate) ({CERTIFICATE_READY.where('condition="Ready"')} == 0)"""
                        ),
                    ),
                    kind="table",
                ),
                Panel(
                    "Jobs that failed",
                    "Until they are deleted.",
                    (PromQl(f"""sum by (job_name) ({JOB_FAILED.where('condition="true"')} == 1)"""),),
                    kind="table",
                ),
                Panel(
                    "CronJobs: time since the last success",
                    "Empty before the first.",
                    (PromQl(f"time() - max by (cronjob) ({CRONJOB_SUCCEEDED})", "{{cronjob}}"),),
                    "dtdurations",
                    width=24,
                ),
            ),
        ),
    ),
    (Variable("pod", LIMITS, "Pod"),),
)
