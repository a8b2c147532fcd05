"""The catalogue of metrics: every family that a rule, a dashboard or an autoscaler may name.

Rules and dashboards are f-strings around these objects, so that PromQL stays readable while a misspelt
metric fails the type check. What a type cannot see (labels, names written by hand) ``demand`` refuses when
the rule or panel is made, and so before anything is synthesized. A family in an f-string is a selector with
its scrape job: ``f"{PG_UP} == 0"`` is ``pg_up{job="timescaledb"} == 0``.

Sources: the application's contract; postgres_exporter v0.20, redis_exporter v1.93, kube-state-metrics v2.19,
the kubelet and cAdvisor of Kubernetes 1.25 and newer, Prometheus 3 and Alertmanager 0.34. The families
``timescaledb_job_*`` and ``kube_certificate_*`` are our own: extensions.py tells the exporters to make them.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from traversion import contract
from traversion.contract import Contract, Metric
from traversion.verify.promql import parse, without_variables

Unit = Literal["1", "bytes", "cores", "ratio", "seconds", "timestamp", "true"]
"""What one is: a count, ..., seconds since 1970, or 1 when something is so and 0 when not."""

_SERIES_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")


@dataclass(frozen=True)
class Family(Metric):
    """A metric family as one scrape job delivers it."""

    unit: Unit
    job: str
    """The scrape job; empty for what Prometheus itself writes for every job."""

    def __str__(self) -> str:
        return self.where()

    def where(self, *matchers: str) -> str:
        """Return the selector of the family's series that match, e.g. ``where('state="idle"')``.

        Raises:
            ValueError: The family has no such label.
        """
        for matcher in matchers:
            label = re.split(r"[!=]", matcher)[0]
            if label not in self.labels:
                raise ValueError(f"{self.name} has no label {label!r}, only {', '.join(self.labels)}")
        job = (f'job="{self.job}"',) if self.job else ()
        return f"{self.name}{{{','.join((*job, *matchers))}}}"

    @property
    def bucket(self) -> "Family":
        """The cumulative buckets of a histogram."""
        return replace(self, name=f"{self.name}_bucket", kind="counter", labels=(*self.labels, "le"))

    @property
    def count(self) -> "Family":
        """How many observations a histogram has."""
        return replace(self, name=f"{self.name}_count", kind="counter")

    @property
    def series(self) -> frozenset[str]:
        """The names that Prometheus stores the family under."""
        if self.kind == "histogram":
            return frozenset(self.name + suffix for suffix in _SERIES_OF_A_HISTOGRAM)
        return frozenset({self.name})


@dataclass(frozen=True)
class Job:
    """A scrape job, and the labels that its targets add to each of their series."""

    name: str
    exporter: str
    """The program that answers."""
    target_labels: tuple[str, ...] = ("environment", "instance", "namespace", "pod")

    @property
    def up(self) -> Family:
        """1 while Prometheus can scrape a target of the job."""
        return self.gauge("up", (), "The last scrape succeeded", "true")

    def counter(self, name: str, labels: tuple[str, ...], text: str, unit: Unit = "1") -> Family:
        """Return a counter that the job's targets export."""
        return self.family(Metric(name, "counter", labels, text), unit)

    def gauge(self, name: str, labels: tuple[str, ...], text: str, unit: Unit = "1") -> Family:
        """Return a gauge that the job's targets export."""
        return self.family(Metric(name, "gauge", labels, text), unit)

    def family(self, metric: Metric, unit: Unit = "1") -> Family:
        """Return the metric as the job delivers it."""
        labels = (*metric.labels, *self.target_labels)
        return Family(metric.name, metric.kind, labels, metric.help, unit, self.name)


