"""The files the database runs with: configuration, schema and scripts."""

from collections.abc import Mapping
from importlib.resources import files

from traversion.settings import BackupSettings, TimescaleDbSettings
from traversion.timescaledb.tuning import tuned_parameters
from traversion.values import seconds_of

PORT = 5432
DATA_VOLUME = "/home/postgres/pgdata"
DATA_DIRECTORY = f"{DATA_VOLUME}/data"  # PGDATA of the image
CONFIG_DIRECTORY = "/etc/postgresql"
SCRIPTS_DIRECTORY = "/opt/traversion"
BACKUP_SCRIPTS_DIRECTORY = "/opt/pgbackrest"
CERTIFICATE_DIRECTORY = "/etc/postgresql-tls"
SOCKET_DIRECTORY = "/var/run/postgresql"

CONNECTION_LIMITS = {
    "owner_connections": 2,
    "grafana_connections": 10,
    "exporter_connections": 3,
    "backup_connections": 5,
}
"""Connections of the roles beside the API's; the schema enforces them."""

SENDING_SECONDS = 15
"""Of a recovery point: to send a WAL segment after it was closed."""

_INTERVAL_UNITS = {
    "s": "seconds",
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
    "y": "years",
}
_PACKAGE = files("traversion.timescaledb")

# No password travels and no data is read without TLS. Inside the pod the kernel vouches for the user.
_ACCESS_RULES = """\
# type   database  user      address  method
local    all       postgres           peer map=pod
local    all       backup             peer map=pod
hostssl  all       all       all      scram-sha-256
"""
_IDENTITIES = """\
# map  user of the pod  role
pod    postgres         postgres
pod    postgres         backup
"""


def server_files(settings: TimescaleDbSettings, *, archives: bool) -> Mapping[str, str]:
    """Return ``postgresql.conf``, ``pg_hba.conf`` and ``pg_ident.conf`` of a server that archives, or not."""
    parameters: dict[str, str | int] = {
        "listen_addresses": "*",
        "port": PORT,
        "unix_socket_directories": SOCKET_DIRECTORY,
        "hba_file": f"{CONFIG_DIRECTORY}/pg_hba.conf",
        "ident_file": f"{CONFIG_DIRECTORY}/pg_ident.conf",
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
        # A server that recovers could be read already; but ready shall mean that it can be written to.
        "hot_standby": "off",
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
        "tcp_keepalives_interval": 10,
        "tcp_keepalives_count": 6,
        **(_archiving(settings.backups) if settings.backups and archives else {"archive_mode": "off"}),
        **tuned_parameters(settings),
    }
    lines = [f"{name} = {_quoted(value)}\n" for name, value in parameters.items()]
    return {
        "postgresql.conf": "".join(lines),
        "pg_hba.conf": _ACCESS_RULES,
        "pg_ident.conf": _IDENTITIES,
    }


def _archiving(settings: BackupSettings) -> Mapping[str, str | int]:
    return {
        "archive_mode": "on",
        "archive_command": f'{BACKUP_SCRIPTS_DIRECTORY}/pgbackrest-with-keys archive-push "%p"',
        # A segment is closed that long after its first change; what is left of the promise is for sending it.
        "archive_timeout": f"{seconds_of(settings.recovery_point) - SENDING_SECONDS}s",
    }


def schema_files(settings: TimescaleDbSettings) -> Mapping[str, str]:
    """Return the schema as SQL, and the script that applies it."""
    values = {name: str(limit) for name, limit in CONNECTION_LIMITS.items()} | {
        "compress_after": _interval(settings.compress_after),
        "event_retention": _interval(settings.event_retention),
        "metric_retention": _interval(settings.metric_retention),
        "hourly_retention": _interval(settings.hourly_retention),
    }
    schema: dict[str, str] = {}
    for file in sorted((_PACKAGE / "schema").iterdir(), key=lambda file: file.name):
        text = file.read_text(encoding="utf-8")
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        schema[file.name] = text
    return schema | scripts("apply-schema.sh")


def scripts(*names: str) -> dict[str, str]:
    """Return some of the scripts."""
    return {name: (_PACKAGE / "scripts" / name).read_text(encoding="utf-8") for name in names}


def _interval(period: str) -> str:
    """Write "7d" as SQL reads it: "7 days"."""
    return f"{period[:-1]} {_INTERVAL_UNITS[period[-1]]}"


def _quoted(value: str | int) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"
