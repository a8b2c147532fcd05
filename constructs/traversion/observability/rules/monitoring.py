"""Who watches the watchers: Prometheus and Alertmanager, as far as they can tell themselves."""

from traversion.observability.metrics import (
    ALERTMANAGER,
    ALERTMANAGER_RELOADED,
    ALERTMANAGERS,
    API,
    CLUSTER_MEMBERS,
    DELIVERED,
    DELIVERY_FAILURES,
    EVALUATIONS_MISSED,
    EVERY_UP,
    JOBS,
    NOTIFIED,
    NOTIFY_DROPPED,
    NOTIFY_ERRORS,
    PROMETHEUS_RELOADED,
    RULE_FAILURES,
    TSDB_COMPACTION_FAILURES,
    TSDB_RELOAD_FAILURES,
    WAL_CORRUPTIONS,
)
from traversion.observability.rules.rule import Alert, Group

_WATCHDOG = Alert(
    "Watchdog",
    "monitoring",
    "vector(1)",
    "Alerts arrive",
    "Always firing. Have the receiver raise an alarm when this stops coming.",
    severity="none",
)


def group(unwatched: frozenset[str]) -> Group:
    """Return the rules on the monitoring itself; nobody misses the jobs that are ``unwatched``."""
    # The API's pods come and go with its load, and have alerts of their own.
    expected = [job for job in JOBS if job is not API and job.name not in unwatched]
    vanished = "\nor ".join(f"absent({job.up})" for job in expected)
    target_down = Alert(
        "TargetDown",
        "monitoring",
        f"""{EVERY_UP.where(f'job!="{API.name}"')} == 0\nor {vanished}""",
        "Prometheus cannot scrape a target",
        "A target of {{ $labels.job }} has not answered for 5 minutes, or there is none; "
        "alerts that need its metrics stay silent.",
        lasting="5m",
    )
    return Group("monitoring", (_WATCHDOG, target_down, *_SELF))


_SELF = (
    Alert(
        "PrometheusRuleFailures",
        "monitoring",
        f"sum by (rule_group) (increase({RULE_FAILURES}[5m])) > 0",
        "Prometheus fails to evaluate rules",
        "{{ $value | humanize }} evaluations in {{ $labels.rule_group }} failed within 5 minutes.",
        lasting="5m",
    ),
    Alert(
        "PrometheusRuleEvaluationsMissed",
        "monitoring",
        f"sum by (rule_group) (increase({EVALUATIONS_MISSED}[5m])) > 0",
        "Prometheus evaluates rules too slowly",
        "{{ $value | humanize }} evaluations of {{ $labels.rule_group }} were left out within 5 minutes, "
        "because the ones before took longer than their interval.",
        lasting="15m",
    ),
    Alert(
        "PrometheusConfigReloadFailed",
        "monitoring",
        f"{PROMETHEUS_RELOADED} == 0",
        "Prometheus runs with an old configuration",
        "{{ $labels.instance }} could not load its configuration. After a restart it will not start.",
        lasting="5m",
    ),
    Alert(
        "PrometheusNotificationsFailing",
        "monitoring",
        f"""
        sum by (alertmanager) (rate({NOTIFY_ERRORS}[5m]))
        /
        sum by (alertmanager) (rate({NOTIFIED}[5m])) > 0.01
        """,
        "Prometheus cannot send alerts",
        "{{ $value | humanizePercentage }} of the alerts to {{ $labels.alertmanager }} are lost.",
        lasting="5m",
    ),
    Alert(
        "PrometheusNotificationsDropped",
        "monitoring",
        f"increase({NOTIFY_DROPPED}[10m]) > 0",
        "Prometheus gave up alerts",
        "{{ $labels.instance }} dropped {{ $value | humanize }} alerts within 10 minutes: no Alertmanager "
        "took them before its queue was full.",
    ),
    Alert(
        "PrometheusWithoutAlertmanager",
        "monitoring",
        f"{ALERTMANAGERS} < 1",
        "Prometheus knows no Alertmanager",
        "{{ $labels.instance }} has found no Alertmanager to send alerts to.",
        lasting="5m",
    ),
    Alert(
        "PrometheusStorageFailing",
        "monitoring",
        f"""
        increase({TSDB_RELOAD_FAILURES}[3h]) > 0
        or increase({TSDB_COMPACTION_FAILURES}[3h]) > 0
        or increase({WAL_CORRUPTIONS}[3h]) > 0
        """,
        "Prometheus has trouble with its storage",
        "Blocks on the volume of {{ $labels.instance }} could not be loaded or compacted, or its write-ahead "
        "log was corrupt, within the last 3 hours.",
        lasting="5m",
    ),
    Alert(
        "AlertmanagerClusterIncomplete",
        "monitoring",
        # Where one Alertmanager is all there is, nobody exports members.
        f"min({CLUSTER_MEMBERS}) < count({ALERTMANAGER.up})",
        "Alertmanagers do not know each other",
        "One Alertmanager sees only {{ $value }} members of its cluster; the same alert may arrive twice.",
        lasting="10m",
    ),
    Alert(
        "AlertmanagerConfigReloadFailed",
        "monitoring",
        f"{ALERTMANAGER_RELOADED} == 0",
        "Alertmanager runs with an old configuration",
        "{{ $labels.instance }} could not load its configuration. After a restart it will not start.",
        lasting="5m",
    ),
    Alert(
        "AlertmanagerNotificationsFailing",
        "monitoring",
        f"""
        sum by (integration) (rate({DELIVERY_FAILURES}[5m]))
        /
        sum by (integration) (rate({DELIVERED}[5m])) > 0.01
        """,
        "Alertmanager cannot notify a receiver",
        "{{ $value | humanizePercentage }} of the notifications by {{ $labels.integration }} fail.",
        lasting="5m",
    ),
)
