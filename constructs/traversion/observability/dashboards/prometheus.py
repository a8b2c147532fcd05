"""Who watches the watchers: Prometheus, Alertmanager and what they scrape."""

from traversion.observability.dashboards.panels import Dashboard, Panel, Row, Threshold, number
from traversion.observability.dashboards.queries import PromQl
from traversion.observability.metrics import (
    ACTIVE_ALERTS,
    ALERTS,
    BLOCK_BYTES,
    CLUSTER_MEMBERS,
    DELIVERED,
    DELIVERY_FAILURES,
    EVALUATION_SECONDS,
    EVALUATIONS_MISSED,
    EVERY_UP,
    HEAD_SERIES,
    NOTIFIED,
    NOTIFY_DROPPED,
    NOTIFY_ERRORS,
    NOTIFY_QUEUED,
    PROMETHEUS_RELOADED,
    QUERY_TIME,
    RESIDENT,
    RULE_FAILURES,
    SAMPLES_APPENDED,
    SCRAPE_SECONDS,
    SCRAPED_SAMPLES,
    SILENCES,
)

_HERE = ('environment=~"$environment"', 'namespace=~"$namespace|"')

DASHBOARD = Dashboard(
    "traversion-prometheus",
    "Traversion / Prometheus",
    "Whether everything is scraped, rules are evaluated, and alerts reach somebody.",
    (
        Row(
            "Now",
            (
                number(
                    "Targets down",
                    "Targets that do not answer; those that are missing altogether are an alert.",
                    f"count({EVERY_UP.where(*_HERE)} == 0) or vector(0)",
                    threshold=Threshold(1),
                ),
                number(
                    "Alertmanagers",
                    "That know each other; empty where there is only one.",
                    f"min({CLUSTER_MEMBERS})",
                    threshold=Threshold(1, 0.5),
                ),
                number(
                    "Configuration",
                    "1 while the last one that was given could be loaded.",
                    f"min({PROMETHEUS_RELOADED})",
                    threshold=Threshold(1, 0.5),
                ),
                number(
                    "Rule failures",
                    "Evaluations that failed within an hour.",
                    f"sum(increase({RULE_FAILURES}[1h]))",
                    threshold=Threshold(1),
                ),
                number(
                    "Watchdog",
                    "1 while the alert fires that always must.",
                    f"""max({ALERTS.where('alertname="Watchdog"', 'alertstate="firing"')}) or vector(0)""",
                    threshold=Threshold(1, 0.5),
                ),
                number("Series", "In memory.", f"sum({HEAD_SERIES})"),
            ),
        ),
        Row(
            "Scraping",
            (
                Panel(
                    "Targets by job",
                    "Targets that answer.",
                    (PromQl(f"sum by (job) ({EVERY_UP.where(*_HERE)})", "{{job}}"),),
                ),
                Panel(
                    "Time of a scrape",
                    "The slowest target of each job.",
                    (PromQl(f"max by (job) ({SCRAPE_SECONDS.where(*_HERE)})", "{{job}}"),),
                    "s",
                ),
                Panel(
                    "Samples of a scrape",
                    "All targets of a job together; a jump is a label with too many values.",
                    (PromQl(f"sum by (job) ({SCRAPED_SAMPLES.where(*_HERE)})", "{{job}}"),),
                    stacked=True,
                ),
            ),
        ),
        Row(
            "Rules and queries",
            (
                Panel(
                    "Time of an evaluation",
                    "By group; as long as the interval (15 s), evaluations are left out.",
                    (PromQl(f"max by (rule_group) ({EVALUATION_SECONDS})", "{{rule_group}}"),),
                    "s",
                    threshold=Threshold(5, 15),
                ),
                Panel(
                    "Evaluations left out",
                    "Because the one before took too long, per hour.",
                    (PromQl(f"sum by (rule_group) (increase({EVALUATIONS_MISSED}[1h]))", "{{rule_group}}"),),
                    threshold=Threshold(1),
                ),
                Panel(
                    "Time of queries (p90)",
                    "By the part of the work.",
                    (PromQl(f"""max by (slice) ({QUERY_TIME.where('quantile="0.9"')})""", "{{slice}}"),),
                    "s",
                ),
            ),
        ),
        Row(
            "Alerts",
            (
                Panel(
                    "Sent to Alertmanager",
                    "Alerts per second, and those that failed or were given up.",
                    (
                        PromQl(f"sum(rate({NOTIFIED}[$__rate_interval]))", "sent"),
                        PromQl(f"sum(rate({NOTIFY_ERRORS}[$__rate_interval]))", "failed"),
                        PromQl(f"sum(rate({NOTIFY_DROPPED}[$__rate_interval]))", "given up"),
                    ),
                    "ops",
                ),
                Panel(
                    "Waiting",
                    "Alerts in the queue, and those that Alertmanager knows, by state.",
                    (
                        PromQl(f"sum({NOTIFY_QUEUED})", "queued"),
                        PromQl(f"max by (state) ({ACTIVE_ALERTS})", "{{state}}"),
                        PromQl(f"""max({SILENCES.where('state="active"')})""", "silences"),
                    ),
                ),
                Panel(
                    "Notifications by receiver",
                    "Per hour, and those that failed.",
                    (
                        PromQl(f"sum by (integration) (increase({DELIVERED}[1h])) > 0", "{{integration}}"),
                        PromQl(
                            f"sum by (integration) (increase({DELIVERY_FAILURES}[1h])) > 0",
                            "{{integration}} failed",
                        ),
                    ),
                ),
            ),
        ),
        Row(
            "Storage",
            (
                Panel(
                    "Samples",
                    "Stored per second.",
                    (PromQl(f"sum(rate({SAMPLES_APPENDED}[$__rate_interval]))", "samples"),),
                    "cps",
                ),
                Panel(
                    "Blocks",
                    "On the volume, of which 80 % may be used.",
                    (PromQl(f"sum({BLOCK_BYTES})", "blocks"),),
                    "bytes",
                ),
                Panel(
                    "Memory",
                    "Of the process; it grows with the series.",
                    (PromQl(f"max({RESIDENT})", "resident"),),
                    "bytes",
                ),
            ),
        ),
    ),
)
