"""Redis as the pod starts it: whom it lets in, what it gives up first, what survives it."""

import itertools
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.integration.cache import Redis
from tests.integration.kubelet import Secrets
from tests.integration.processes import complete, eventually, free_port, public_directory
from tests.manifests import Manifest, find

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

ENVIRONMENTS = ["production", "staging", "dev"]
PROBES = pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
HOUR, DAY = 3600, 24 * 3600
REFUSED = "NOPERM"


@pytest.fixture(scope="module")
def redis(
    redis_server: str, redis_cli: str, production: Sequence[Manifest], secrets: Secrets
) -> Iterator[Redis]:
    """A running server that the tests share: each uses keys of its own."""
    assert redis_server
    assert redis_cli
    with public_directory() as root:
        server = Redis(production, root, secrets=secrets, port=free_port())
        with server.running():
            yield server


@pytest.fixture
def own_redis(
    redis_server: str, redis_cli: str, production: Sequence[Manifest], secrets: Secrets, host: Path
) -> Redis:
    """The server of one test; it is down, and remembers 16 MiB when it is up."""
    assert redis_server
    assert redis_cli
    small = {r"(?m)^maxmemory \d+$": "maxmemory 16mb"}
    return Redis(production, host, secrets=secrets, port=free_port(), rewrites=small)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_redis_starts_with_the_configuration_of_every_environment(
    request: pytest.FixtureRequest, redis_server: str, environment: str, secrets: Secrets, host: Path
) -> None:
    assert redis_server
    manifests: Sequence[Manifest] = request.getfixturevalue(environment)
    redis = Redis(manifests, host, secrets=secrets, port=free_port())
    with redis.running():
        stated = find(manifests, "ConfigMap", "redis-config")["data"]["redis.conf"]
        for name in ("maxmemory", "maxmemory-policy", "appendonly", "appendfsync", "maxclients"):
            (value,) = re.findall(rf"(?m)^{name} (.*)$", stated)
            assert redis.ask("admin", "CONFIG", "GET", name).splitlines() == [name, value]
    warnings = [line for line in redis.log.read_text(encoding="utf-8").splitlines() if "WARNING" in line]
    # How the kernel overcommits memory is the node's business.
    assert [line for line in warnings if "overcommit" not in line] == []


@pytest.mark.parametrize("password", ["", "guessed"])
@pytest.mark.parametrize("user", ["default", "exporter", "reloader", "admin"])
def test_nobody_gets_in_without_the_password(redis: Redis, user: str, password: str) -> None:
    answer = redis.ask(user, "GET", "session:1", password=password)
    assert "NOAUTH" in answer or "WRONGPASS" in answer


def test_each_password_is_that_of_one_user_only(redis: Redis) -> None:
    for user, other in itertools.permutations(redis.passwords, 2):
        assert "WRONGPASS" in redis.ask(user, "PING", password=redis.passwords[other])


def test_not_even_the_reloader_moves_the_data(redis: Redis) -> None:
    """CONFIG SET as a whole is more than a certificate needs: Redis itself guards what writes files."""
    for option in ("dir", "dbfilename", "aclfile", "enable-protected-configs"):
        answer = redis.ask("reloader", "CONFIG", "SET", option, "/tmp")
        assert "protected config" in answer or "immutable config" in answer, option