_DESCRIBES_OTHERS = ("environment", "instance", "namespace")
API = Job("traversion", "the Traversion image")
POSTGRES = Job("timescaledb", "postgres_exporter")
REDIS = Job("redis", "redis_exporter")
# The `pod` of these three is the one that a series describes, not the one that was scraped:
# the scrape must honour the labels of kube-state-metrics.
KUBERNETES = Job("kube-state-metrics", "kube-state-metrics", _DESCRIBES_OTHERS)
CADVISOR = Job("cadvisor", "cAdvisor in the kubelet", _DESCRIBES_OTHERS)
KUBELET = Job("kubelet", "the kubelet", _DESCRIBES_OTHERS)
PROMETHEUS = Job("prometheus", "Prometheus", ("environment", "instance"))
ALERTMANAGER = Job("alertmanager", "Alertmanager")
GRAFANA = Job("grafana", "Grafana")
BACKUPS = Job("backups", "the backup jobs, through the Pushgateway")

_OF_EVERY_JOB = ("job", "environment", "instance", "namespace", "pod")
EVERY_UP = Family("up", "gauge", _OF_EVERY_JOB, "The last scrape succeeded", "true", "")
SCRAPE_SECONDS = Family(
    "scrape_duration_seconds", "gauge", _OF_EVERY_JOB, "Time of the last scrape", "seconds", ""
)
SCRAPED_SAMPLES = Family(
    "scrape_samples_scraped", "gauge", _OF_EVERY_JOB, "Samples of the last scrape", "1", ""
)
ALERTS = Family(
    "ALERTS", "gauge", ("alertname", "alertstate", "severity", "component"), "Active alerts", "true", ""
)

# The application.
HTTP_REQUESTS = API.family(contract.REQUESTS)
HTTP_SECONDS = API.family(contract.REQUEST_SECONDS, "seconds")
EVENTS = API.family(contract.EVENTS)
EVENT_ERRORS = API.family(contract.EVENT_ERRORS)
EVENT_SECONDS = API.family(contract.EVENT_SECONDS, "seconds")
DETECTIONS = API.family(contract.CAUSALITY_DETECTIONS)
CONFIDENCE = API.family(contract.CAUSALITY_CONFIDENCE, "ratio")
GRAPH_SIZE = API.family(contract.CAUSALITY_GRAPH_SIZE)
QUERIES = API.family(contract.QUERIES)
QUERY_SECONDS = API.family(contract.QUERY_SECONDS, "seconds")
WEBSOCKET_CONNECTIONS = API.family(contract.WEBSOCKET_CONNECTIONS)
WEBSOCKET_MESSAGES = API.family(contract.WEBSOCKET_MESSAGES)
STORAGE_SECONDS = API.family(contract.STORAGE_SECONDS, "seconds")
AUTH_ATTEMPTS = API.family(contract.AUTH_ATTEMPTS)
ACTIVE_SESSIONS = API.family(contract.ACTIVE_SESSIONS)
EVENT_LOOP_SECONDS = API.family(contract.EVENT_LOOP_SECONDS, "seconds")

