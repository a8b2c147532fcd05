"""Prometheus and Alertmanager."""

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import ONCE, up

_PROMETHEUS = 'job="prometheus",instance="p"'
_PROMETHEUS_LABELS = ({"job": "prometheus", "instance": "p"},)
_ALERTMANAGER = 'job="alertmanager",instance="a",namespace="n",pod="a"'
_ALERTMANAGER_LABELS = ({"job": "alertmanager", "instance": "a", "namespace": "n", "pod": "a"},)
OTHER_JOBS = (
    "timescaledb",
    "redis",
    "kube-state-metrics",
    "cadvisor",
    "kubelet",
    "prometheus",
    "alertmanager",
    "grafana",
    "backups",
)


def _target(job: str) -> str:
    return f'up{{job="{job}",instance="i"}}'


_WELL = {_target(job): "1x60" for job in OTHER_JOBS}


def _sent(result: str) -> str:
    return f'prometheus_notifications_{result}_total{{{_PROMETHEUS},alertmanager="a"}}'


def _delivered(result: str, integration: str = "email") -> str:
    return f'alertmanager_notifications_{result}{{{_ALERTMANAGER},integration="{integration}"}}'


CASES = (
    Case("Watchdog", "always, with nothing to see", {}, {"0m": ONCE, "5m": ONCE}),
    Case(
        "TargetDown",
        "one target fails, and one has vanished",
        _WELL | {_target("cadvisor"): "0x60", _target("redis"): "1x4 stale"},
        {
            "5m": ({"job": "cadvisor", "instance": "i"},),
            "6m15s": ({"job": "cadvisor", "instance": "i"}, {"job": "redis"}),
        },
        silent=("30s", "4m45s"),
    ),
    Case(
        "TargetDown",
        "none has ever been there: one alert for each",
        {},
        {"5m": tuple({"job": job} for job in OTHER_JOBS)},
    ),
    Case(
        "TargetDown",
        "all are well; the API has alerts of its own",
        _WELL | {up("a"): "0x60"},
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "PrometheusRuleFailures",
        "one with every evaluation",
        {f'prometheus_rule_evaluation_failures_total{{{_PROMETHEUS},rule_group="g"}}': "0+1x60"},
        {"5m15s": ({"rule_group": "g"},)},
        silent=("5m",),
    ),
    Case(
        "PrometheusRuleFailures",
        "none any more",
        {f'prometheus_rule_evaluation_failures_total{{{_PROMETHEUS},rule_group="g"}}': "7x60"},
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "PrometheusConfigReloadFailed",
        "failed",
        {f"prometheus_config_last_reload_successful{{{_PROMETHEUS}}}": "0x60"},
        {"5m": _PROMETHEUS_LABELS},
        silent=("4m45s",),
    ),
    Case(
        "PrometheusConfigReloadFailed",
        "succeeded",
        {f"prometheus_config_last_reload_successful{{{_PROMETHEUS}}}": "1x60"},
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "PrometheusNotificationsFailing",
        "2% are lost",
        {_sent("errors"): "0+2x60", _sent("sent"): "0+100x60"},
        {"5m15s": ({"alertmanager": "a"},)},
        silent=("5m",),
    ),
    Case(
        "PrometheusNotificationsFailing",
        "less than 1% are lost",
        {_sent("errors"): "0+9x60", _sent("sent"): "0+1000x60"},
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "PrometheusNotificationsFailing",
        "none are sent",
        {_sent("errors"): "5x60", _sent("sent"): "10x60"},
        {},
        silent=("10m",),
    ),
    Case(
        "PrometheusWithoutAlertmanager",
        "none",
        {f"prometheus_notifications_alertmanagers_discovered{{{_PROMETHEUS}}}": "0x60"},
        {"5m": _PROMETHEUS_LABELS},
        silent=("4m45s",),
    ),
    Case(
        "PrometheusWithoutAlertmanager",
        "one",
        {f"prometheus_notifications_alertmanagers_discovered{{{_PROMETHEUS}}}": "1x60"},
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "PrometheusStorageFailing",
        "one compaction and one block fail: one alert",
        {
            f"prometheus_tsdb_compactions_failed_total{{{_PROMETHEUS}}}": "0x3 1x60",
            f"prometheus_tsdb_reloads_failures_total{{{_PROMETHEUS}}}": "0x3 1x60",
        },
        {"6m": _PROMETHEUS_LABELS},
        silent=("5m45s",),
    ),
    Case(
        "PrometheusStorageFailing",
        "nothing fails",
        {
            f"prometheus_tsdb_compactions_failed_total{{{_PROMETHEUS}}}": "1x800",
            f"prometheus_tsdb_reloads_failures_total{{{_PROMETHEUS}}}": "1x800",
        },
        {},
        silent=("10m", "3h10m"),
        shows="below",
    ),
    Case(
        "AlertmanagerConfigReloadFailed",
        "failed",
        {f"alertmanager_config_last_reload_successful{{{_ALERTMANAGER}}}": "0x60"},
        {"5m": _ALERTMANAGER_LABELS},
        silent=("4m45s",),
    ),
    Case(
        "AlertmanagerConfigReloadFailed",
        "succeeded",
        {f"alertmanager_config_last_reload_successful{{{_ALERTMANAGER}}}": "1x60"},
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "AlertmanagerNotificationsFailing",
        "every e-mail fails, every message to Slack arrives",
        {
            _delivered("failed_total"): "0+1x60",
            _delivered("total"): "0+1x60",
            _delivered("failed_total", "slack"): "0x60",
            _delivered("total", "slack"): "0+1x60",
        },
        {"5m15s": ({"integration": "email"},)},
        silent=("5m",),
    ),
    Case(
        "AlertmanagerNotificationsFailing",
        "less than 1% fail",
        {_delivered("failed_total"): "0+9x60", _delivered("total"): "0+1000x60"},
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "PrometheusRuleEvaluationsMissed",
        "one with every scrape",
        {f'prometheus_rule_group_iterations_missed_total{{{_PROMETHEUS},rule_group="g"}}': "0+1x80"},
        {"15m15s": ({"rule_group": "g"},)},
        silent=("15m",),
    ),
    Case(
        "PrometheusRuleEvaluationsMissed",
        "none for a while",
        {f'prometheus_rule_group_iterations_missed_total{{{_PROMETHEUS},rule_group="g"}}': "9x80"},
        {},
        silent=("19m",),
        shows="below",
    ),
    Case(
        "PrometheusNotificationsDropped",
        "one alert",
        {f"prometheus_notifications_dropped_total{{{_PROMETHEUS}}}": "3x8 4x80"},
        {"2m15s": _PROMETHEUS_LABELS},
        silent=("2m", "13m"),
    ),
    Case(
        "PrometheusNotificationsDropped",
        "none since",
        {f"prometheus_notifications_dropped_total{{{_PROMETHEUS}}}": "4x80"},
        {},
        silent=("15m",),
        shows="below",
    ),
    Case(
        "AlertmanagerClusterIncomplete",
        "one of two knows only itself",
        {
            up("a", "alertmanager"): "1x60",
            up("b", "alertmanager"): "1x60",
            f"alertmanager_cluster_members{{{_ALERTMANAGER}}}": "1x60",
            'alertmanager_cluster_members{job="alertmanager",instance="b",pod="b"}': "2x60",
        },
        {"10m": ONCE},
        silent=("9m45s",),
    ),
    Case(
        "AlertmanagerClusterIncomplete",
        "both know both; or there is only one, which counts nobody",
        {up("a", "alertmanager"): "1x60", f"alertmanager_cluster_members{{{_ALERTMANAGER}}}": "1x60"},
        {},
        silent=("12m",),
        shows="below",
    ),
)