@pytest.mark.parametrize(
    ("user", "command"),
    [
        # Sessions and cache of the API, and what its client library asks when it connects.
        ("default", "SET session:a x EX 86400"),
        ("default", "GET session:a"),
        ("default", "EXPIRE session:a 86400"),
        ("default", "TTL session:a"),
        ("default", "DEL session:a"),
        ("default", "MGET cache:a cache:b"),
        ("default", "HSET cache:h field value"),
        ("default", "INCR cache:n"),
        ("default", "ZADD cache:z 1 member"),
        ("default", "SCAN 0 MATCH session:* COUNT 100"),
        ("default", "PUBLISH events x"),
        ("default", "EVAL return(1) 0"),
        ("default", "INFO"),
        ("default", "PING"),
        ("default", "SELECT 0"),
        ("default", "CLIENT SETNAME traversion"),
        ("default", "HELLO 3"),
        # What redis_exporter asks on each scrape.
        ("exporter", "PING"),
        ("exporter", "INFO ALL"),
        ("exporter", "CONFIG GET *"),
        ("exporter", "CLIENT SETNAME redis_exporter"),
        ("exporter", "CLIENT LIST"),
        ("exporter", "SLOWLOG LEN"),
        ("exporter", "SLOWLOG GET 1"),
        ("exporter", "LATENCY LATEST"),
        ("exporter", "LATENCY HISTOGRAM"),
        ("exporter", "SELECT 0"),
        ("exporter", "DBSIZE"),
        # People in need.
        # What has a renewed certificate read.
        ("reloader", "CONFIG SET maxclients 1000"),
        ("admin", "CONFIG SET maxclients 1000"),
        ("admin", "ACL WHOAMI"),
        ("admin", "KEYS nothing*"),
        ("admin", "CLIENT LIST"),
        ("admin", "BGREWRITEAOF"),
        ("admin", "SLOWLOG RESET"),
    ],
)
def test_users_can_do_their_work(redis: Redis, user: str, command: str) -> None:
    assert not re.match(r"(?:\(error\) )?[A-Z]+ ", redis.ask(user, *command.split()))


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("default", "FLUSHALL"),
        ("default", "FLUSHDB"),
        ("default", "KEYS *"),
        ("default", "CONFIG GET *"),
        ("default", "CONFIG SET appendonly no"),
        ("default", "ACL LIST"),
        ("default", "ACL SETUSER intruder"),
        ("default", "SAVE"),
        ("default", "SHUTDOWN NOSAVE"),
        ("default", "REPLICAOF 127.0.0.1 1"),
        ("default", "CLIENT KILL TYPE normal"),
        ("default", "MODULE LIST"),
        ("default", "MONITOR"),
        ("default", "BGSAVE"),
        ("exporter", "GET session:a"),
        ("exporter", "SET session:a x"),
        ("exporter", "SCAN 0"),
        ("exporter", "KEYS *"),
        ("exporter", "EXISTS session:a"),
        ("exporter", "CONFIG SET maxclients 1"),
        ("exporter", "CLIENT KILL TYPE normal"),
        ("exporter", "SLOWLOG RESET"),
        ("exporter", "LATENCY RESET"),
        ("exporter", "FLUSHALL"),
        ("exporter", "SUBSCRIBE events"),
        ("exporter", "EVAL return(1) 0"),
        ("exporter", "ACL LIST"),
        ("reloader", "CONFIG GET *"),
        ("reloader", "CONFIG REWRITE"),
        ("reloader", "GET session:a"),
        ("reloader", "SET session:a x"),
        ("reloader", "PING"),
        ("reloader", "INFO"),
        ("reloader", "ACL LIST"),
        ("reloader", "SHUTDOWN NOSAVE"),
    ],
)
def test_users_can_do_nothing_else(redis: Redis, user: str, command: str) -> None:
    assert REFUSED in redis.ask(user, *command.split())


def test_no_password_is_on_a_command_line_or_in_a_file(redis: Redis) -> None:
    words = b"".join(file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists())
    files = [file for file in redis.pod.path("/").rglob("*") if file.is_file()]
    assert any(file.name == "users.acl" for file in files)
    for password in redis.passwords.values():
        assert password.encode() not in words
        assert [file for file in files if password.encode() in file.read_bytes()] == []


def test_the_hashes_of_the_passwords_are_for_the_server_alone(redis: Redis) -> None:
    assert redis.pod.path("/run/redis/users.acl").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("sessions", "entries"), [(500, 8000), (3000, 3000), (8000, 2000)])
def test_cache_entries_make_room_before_any_session_does(
    own_redis: Redis, sessions: int, entries: int
) -> None:
    """Twice as much is written as there is memory for; the sessions alone would always fit."""
    memory = 16 * 2**20
    session_size = memory // 2 // sessions - 150
    entry_size = memory * 3 // 2 // entries
    with own_redis.running():
        own_redis.pipe("".join(f"SET session:{n} {'s' * session_size} EX {DAY}\n" for n in range(sessions)))
        assert own_redis.number("stats", "evicted_keys") == 0
        own_redis.pipe("".join(f"SET cache:{n} {'c' * entry_size} EX {HOUR}\n" for n in range(entries)))
        evicted = own_redis.number("stats", "evicted_keys")
        kept = own_redis.ask("admin", "EVAL", "return #redis.call('KEYS', 'session:*')", "0")
        assert evicted > 100
        assert int(kept) == sessions