# postgres_exporter. Its statistics of sessions carry many labels: sum them by what is of interest.
_SESSION = (
    "datname",
    "state",
    "usename",
    "application_name",
    "backend_type",
    "wait_event_type",
    "wait_event",
)
_DATABASE = ("datid", "datname")
PG_UP = POSTGRES.gauge("pg_up", (), "PostgreSQL answered the exporter", "true")
PG_SESSIONS = POSTGRES.gauge("pg_stat_activity_count", _SESSION, "Server processes, by what they do")
PG_OLDEST_TRANSACTION = POSTGRES.gauge(
    "pg_stat_activity_max_tx_duration", _SESSION, "Age of the oldest transaction", "seconds"
)
PG_MAX_CONNECTIONS = POSTGRES.gauge("pg_settings_max_connections", (), "Connections that are allowed")
PG_DATABASE_BYTES = POSTGRES.gauge("pg_database_size_bytes", ("datname",), "Size on disk", "bytes")
PG_LOCKS = POSTGRES.gauge("pg_locks_count", ("datname", "mode"), "Locks held")
PG_COMMITS = POSTGRES.counter("pg_stat_database_xact_commit", _DATABASE, "Transactions committed")
PG_ROLLBACKS = POSTGRES.counter("pg_stat_database_xact_rollback", _DATABASE, "Transactions rolled back")
PG_BLOCKS_READ = POSTGRES.counter("pg_stat_database_blks_read", _DATABASE, "Blocks not found in memory")
PG_BLOCKS_HIT = POSTGRES.counter("pg_stat_database_blks_hit", _DATABASE, "Blocks found in memory")
PG_ROWS_INSERTED = POSTGRES.counter("pg_stat_database_tup_inserted", _DATABASE, "Rows inserted")
PG_ROWS_FETCHED = POSTGRES.counter("pg_stat_database_tup_fetched", _DATABASE, "Rows fetched by queries")
PG_DEADLOCKS = POSTGRES.counter("pg_stat_database_deadlocks", _DATABASE, "Deadlocks broken")
PG_TEMPORARY_BYTES = POSTGRES.counter(
    "pg_stat_database_temp_bytes", _DATABASE, "Written to temporary files by queries", "bytes"
)
PG_LIVE_ROWS = POSTGRES.gauge(
    "pg_stat_user_tables_n_live_tup", ("datname", "schemaname", "relname"), "Rows that count"
)
PG_DEAD_ROWS = POSTGRES.gauge(
    "pg_stat_user_tables_n_dead_tup", ("datname", "schemaname", "relname"), "Rows left for VACUUM"
)
PG_REPLICA_BEHIND = POSTGRES.gauge(
    "pg_stat_replication_pg_wal_lsn_diff",
    ("application_name", "client_addr", "state"),
    "WAL that a standby has not replayed; absent without standbys",
    "bytes",
)
PG_SLOT_ACTIVE = POSTGRES.gauge(
    "pg_replication_slots_slot_is_active",
    ("slot_name", "slot_type"),
    "Somebody reads from the replication slot; absent without slots",
    "true",
)
PG_SCRAPE_ERROR = POSTGRES.gauge(
    "pg_exporter_last_scrape_error", (), "A query of the exporter failed", "true"
)
_POLICY = ("job_id", "policy", "hypertable")
POLICY_FAILED = POSTGRES.gauge("timescaledb_job_last_run_failed", _POLICY, "The last run failed", "true")
POLICY_OVERDUE = POSTGRES.gauge(
    "timescaledb_job_overdue_seconds", _POLICY, "Time since the next run should have begun", "seconds"
)
POLICY_RUNS = POSTGRES.counter("timescaledb_job_runs", _POLICY, "Runs of a background job")
POLICY_FAILURES = POSTGRES.counter("timescaledb_job_failures", _POLICY, "Runs that failed")

PG_ARCHIVED = POSTGRES.counter("pg_stat_archiver_archived_count", (), "WAL segments archived")
PG_ARCHIVE_FAILURES = POSTGRES.counter(
    "pg_stat_archiver_failed_count", (), "Attempts to archive a segment that failed"
)
PG_ARCHIVE_AGE = POSTGRES.gauge(
    "pg_stat_archiver_last_archive_age", (), "Time since a segment was archived", "seconds"
)

