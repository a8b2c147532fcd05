"""Sessions and cache."""

from constructs import Construct

from traversion.platform import Platform
from traversion.platform.certificates import TLS_CIPHERS, TLS_PROTOCOLS
from traversion.platform.credentials import Random
from traversion.platform.pods import Container, Pod, exec_probe
from traversion.platform.renewal import certificate_reloader
from traversion.platform.volumes import Claim, ConfigFiles, Mount, Scratch
from traversion.platform.workloads import disruption_budget, service, stateful_set
from traversion.settings import RedisSettings
from traversion.values import bytes_of

_UID, _GID = 999, 1000  # "redis" in the alpine images
_CONFIG_DIRECTORY, _CERTIFICATE_DIRECTORY = "/etc/redis", "/etc/redis-tls"
_RUN_DIRECTORY, _DATA_DIRECTORY = "/run/redis", "/data"
_SOCKET = f"{_RUN_DIRECTORY}/redis.sock"
_CERTIFICATE = {
    "tls-cert-file": f"{_CERTIFICATE_DIRECTORY}/tls.crt",
    "tls-key-file": f"{_CERTIFICATE_DIRECTORY}/tls.key",
}

_EXPORTER_COMMANDS = (
    "+ping +info +config|get +client|list +client|setname +slowlog|get +slowlog|len"
    " +latency|latest +latency|histogram +select +dbsize"
)

# Passwords reach the server as hashes in a file in memory: not in git, not on a disk, not in a command line.
_START = f"""\
#!/bin/sh
set -eu
umask 077
hash_of() {{ printf %s "$1" | sha256sum | cut -d ' ' -f 1; }}
cat >{_RUN_DIRECTORY}/users.acl <<USERS
user default on #$(hash_of "$REDIS_PASSWORD") ~* &* +@all -@admin -@dangerous +info +sort
user exporter on #$(hash_of "$REDIS_EXPORTER_PASSWORD") -@all {_EXPORTER_COMMANDS}
user reloader on #$(hash_of "$REDIS_RELOADER_PASSWORD") -@all +config|set
user admin on #$(hash_of "$REDIS_ADMIN_PASSWORD") ~* &* +@all
USERS
exec redis-server {_CONFIG_DIRECTORY}/redis.conf
"""

# Probes log in with REDISCLI_AUTH, through the socket: an expired certificate is no reason to restart a
# server that keeps sessions. redis-cli calls some errors a success, so the words decide: a refused log-in
# is no PONG.
_PING = f"redis-cli -s {_SOCKET} ping 2>&1"
_ANSWERS = ["/bin/sh", "-c", f"{_PING} | grep -qx PONG"]
_ALIVE = f"""\
#!/bin/sh
# An answer of a server that cannot serve just now is an answer too. One that has no connection left hangs up,
# often before redis-cli has written: the broken pipe ends it, status 141.
said=$({_PING}) || [ $? -ne 141 ] || exit 0
echo "$said" | grep -Eqx 'PONG|MISCONF .*'
"""


