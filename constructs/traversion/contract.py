"""What a Traversion image promises: the ports it opens, the paths it writes, the metrics it exports.

Everything that is generated around the application follows from here. Change it when the image changes.
Source: the application's Dockerfile, ``src/config/environment.js``, ``src/middleware/rateLimiter.js`` and
``src/monitoring/metricsCollector.js``.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One metric family as the application exports it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = field(default=(), kw_only=True)
    """Upper bounds of a histogram's buckets, without the last."""


@dataclass(frozen=True)
class ProbeBudget:
    """How often one client address, and so one kubelet, may ask for a path before it is turned away."""

    requests: int
    seconds: int


@dataclass(frozen=True)
class Contract:
    """One line of images.

    ``metrics_port`` None means that the image exports no metrics; nothing that needs them is synthesized.
    ``websocket_port`` may equal ``http_port``. ``health_path`` may depend on the database, so only readiness
    asks it; liveness only needs the port to accept connections. ``login_path`` is where passwords are sent.
    ``environment_keys`` are the variables that the image reads; others are not set.
    """

    http_port: int
    websocket_port: int
    metrics_port: int | None
    health_path: str
    health_budget: ProbeBudget | None
    metrics_path: str
    websocket_path: str
    login_path: str
    uid: int
    gid: int
    writable_paths: tuple[str, ...]
    environment_keys: frozenset[str]
    metrics: tuple[Metric, ...]

    def metric(self, name: str) -> Metric | None:
        """Return the metric of that name, or None when this image does not export it."""
        return next((metric for metric in self.metrics if metric.name == name), None)


REQUESTS = Metric(
    "traversion_http_requests_total",
    "counter",
    ("method", "endpoint", "status_code"),
    "HTTP requests answered",
)
BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Of every histogram (``latencyBuckets``), whatever it measures."""

REQUEST_SECONDS = Metric(
    "traversion_http_request_duration_seconds",
    "histogram",
    ("method", "endpoint"),
    "Time to answer an HTTP request",
    buckets=BUCKETS,
)
EVENTS = Metric(
    "traversion_events_total",
    "counter",
    ("tenant_id", "event_type", "service_id"),
    "Events processed",
)
EVENT_ERRORS = Metric(
    "traversion_events_errors_total", "counter", ("tenant_id", "error_type"), "Events that failed"
)
EVENT_SECONDS = Metric(
    "traversion_event_processing_duration_seconds",
    "histogram",
    ("tenant_id", "event_type"),
    "Time to process an event",
    buckets=BUCKETS,
)
CAUSALITY_DETECTIONS = Metric(
    "traversion_causality_detections_total",
    "counter",
    ("tenant_id", "causality_type"),
    "Causal relations found",
)
CAUSALITY_CONFIDENCE = Metric(
    "traversion_causality_confidence",
    "histogram",
    ("tenant_id", "causality_type"),
    "Confidence of a causal relation, 0 to 1",
    buckets=BUCKETS,
)
CAUSALITY_GRAPH_SIZE = Metric(
    "traversion_causality_graph_size", "gauge", ("tenant_id",), "Nodes in the causality graph"
)
QUERIES = Metric("traversion_queries_total", "counter", ("tenant_id", "query_type"), "Causality queries run")
QUERY_SECONDS = Metric(
    "traversion_query_duration_seconds",
    "histogram",
    ("tenant_id", "query_type"),
    "Time of a causality query",
    buckets=BUCKETS,
)
WEBSOCKET_CONNECTIONS = Metric(
    "traversion_websocket_connections", "gauge", ("tenant_id",), "WebSocket connections open"
)
WEBSOCKET_MESSAGES = Metric(
    "traversion_websocket_messages_total",
    "counter",
    ("tenant_id", "message_type"),
    "WebSocket messages",
)
STORAGE_SECONDS = Metric(
    "traversion_storage_operation_duration_seconds",
    "histogram",
    ("operation",),
    "Time of a storage operation",
    buckets=BUCKETS,
)
AUTH_ATTEMPTS = Metric(
    "traversion_auth_attempts_total",
    "counter",
    ("tenant_id", "method", "result"),
    "Log-in attempts",
)
ACTIVE_SESSIONS = Metric("traversion_active_sessions", "gauge", ("tenant_id",), "Sessions in use")
EVENT_LOOP_SECONDS = Metric(
    "traversion_event_loop_lag_seconds", "histogram", (), "Delay of the Node.js event loop", buckets=BUCKETS
)

# What src/config/environment.js reads, and what node-postgres and Node.js read by themselves.
_UPSTREAM_KEYS = frozenset(
    {
        "APP_URL",
        "BACKUP_ENABLED",
        "CORS_ORIGINS",
        "DATA_DIR",
        "HOST",
        "LOG_JSON",
        "LOG_LEVEL",
        "LOG_TO_FILE",
        "NODE_ENV",
        "NO_COLOR",
        "PORT",
        "DB_HOST",
        "DB_MAX_CONNECTIONS",
        "DB_NAME",
        "DB_PASSWORD",
        "DB_PORT",
        "DB_SSL",
        "DB_TYPE",
        "DB_USER",
        "REDIS_ENABLED",
        "REDIS_HOST",
        "REDIS_PASSWORD",
        "REDIS_PORT",
        "JWT_SECRET",
        "SESSION_SECRET",
        "PGSSLMODE",
        "PGSSLROOTCERT",
        "NODE_EXTRA_CA_CERTS",
    }
)

TRAVERSION = Contract(
    http_port=3333,
    websocket_port=3334,
    metrics_port=9090,
    health_path="/api/health",
    health_budget=None,
    metrics_path="/metrics",
    websocket_path="/",
    login_path="/api/auth/login",
    uid=1000,
    gid=1000,
    writable_paths=("/app/.traversion", "/app/backups", "/app/exports", "/tmp"),
    environment_keys=_UPSTREAM_KEYS | {"CORS_ORIGIN", "METRICS_PORT", "WS_PORT"},
    metrics=(
        REQUESTS,
        REQUEST_SECONDS,
        EVENTS,
        EVENT_ERRORS,
        EVENT_SECONDS,
        CAUSALITY_DETECTIONS,
        CAUSALITY_CONFIDENCE,
        CAUSALITY_GRAPH_SIZE,
        QUERIES,
        QUERY_SECONDS,
        WEBSOCKET_CONNECTIONS,
        WEBSOCKET_MESSAGES,
        STORAGE_SECONDS,
        AUTH_ATTEMPTS,
        ACTIVE_SESSIONS,
        EVENT_LOOP_SECONDS,
    ),
)
"""The image that this deployment is made for."""

UPSTREAM_1_0_0 = Contract(
    http_port=3335,
    websocket_port=3335,
    metrics_port=None,
    health_path="/health",
    health_budget=ProbeBudget(requests=100, seconds=900),
    metrics_path="/metrics",
    websocket_path="/ws",
    login_path="/api/auth/login",
    uid=1000,
    gid=1000,
    writable_paths=TRAVERSION.writable_paths,
    environment_keys=_UPSTREAM_KEYS,
    metrics=(),
)
"""Upstream's v1.0.0: one port for everything, no metrics, and a rate limit that also counts health checks."""