# The backup jobs; timescaledb/scripts makes these.
_BACKUP = ("repository", "type")
BACKUP_COMPLETED = BACKUPS.gauge(
    "timescaledb_backup_last_completion_timestamp_seconds",
    _BACKUP,
    "When the newest backup was complete",
    "timestamp",
)
BACKUP_OLDEST = BACKUPS.gauge(
    "timescaledb_backup_oldest_timestamp_seconds",
    _BACKUP,
    "When the oldest backup that is kept was complete",
    "timestamp",
)
BACKUP_COUNT = BACKUPS.gauge("timescaledb_backup_count", _BACKUP, "Backups that are kept")
BACKUP_ADDED = BACKUPS.gauge(
    "timescaledb_backup_last_added_bytes", _BACKUP, "What the newest backup added to its repository", "bytes"
)
BACKUP_SECONDS = BACKUPS.gauge(
    "timescaledb_backup_last_duration_seconds", _BACKUP, "How long the newest backup took", "seconds"
)
BACKUP_DAMAGED = BACKUPS.gauge(
    "timescaledb_backup_last_damaged", _BACKUP, "The newest backup found pages with wrong checksums", "true"
)
REHEARSAL_SUCCEEDED = BACKUPS.gauge(
    "timescaledb_rehearsal_success", (), "The last rehearsal of a restore succeeded", "true"
)
REHEARSED = BACKUPS.gauge(
    "timescaledb_rehearsal_last_success_timestamp_seconds", (), "When a rehearsal last succeeded", "timestamp"
)
REHEARSAL_SECONDS = BACKUPS.gauge(
    "timescaledb_rehearsal_duration_seconds", (), "How long the last rehearsal took", "seconds"
)
REHEARSAL_DATA_AGE = BACKUPS.gauge(
    "timescaledb_rehearsal_data_age_seconds", (), "Age of the newest commit that it brought back", "seconds"
)

# redis_exporter.
REDIS_UP = REDIS.gauge("redis_up", (), "Redis answered the exporter", "true")
REDIS_MEMORY = REDIS.gauge("redis_memory_used_bytes", (), "Memory of the data set and its buffers", "bytes")
REDIS_MAX_MEMORY = REDIS.gauge("redis_memory_max_bytes", (), "maxmemory; 0 is no bound", "bytes")
REDIS_CLIENTS = REDIS.gauge("redis_connected_clients", (), "Connections open")
REDIS_COMMANDS = REDIS.counter("redis_commands_processed_total", (), "Commands processed")
REDIS_HITS = REDIS.counter("redis_keyspace_hits_total", (), "Look-ups that found a key")
REDIS_MISSES = REDIS.counter("redis_keyspace_misses_total", (), "Look-ups that found none")
REDIS_EVICTED = REDIS.counter("redis_evicted_keys_total", (), "Keys evicted to stay below maxmemory")
REDIS_EXPIRED = REDIS.counter("redis_expired_keys_total", (), "Keys that reached their time to live")
REDIS_REJECTED = REDIS.counter("redis_rejected_connections_total", (), "Connections over maxclients")
REDIS_KEYS = REDIS.gauge("redis_db_keys", ("db",), "Keys stored")
REDIS_AOF_WRITTEN = REDIS.gauge("redis_aof_last_write_status", (), "The last AOF write succeeded", "true")
REDIS_AOF_REWRITTEN = REDIS.gauge(
    "redis_aof_last_bgrewrite_status", (), "The last AOF rewrite succeeded", "true"
)
REDIS_RDB_SAVED = REDIS.gauge("redis_rdb_last_bgsave_status", (), "The last snapshot succeeded", "true")
REDIS_AVERAGE_TTL = REDIS.gauge(
    "redis_db_avg_ttl_seconds", ("db",), "Mean time to live of the keys that expire", "seconds"
)
REDIS_KEYS_EXPIRING = REDIS.gauge("redis_db_keys_expiring", ("db",), "Keys with a time to live")
REDIS_FRAGMENTATION = REDIS.gauge(
    "redis_mem_fragmentation_ratio", (), "Memory taken from the system by memory used", "ratio"
)
REDIS_UPTIME = REDIS.gauge("redis_uptime_in_seconds", (), "Time since the start", "seconds")
REDIS_AOF_BYTES = REDIS.gauge("redis_aof_current_size_bytes", (), "Size of the append-only file", "bytes")
REDIS_COMMAND_SECONDS = REDIS.counter(
    "redis_commands_duration_seconds_total", ("cmd",), "Time spent in a command", "seconds"
)

