"""The pod that PostgreSQL runs in: the server, and who tells it of a renewed certificate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from constructs import Construct

from traversion.platform import Platform
from traversion.platform.certificates import ServingCertificate
from traversion.platform.component import Component
from traversion.platform.credentials import SecretKey
from traversion.platform.pods import Container, EnvValue, Pod, exec_probe, tcp_probe
from traversion.platform.renewal import certificate_reloader
from traversion.platform.volumes import Claim, ConfigFiles, Mount, Scratch
from traversion.platform.workloads import service, stateful_set
from traversion.settings import TimescaleDbSettings
from traversion.timescaledb.files import (
    CERTIFICATE_DIRECTORY,
    CONFIG_DIRECTORY,
    DATA_DIRECTORY,
    DATA_VOLUME,
    PORT,
    SOCKET_DIRECTORY,
)
from traversion.timescaledb.tuning import SHARED_MEMORY_FRACTION
from traversion.values import bytes_of, format_bytes

UID = 1000
"""User and group "postgres" in timescale/timescaledb-ha."""

SOCKET = Scratch("socket", "1Mi")

_INITDB = "--data-checksums --encoding=UTF8 --auth-local=peer --auth-host=scram-sha-256"


@dataclass(frozen=True)
class Additions:
    """What pgBackRest adds to the pod of a server."""

    environment: Mapping[str, EnvValue] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    before: Sequence[Container] = ()
    """Containers that run before the server starts."""
    beside: Sequence[Container] = ()
    """Containers that run as long as the server."""


def database_server(
    scope: Construct,
    platform: Platform,
    component: Component,
    settings: TimescaleDbSettings,
    *,
    certificate: ServingCertificate,
    superuser_password: SecretKey,
    claim: Claim,
    configuration: Mapping[str, str],
    additions: Additions,
    beside: Component | None = None,
) -> None:
    """Create the StatefulSet of one server with its configuration, and the Services in front of it.

    ``beside``: on the node of that component, whose volume the pod shares.
    """
    name = component.name
    config = ConfigFiles("config", f"{name}-config", configuration).create(scope, component)
    shared_memory = bytes_of(settings.resources.memory_limit) // SHARED_MEMORY_FRACTION
    accepting = ["pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(PORT)]
    server = Container(
        name="timescaledb",
        image=settings.image,
        resources=settings.resources,
        args=["-c", f"config_file={CONFIG_DIRECTORY}/postgresql.conf"],
        ports={"postgresql": PORT},
        environment={
            "POSTGRES_USER": "postgres",
            "POSTGRES_PASSWORD": superuser_password,
            "POSTGRES_INITDB_ARGS": _INITDB,
            # The configuration comes from us; the image's own tuner would write another.
            "NO_TS_TUNE": "true",
            "TIMESCALEDB_TELEMETRY": "off",
            **additions.environment,
        },
        mounts=[
            Mount(claim, DATA_VOLUME),
            Mount(config, CONFIG_DIRECTORY),
            Mount(certificate.files, CERTIFICATE_DIRECTORY),
            Mount(SOCKET, SOCKET_DIRECTORY),
            Mount(Scratch("tmp", "256Mi"), "/tmp"),
            Mount(Scratch("shared-memory", format_bytes(shared_memory), in_memory=True), "/dev/shm"),
            *additions.mounts,
        ],
        # Recovery after a crash replays WAL and must not be interrupted: it may take an hour.
        startup=exec_probe(accepting, failures=360),
        readiness=exec_probe(accepting, period=5),
        # The postmaster accepts connections while it recovers from a crashed backend; let it.
        liveness=tcp_probe("postgresql", timeout=5, failures=6),
        # SIGTERM would wait for every client to leave; this disconnects them and writes a checkpoint.
        pre_stop=["pg_ctl", "stop", "--pgdata", DATA_DIRECTORY, "--mode", "fast", "--timeout", "100"],
    )
    reloader = certificate_reloader(
        scope,
        component,
        settings.image,
        certificate,
        directory=CERTIFICATE_DIRECTORY,
        tell=["psql", "--no-psqlrc", "--quiet", "--username=postgres", "--command=SELECT pg_reload_conf()"],
        mounts=[Mount(SOCKET, SOCKET_DIRECTORY)],
    )
    pod = Pod(
        [server, reloader, *additions.beside],
        init_containers=additions.before,
        uid=UID,
        gid=UID,
        grace_seconds=120,
        priority_class=platform.data_priority,
        beside=beside,
    )
    stateful_set(scope, platform, component, pod, claim=claim, governing_service=name)
    ports = {port: (number, port) for port, number in component.ports.items()}
    service(scope, component, f"{name}-service", ports)
    service(scope, component, name, ports, headless=True)
