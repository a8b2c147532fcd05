"""The files the database runs with: configuration, schema and scripts."""

from collections.abc import Mapping
from importlib.resources import files

from traversion.settings import TimescaleDbSettings
from traversion.timescaledb.tuning import tuned_parameters

CONFIG_DIRECTORY = "/etc/postgresql"
CERTIFICATE_DIRECTORY = "/etc/postgresql-tls"
SOCKET_DIRECTORY = "/var/run/postgresql"

CONNECTION_LIMITS = {"grafana_connections": 10, "exporter_connections": 3, "backup_connections": 2}
"""Connections of the roles beside the API's; the schema enforces them."""

_INTERVAL_UNITS = {
    "s": "seconds",
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
    "y": "years",
}
_PACKAGE = files("traversion.timescaledb")

# No password travels and no data is read without TLS. The kernel vouches for the superuser inside the pod.
_ACCESS_RULES = """\
# type   database  user      address  method
local    all       postgres           peer
hostssl  all       all       all      scram-sha-256
"""


def server_files(settings: TimescaleDbSettings) -> Mapping[str, str]:
    """Return ``postgresql.conf`` and ``pg_hba.conf``."""
    parameters: dict[str, str | int] = {
        "listen_addresses": "*",
        "port": 5432,
        "unix_socket_directories": SOCKET_DIRECTORY,
        "hba_file": f"{CONFIG_DIRECTORY}/pg_hba.conf",
        "shared_preload_libraries": "timescaledb",
        "timescaledb.telemetry_level": "off",
        "password_encryption": "scram-sha-256",
        "ssl": "on",
        "ssl_cert_file": f"{CERTIFICATE_DIRECTORY}/tls.crt",
        "ssl_key_file": f"{CERTIFICATE_DIRECTORY}/tls.key",
        "ssl_ca_file": f"{CERTIFICATE_DIRECTORY}/ca.crt",
        "ssl_min_protocol_version": "TLSv1.2",
        # TLS 1.2 with forward secrecy and authenticated encryption only; TLS 1.3 brings its own.
        "ssl_ciphers": "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL",
        "wal_level": "replica",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Standard error is the log; the container runtime keeps it.
        "logging_collector": "off",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_min_duration_statement": "1s",
        "log_lock_waits": "on",
        "log_autovacuum_min_duration": "10s",
        # A client that vanished must not hold locks for ever.
        "idle_in_transaction_session_timeout": "5min",
        "tcp_keepalives_idle": 60,
        **tuned_parameters(settings),
    }
    lines = [f"{name} = {_quoted(value)}\n" for name, value in parameters.items()]
    return {"postgresql.conf": "".join(lines), "pg_hba.conf": _ACCESS_RULES}


def schema_files(settings: TimescaleDbSettings) -> Mapping[str, str]:
    """Return the schema as SQL, and the script that applies it."""
    values = {name: str(limit) for name, limit in CONNECTION_LIMITS.items()} | {
        "compress_after": _interval(settings.compress_after),
        "event_retention": _interval(settings.event_retention),
        "metric_retention": _interval(settings.metric_retention),
    }
    schema: dict[str, str] = {}
    for file in sorted((_PACKAGE / "schema").iterdir(), key=lambda file: file.name):
        text = file.read_text(encoding="utf-8")
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        schema[file.name] = text
    return schema | script("apply-schema.sh")


def script(name: str) -> dict[str, str]:
    """Return one of the shell scripts."""
    return {name: (_PACKAGE / "scripts" / name).read_text(encoding="utf-8")}


def _interval(period: str) -> str:
    """Write "7d" as SQL reads it: "7 days"."""
    return f"{period[:-1]} {_INTERVAL_UNITS[period[-1]]}"


def _quoted(value: str | int) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"