# cAdvisor, in the kubelet.
CPU_SECONDS = CADVISOR.counter(
    "container_cpu_usage_seconds_total", ("pod", "container"), "CPU time used", "seconds"
)
CPU_PERIODS = CADVISOR.counter(
    "container_cpu_cfs_periods_total", ("pod", "container"), "Scheduling periods of limited containers"
)
CPU_THROTTLED = CADVISOR.counter(
    "container_cpu_cfs_throttled_periods_total", ("pod", "container"), "Periods that ended throttled"
)
WORKING_SET = CADVISOR.gauge(
    "container_memory_working_set_bytes", ("pod", "container"), "Memory that cannot be reclaimed", "bytes"
)
NETWORK_RECEIVED = CADVISOR.counter(
    "container_network_receive_bytes_total", ("pod", "interface"), "Received by the pod", "bytes"
)
NETWORK_SENT = CADVISOR.counter(
    "container_network_transmit_bytes_total", ("pod", "interface"), "Sent by the pod", "bytes"
)

# The kubelet.
_CLAIM = ("persistentvolumeclaim",)
VOLUME_AVAILABLE = KUBELET.gauge("kubelet_volume_stats_available_bytes", _CLAIM, "Free space", "bytes")
VOLUME_CAPACITY = KUBELET.gauge("kubelet_volume_stats_capacity_bytes", _CLAIM, "Whole space", "bytes")
VOLUME_INODES_FREE = KUBELET.gauge("kubelet_volume_stats_inodes_free", _CLAIM, "Free inodes")
VOLUME_INODES = KUBELET.gauge("kubelet_volume_stats_inodes", _CLAIM, "All inodes")

# kube-state-metrics.
_CONTAINER = ("pod", "container")
LIMITS = KUBERNETES.gauge(
    "kube_pod_container_resource_limits", (*_CONTAINER, "resource", "unit"), "Limits, in cores and bytes"
)
REQUESTED = KUBERNETES.gauge(
    "kube_pod_container_resource_requests", (*_CONTAINER, "resource", "unit"), "Requests, in cores and bytes"
)
RESTARTS = KUBERNETES.counter("kube_pod_container_status_restarts_total", _CONTAINER, "Restarts")
WAITING = KUBERNETES.gauge(
    "kube_pod_container_status_waiting_reason", (*_CONTAINER, "reason"), "Why a container waits", "true"
)
LAST_TERMINATED = KUBERNETES.gauge(
    "kube_pod_container_status_last_terminated_reason", (*_CONTAINER, "reason"), "How it ended", "true"
)
POD_READY = KUBERNETES.gauge("kube_pod_status_ready", ("pod", "condition"), "Readiness", "true")
POD_OWNER = KUBERNETES.gauge("kube_pod_owner", ("pod", "owner_kind", "owner_name"), "Who made it", "true")
DEPLOYMENT_WANTED = KUBERNETES.gauge("kube_deployment_spec_replicas", ("deployment",), "Pods wanted")
DEPLOYMENT_AVAILABLE = KUBERNETES.gauge(
    "kube_deployment_status_replicas_available", ("deployment",), "Pods that can serve"
)
DEPLOYMENT_CONDITION = KUBERNETES.gauge(
    "kube_deployment_status_condition", ("deployment", "condition", "status"), "Conditions", "true"
)
STATEFULSET_WANTED = KUBERNETES.gauge("kube_statefulset_replicas", ("statefulset",), "Pods wanted")
STATEFULSET_READY = KUBERNETES.gauge("kube_statefulset_status_replicas_ready", ("statefulset",), "Pods ready")
_AUTOSCALER = ("horizontalpodautoscaler",)
HPA_DESIRED = KUBERNETES.gauge(
    "kube_horizontalpodautoscaler_status_desired_replicas", _AUTOSCALER, "Pods it wants"
)
HPA_CURRENT = KUBERNETES.gauge(
    "kube_horizontalpodautoscaler_status_current_replicas", _AUTOSCALER, "Pods there are"
)
HPA_MINIMUM = KUBERNETES.gauge("kube_horizontalpodautoscaler_spec_min_replicas", _AUTOSCALER, "Pods at least")
HPA_MAXIMUM = KUBERNETES.gauge("kube_horizontalpodautoscaler_spec_max_replicas", _AUTOSCALER, "Pods at most")
HPA_CONDITION = KUBERNETES.gauge(
    "kube_horizontalpodautoscaler_status_condition",
    (*_AUTOSCALER, "condition", "status"),
    "Conditions",
    "true",
)
QUOTA = KUBERNETES.gauge("kube_resourcequota", ("resourcequota", "resource", "type"), "Hard and used")
JOB_FAILED = KUBERNETES.gauge("kube_job_failed", ("job_name", "condition"), "The job gave up", "true")
CRONJOB_CREATED = KUBERNETES.gauge("kube_cronjob_created", ("cronjob",), "Creation", "timestamp")
CRONJOB_SUCCEEDED = KUBERNETES.gauge(
    "kube_cronjob_status_last_successful_time",
    ("cronjob",),
    "Last success; absent before the first",
    "timestamp",
)
CRONJOB_NEXT = KUBERNETES.gauge(
    "kube_cronjob_next_schedule_time", ("cronjob",), "When it should run next", "timestamp"
)
CRONJOB_SUSPENDED = KUBERNETES.gauge("kube_cronjob_spec_suspend", ("cronjob",), "Switched off", "true")
CERTIFICATE_EXPIRES = KUBERNETES.gauge(
    "kube_certificate_expiration_timestamp_seconds",
    ("certificate",),
    "End of a certificate of cert-manager; absent before the first",
    "timestamp",
)
CERTIFICATE_READY = KUBERNETES.gauge(
    "kube_certificate_condition", ("certificate", "condition"), "Conditions of a certificate", "true"
)

