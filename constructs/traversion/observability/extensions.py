"""What exporters are told to read beside what they know by themselves.

postgres_exporter knows nothing of TimescaleDB's background jobs, without which volumes fill. Its option
``--extend.query-path`` is deprecated since v0.13 and works in the pinned v0.20; the alternative that its
authors name, sql_exporter, would be one more program with a log-in to the database. Every role may read the
two views. kube-state-metrics reads any custom resource that it is told of, here cert-manager's certificates.
"""

from traversion.observability.metrics import (
    CERTIFICATE_EXPIRES,
    CERTIFICATE_READY,
    POLICY_FAILED,
    POLICY_FAILURES,
    POLICY_OVERDUE,
    POLICY_RUNS,
    Family,
)

_PREFIX = "timescaledb_job"
# Times of jobs that never ran are -infinity, of which PostgreSQL 15 subtracts nothing.
_POLICIES = """\
SELECT
    jobs.job_id::text,
    jobs.proc_name::text AS policy,
    coalesce(jobs.hypertable_name::text, '') AS hypertable,
    stats.total_runs AS runs,
    stats.total_failures AS failures,
    (stats.last_run_status = 'Failed')::integer AS last_run_failed,
    coalesce(
        greatest(0, extract(epoch FROM now()) - extract(epoch FROM nullif(stats.next_start, '-infinity'))), 0
    ) AS overdue_seconds
FROM timescaledb_information.jobs AS jobs
JOIN timescaledb_information.job_stats AS stats USING (job_id)
WHERE jobs.scheduled"""


def postgres_queries() -> dict[str, object]:
    """Return the file of additional queries for postgres_exporter."""
    columns = [
        {label: {"usage": "LABEL", "description": label}} for label in ("job_id", "policy", "hypertable")
    ]
    columns += [_column(family) for family in (POLICY_RUNS, POLICY_FAILURES, POLICY_FAILED, POLICY_OVERDUE)]
    return {_PREFIX: {"query": _POLICIES, "master": True, "cache_seconds": 30, "metrics": columns}}


def _column(family: Family) -> dict[str, dict[str, str]]:
    name = family.name.removeprefix(f"{_PREFIX}_")
    return {name: {"usage": family.kind.upper(), "description": family.help}}


CERTIFICATES = ("cert-manager.io", "v1", "Certificate", "certificates")
"""Group, version, kind and plural of what kube-state-metrics reads."""


def certificate_metrics() -> dict[str, object]:
    """Return the configuration of kube-state-metrics for cert-manager's certificates."""
    group, version, kind, _ = CERTIFICATES
    # An RFC 3339 time becomes seconds since 1970, "True" becomes 1, and "False" and "Unknown" become 0.
    expires = {"type": "Gauge", "gauge": {"path": ["status", "notAfter"]}}
    condition = {
        "type": "Gauge",
        "gauge": {
            "path": ["status", "conditions"],
            "labelsFromPath": {"condition": ["type"]},
            "valueFrom": ["status"],
        },
    }
    return {
        "kind": "CustomResourceStateMetrics",
        "spec": {
            "resources": [
                {
                    "groupVersionKind": {"group": group, "version": version, "kind": kind},
                    "metricNamePrefix": "kube",
                    "labelsFromPath": {
                        "namespace": ["metadata", "namespace"],
                        "certificate": ["metadata", "name"],
                    },
                    "metrics": [
                        {
                            "name": family.name.removeprefix("kube_"),
                            "help": family.help,
                            "each": each,
                        }
                        for family, each in ((CERTIFICATE_EXPIRES, expires), (CERTIFICATE_READY, condition))
                    ],
                }
            ]
        },
    }