def test_what_was_acknowledged_a_second_before_a_crash_is_still_there(own_redis: Redis) -> None:
    with own_redis.running() as server:
        login = complete({"REDISCLI_AUTH": own_redis.passwords["default"]})
        acknowledged: list[float] = []
        with subprocess.Popen(
            own_redis.client, env=login, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdin
            assert writer.stdout
            start = time.monotonic()
            while time.monotonic() < start + 1.5:
                print(f"SET session:{len(acknowledged)} x EX {DAY}", file=writer.stdin, flush=True)
                assert writer.stdout.readline() == "OK\n"
                acknowledged.append(time.monotonic())
            server.kill()
            crash = time.monotonic()
            writer.kill()
    promised = sum(moment < crash - 1 for moment in acknowledged)
    assert promised > 100
    with own_redis.running():
        assert own_redis.ask("default", "EXISTS", *(f"session:{n}" for n in range(promised))) == str(promised)


def test_what_was_acknowledged_before_the_pod_is_deleted_is_still_there(own_redis: Redis) -> None:
    with own_redis.running() as server:
        own_redis.pipe("".join(f"SET session:{n} x EX {DAY}\n" for n in range(1000)))
        server.process.terminate()
        assert server.process.wait(10) == 0
    with own_redis.running():
        assert own_redis.ask("default", "DBSIZE") == "1000"


def test_it_starts_though_the_end_of_its_log_is_torn_off(own_redis: Redis) -> None:
    with own_redis.running() as server:
        own_redis.pipe("".join(f"SET session:{n} x EX {DAY}\n" for n in range(1000)))
        server.kill()
    (log,) = own_redis.data.glob("appendonlydir/*.incr.aof")
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - 7)
    with own_redis.running():
        assert own_redis.ask("default", "DBSIZE") == "999"


@PROBES
def test_a_healthy_server_is_well(redis: Redis, probe: str) -> None:
    assert redis.probe(probe) == 0


@PROBES
def test_a_server_that_does_not_know_the_password_is_not(redis: Redis, probe: str) -> None:
    assert redis.probe(probe, REDISCLI_AUTH="changed meanwhile") != 0
    assert redis.probe(probe, REDISCLI_AUTH="") != 0


@PROBES
def test_a_server_that_is_down_is_not(own_redis: Redis, probe: str) -> None:
    assert own_redis.probe(probe) != 0


def test_a_server_that_loads_its_data_is_not_ready_until_it_has(
    production: Sequence[Manifest], secrets: Secrets, own_redis: Redis, tmp_path: Path
) -> None:
    with own_redis.running() as server:
        own_redis.pipe("".join(f"SET session:{n} x EX {DAY}\n" for n in range(10_000)))
        server.kill()
    # A tenth of a millisecond for each key, and an answer to whoever asks after each 1024.
    slow = "appendonly yes\nkey-load-delay 100"
    slowed = Redis(
        production, tmp_path, secrets=secrets, port=own_redis.port, rewrites={r"(?m)^appendonly yes$": slow}
    )
    slowed.data.rmdir()
    own_redis.data.rename(slowed.data)
    with slowed.running(wait=False):
        eventually(lambda: "LOADING" in slowed.ask("default", "GET", "x"))
        assert slowed.probe("startupProbe") != 0
        eventually(lambda: slowed.probe("startupProbe") == 0)


def test_a_server_that_cannot_write_its_data_is_not_restarted(own_redis: Redis) -> None:
    """A full volume is no reason to restart: it would load everything again, on the same volume."""
    with own_redis.running():
        own_redis.ask("admin", "CONFIG", "SET", "save", "1 1")
        own_redis.data.joinpath("dump.rdb").mkdir()
        own_redis.ask("default", "SET", "session:1", "x")
        own_redis.ask("admin", "BGSAVE")
        eventually(lambda: "MISCONF" in own_redis.ask("default", "SET", "session:2", "x"))
        ready, alive = own_redis.probe("readinessProbe"), own_redis.probe("livenessProbe")
        own_redis.data.joinpath("dump.rdb").rmdir()  # else it could not save at its end, and would stay
        assert ready != 0
        assert alive == 0


def test_a_server_without_a_free_connection_is_not_restarted(own_redis: Redis) -> None:
    with own_redis.running():
        own_redis.ask("admin", "CONFIG", "SET", "maxclients", "1")
        login = complete({"REDISCLI_AUTH": own_redis.passwords["default"]})
        with subprocess.Popen(
            own_redis.client, env=login, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdin
            assert holder.stdout
            print("PING", file=holder.stdin, flush=True)
            assert holder.stdout.readline() == "PONG\n"
            assert own_redis.ask("default", "PING") != "PONG", "TLS leaves no room for a reason"
            assert own_redis.probe("livenessProbe") == 0
            holder.send_signal(signal.SIGKILL)