# Prometheus and Alertmanager.
RULE_FAILURES = PROMETHEUS.counter(
    "prometheus_rule_evaluation_failures_total", ("rule_group",), "Evaluations that failed"
)
PROMETHEUS_RELOADED = PROMETHEUS.gauge(
    "prometheus_config_last_reload_successful", (), "The last reload succeeded", "true"
)
NOTIFIED = PROMETHEUS.counter("prometheus_notifications_sent_total", ("alertmanager",), "Alerts sent")
NOTIFY_ERRORS = PROMETHEUS.counter(
    "prometheus_notifications_errors_total", ("alertmanager",), "Alerts that could not be sent"
)
ALERTMANAGERS = PROMETHEUS.gauge(
    "prometheus_notifications_alertmanagers_discovered", (), "Alertmanagers that alerts go to"
)
TSDB_RELOAD_FAILURES = PROMETHEUS.counter(
    "prometheus_tsdb_reloads_failures_total", (), "Blocks that could not be loaded"
)
TSDB_COMPACTION_FAILURES = PROMETHEUS.counter(
    "prometheus_tsdb_compactions_failed_total", (), "Blocks that could not be compacted"
)
ALERTMANAGER_RELOADED = ALERTMANAGER.gauge(
    "alertmanager_config_last_reload_successful", (), "The last reload succeeded", "true"
)
DELIVERED = ALERTMANAGER.counter(
    "alertmanager_notifications_total", ("integration",), "Notifications attempted"
)
DELIVERY_FAILURES = ALERTMANAGER.counter(
    "alertmanager_notifications_failed_total", ("integration", "reason"), "Notifications that failed"
)
NOTIFY_DROPPED = PROMETHEUS.counter(
    "prometheus_notifications_dropped_total", (), "Alerts given up, because the queue was full"
)
NOTIFY_QUEUED = PROMETHEUS.gauge("prometheus_notifications_queue_length", (), "Alerts that wait")
EVALUATIONS_MISSED = PROMETHEUS.counter(
    "prometheus_rule_group_iterations_missed_total", ("rule_group",), "Evaluations that came too late"
)
EVALUATION_SECONDS = PROMETHEUS.gauge(
    "prometheus_rule_group_last_duration_seconds", ("rule_group",), "Time of the last evaluation", "seconds"
)
HEAD_SERIES = PROMETHEUS.gauge("prometheus_tsdb_head_series", (), "Series in memory")
SAMPLES_APPENDED = PROMETHEUS.counter("prometheus_tsdb_head_samples_appended_total", (), "Samples stored")
BLOCK_BYTES = PROMETHEUS.gauge("prometheus_tsdb_storage_blocks_bytes", (), "Blocks on the volume", "bytes")
WAL_CORRUPTIONS = PROMETHEUS.counter(
    "prometheus_tsdb_wal_corruptions_total", (), "Corruptions found in the write-ahead log"
)
QUERY_TIME = PROMETHEUS.gauge(
    "prometheus_engine_query_duration_seconds",
    ("slice", "quantile"),
    "Time of the parts of a query",
    "seconds",
)
RESIDENT = PROMETHEUS.gauge("process_resident_memory_bytes", (), "Memory of the process", "bytes")
ACTIVE_ALERTS = ALERTMANAGER.gauge("alertmanager_alerts", ("state",), "Alerts that Alertmanager knows")
SILENCES = ALERTMANAGER.gauge("alertmanager_silences", ("state",), "Silences")
CLUSTER_MEMBERS = ALERTMANAGER.gauge(
    "alertmanager_cluster_members", (), "Alertmanagers that know each other; absent where there is one"
)