class RedisCache(Construct):
    """One Redis server that loses at most a second of sessions, and gives up cache entries before them.

    Creates the StatefulSet ``redis`` with one SSD volume and the Services ``redis-service`` (clients)
    and ``redis`` (governing). The network gets TLS only. Four users: the API (no administration), the
    exporter (statistics only), the one that has a renewed certificate read, and ``admin`` for people.
    """

    port = 6379
    host = "redis-service"

    def __init__(self, platform: Platform, settings: RedisSettings) -> None:
        """Create the server on the platform."""
        super().__init__(platform, "redis")
        self._platform = platform
        self._settings = settings
        self.component = platform.make_component("redis", "cache", settings.image.tag).with_ports(
            redis=self.port
        )
        self.credential = platform.credentials.declare(
            self.component,
            "redis-auth",
            "Redis users: the API, the metrics exporter, the certificate's reloader, people",
            {
                "password": Random(),
                "exporter-password": Random(),
                "reloader-password": Random(),
                "admin-password": Random(),
            },
        )
        self.certificate = platform.certificates.serving(
            self.component, [self.host, f"redis-0.{self.component.name}"]
        )
        self._server()
        ports = {"redis": (self.port, "redis")}
        service(self, self.component, self.host, ports)
        service(self, self.component, self.component.name, ports, headless=True)
        disruption_budget(self, self.component, "redis")

    def _server(self) -> None:
        settings = self._settings
        files = {"redis.conf": self._configuration(), "start.sh": _START, "alive.sh": _ALIVE}
        config = ConfigFiles("config", "redis-config", files).create(self, self.component)
        data = Claim("data", settings.storage, self._platform.storage.ssd())
        run = Mount(Scratch("run", "1Mi", in_memory=True), _RUN_DIRECTORY)
        server = Container(
            name="redis",
            image=settings.image,
            resources=settings.resources,
            command=["/bin/sh", f"{_CONFIG_DIRECTORY}/start.sh"],
            ports=self.component.ports,
            environment={
                "REDIS_PASSWORD": self.credential.key("password"),
                "REDISCLI_AUTH": self.credential.key("password"),
                "REDIS_EXPORTER_PASSWORD": self.credential.key("exporter-password"),
                "REDIS_RELOADER_PASSWORD": self.credential.key("reloader-password"),
                "REDIS_ADMIN_PASSWORD": self.credential.key("admin-password"),
            },
            mounts=[
                Mount(data, _DATA_DIRECTORY),
                Mount(config, _CONFIG_DIRECTORY),
                Mount(self.certificate.files, _CERTIFICATE_DIRECTORY),
                run,
            ],
            # Loading the append-only file refuses commands; that may take ten minutes.
            startup=exec_probe(_ANSWERS, failures=60),
            readiness=exec_probe(_ANSWERS, period=5),
            # A full disk or too many clients are not healed by loading everything again.
            liveness=exec_probe(["/bin/sh", f"{_CONFIG_DIRECTORY}/alive.sh"], failures=6),
        )
        certificate_files = [word for option in _CERTIFICATE.items() for word in option]
        login = ["redis-cli", "-s", _SOCKET, "--user", "reloader", "--no-auth-warning"]
        reloader = certificate_reloader(
            self,
            self.component,
            settings.image,
            self.certificate,
            directory=_CERTIFICATE_DIRECTORY,
            # The same names again: Redis reads the files anew, and keeps the old ones if they do not fit.
            tell=[*login, "-e", "CONFIG", "SET", *certificate_files],
            environment={"REDISCLI_AUTH": self.credential.key("reloader-password")},
            mounts=[run],
        )
        # SIGTERM makes Redis write a last snapshot before it leaves.
        pod = Pod(
            [server, reloader],
            uid=_UID,
            gid=_GID,
            grace_seconds=60,
            priority_class=self._platform.data_priority,
        )
        stateful_set(
            self,
            self._platform,
            self.component,
            pod,
            claim=data,
            governing_service=self.component.name,
        )

    def _configuration(self) -> str:
        limit = bytes_of(self._settings.resources.memory_limit)
        options: dict[str, str | int] = {
            "bind": "* -::*",
            "port": 0,  # no plaintext
            "tls-port": self.port,
            **_CERTIFICATE,
            "tls-auth-clients": "no",  # clients prove themselves by password
            "tls-protocols": f'"{TLS_PROTOCOLS}"',
            "tls-ciphers": TLS_CIPHERS,
            "tls-prefer-server-ciphers": "yes",
            "unixsocket": _SOCKET,
            "unixsocketperm": 700,
            "protected-mode": "no",  # every user has a password
            "aclfile": f"{_RUN_DIRECTORY}/users.acl",
            "dir": _DATA_DIRECTORY,
            "logfile": '""',  # standard output
            "maxmemory": limit * self._settings.maxmemory_percent // 100,
            # Among keys that expire, the soonest to expire goes first: cache entries live for an hour,
            # sessions for a day and longer from each use. Keys without expiry are never evicted.
            "maxmemory-policy": "volatile-ttl",
            # Redis chooses among so many keys at random: with 10, four sessions to one cache entry lost
            # a tenth of the sessions while cache entries stayed; with 64 none, and no slower.
            "maxmemory-samples": 64,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "aof-load-truncated": "yes",
            "save": "3600 1 300 100 60 10000",
            "maxclients": 1000,
            "timeout": 0,
            "tcp-keepalive": 60,
        }
        return "".join(f"{name} {value}\n" for name, value in options.items())