JOBS = tuple(value for value in dict(globals()).values() if isinstance(value, Job))
"""Every scrape job."""

CATALOGUE = tuple(value for value in dict(globals()).values() if isinstance(value, Family))
"""Every family of this module."""


_LABELS: dict[str, frozenset[str]] = {
    name: frozenset({*family.labels, "job", *(("le",) if name.endswith("_bucket") else ())})
    for family in (*CATALOGUE, *(job.up for job in JOBS))
    for name in family.series
}
"""The labels of each series that a query may ask for; ``record`` adds what the rules compute."""

_LABEL_LISTS = re.compile(r"\b(?:by|on|group_left|group_right)\s*\(([^)]*)\)")


def record(name: str, labels: tuple[str, ...]) -> None:
    """Let queries ask for a series that a rule computes."""
    _LABELS[name] = frozenset(labels)


def demand(promql: str, *more_labels: str) -> None:
    """Refuse a query that does not parse, or names a series or label that nobody exports.

    ``more_labels``: what else must be a label of a series in it, such as those in a panel's legend.

    Raises:
        ValueError: It is so; the message names it.
    """
    query = parse(without_variables(promql))
    if query.error:
        raise ValueError(f"{query.error}: {promql}")
    having: set[str] = set()
    for selector in query.selectors:
        if selector.metric not in _LABELS:
            raise ValueError(f"{selector.metric} is not in the catalogue: {promql}")
        labels = _LABELS[selector.metric] | {"environment"}  # what leaves Prometheus always has it
        for label, _, _ in selector.matchers:
            if label not in labels and label != "__name__":
                raise ValueError(f"{selector.metric} has no label {label}: {promql}")
        having |= labels
    lists = ",".join(_LABEL_LISTS.findall(promql))
    used = {label.strip() for label in lists.split(",") if label.strip()} | set(more_labels)
    if used - having:
        raise ValueError(f"no series has the label {', '.join(sorted(used - having))}: {promql}")


def names_in(promql: str) -> frozenset[str]:
    """Return every word of an expression outside of its string literals; metric names are among them."""
    return frozenset(re.findall(r"[A-Za-z_:][\w:]*", re.sub(r'"(\\.|[^"\\])*"', "", promql)))


def not_exported(image: Contract, unwatched: frozenset[str]) -> frozenset[str]:
    """Return the series that do not exist: the image does not export them, or their job scrapes nothing."""
    exported = {metric.name for metric in image.metrics} if image.metrics_port else set()
    return frozenset().union(
        *(
            family.series
            for family in CATALOGUE
            if family.job in unwatched or (family.job == API.name and family.name not in exported)
        )
    )
