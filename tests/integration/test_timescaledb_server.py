"""PostgreSQL with the synthesized configuration: whom it lets in, and how."""

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.integration.authority import Authority
from tests.integration.database import WITHOUT_TIMESCALEDB, Postgres
from tests.integration.kubelet import Pod, Secrets
from tests.integration.processes import USER, run

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

API = "timescaledb-traversion"
ENVIRONMENTS = ["production", "staging", "dev"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_postgresql_reads_the_configuration_of_every_environment(
    request: pytest.FixtureRequest, environment: str, empty_postgres: Postgres, secrets: Secrets, host: Path
) -> None:
    pod = Pod(
        request.getfixturevalue(environment),
        "timescaledb",
        host,
        secrets=secrets,
        rewrites=WITHOUT_TIMESCALEDB,
        user=USER,
    )
    command = ["postgres", "-C", "max_connections", "-D", str(empty_postgres.data)]
    done = run([*command, *pod.command("timescaledb")], empty_postgres.path, user=USER)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) >= 60


def test_nothing_in_the_configuration_makes_the_server_complain(database: Postgres) -> None:
    start, ready, _ = database.log.read_text(encoding="utf-8").partition("ready to accept connections")
    assert ready
    complaints = [line for line in start.splitlines() if "WARNING" in line or "FATAL" in line]
    # The probe, which asks from the first moment on, is told to come back.
    assert [line for line in complaints if not line.endswith("the database system is starting up")] == []


def test_pages_carry_checksums_and_the_encoding_is_utf8(database: Postgres) -> None:
    assert database.superuser("SHOW data_checksums; SHOW server_encoding").stdout.split() == ["on", "UTF8"]


def test_a_client_that_verifies_everything_gets_in(database: Postgres) -> None:
    done = database.query(API, "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert (done.returncode, done.stdout, done.stderr) == (0, "t|TLSv1.3\n", "")


@pytest.mark.parametrize(
    ("name", "names_the_server"),
    [
        ("timescaledb-service", True),
        ("timescaledb-service.traversion-system", True),
        ("timescaledb-service.traversion-system.svc.cluster.local", True),
        ("timescaledb-0.timescaledb", True),
        ("timescaledb-service.traversion-staging", False),
        ("redis-service", False),
    ],
)
def test_the_certificate_bears_the_names_under_which_clients_know_the_server(
    database: Postgres, name: str, *, names_the_server: bool
) -> None:
    done = database.query(API, "SELECT 1", PGHOST=name)
    assert (done.returncode == 0) is names_the_server, done.stderr
    assert ("does not match host name" in done.stderr) is not names_the_server


def test_a_server_with_a_certificate_of_another_authority_is_refused(
    database: Postgres, tmp_path: Path
) -> None:
    (tmp_path / "ca.crt").write_text(Authority(tmp_path).certificate, encoding="utf-8")
    done = database.query(API, "SELECT 1", PGSSLROOTCERT=str(tmp_path / "ca.crt"))
    assert done.returncode != 0
    assert "certificate verify failed" in done.stderr


@pytest.mark.parametrize("secret", [API, "timescaledb-superuser", "timescaledb-exporter"])
def test_plaintext_is_refused(database: Postgres, secret: str) -> None:
    done = database.query(secret, "SELECT 1", PGSSLMODE="disable")
    assert done.returncode != 0
    assert "no pg_hba.conf entry" in done.stderr
    assert "no encryption" in done.stderr


@pytest.mark.parametrize(
    ("offer", "accepted"),
    [
        (["-tls1_3"], True),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], True),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"], True),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"], False),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], False),
        (["-tls1_1", "-cipher", "ALL@SECLEVEL=0"], False),
        (["-tls1", "-cipher", "ALL@SECLEVEL=0"], False),
    ],
)
def test_old_tls_and_weak_ciphers_are_refused(
    database: Postgres, offer: list[str], *, accepted: bool
) -> None:
    address = f"127.0.0.1:{database.port}"
    done = run(["openssl", "s_client", "-starttls", "postgres", "-connect", address, *offer])
    assert (done.returncode == 0) is accepted, done.stderr
    if not accepted:
        # The server refused the offer, rather than this machine's openssl making it.
        assert "alert" in done.stderr


@pytest.mark.parametrize("password", ["", "guessed"])
@pytest.mark.parametrize("secret", [API, "timescaledb-superuser"])
def test_nobody_gets_in_without_the_password(database: Postgres, secret: str, password: str) -> None:
    done = database.query(secret, "SELECT 1", PGPASSWORD=password)
    assert done.returncode != 0
    assert "password" in done.stderr


def test_over_the_unix_socket_there_is_only_the_superuser_and_no_password(database: Postgres) -> None:
    assert database.superuser("SELECT current_user").stdout == "postgres\n"
    for role in ("traversion", "grafana"):
        command = ["psql", "-X", "-U", role, "-d", "traversion", "-c", "SELECT 1"]
        done = run(command, database.local, user=USER)
        assert done.returncode != 0
        assert "no pg_hba.conf entry" in done.stderr


@pytest.mark.skipif(USER is None, reason="only root can ask as somebody else")
def test_over_the_unix_socket_another_user_of_the_machine_is_not_the_superuser(database: Postgres) -> None:
    password = {"PGPASSWORD": database.secrets["timescaledb-superuser"]["password"]}
    done = run(["psql", "-X", "-U", "postgres", "-c", "SELECT 1"], database.local | password, user="nobody")
    assert done.returncode != 0
    assert "Peer authentication failed" in done.stderr


def test_the_exporter_can_log_in_with_the_url_that_it_makes_of_its_variables(
    database: Postgres, host: Path
) -> None:
    pod = database.client_pod("postgres-exporter", host)
    variables = pod.environment("postgres-exporter")
    user, password = (quote(variables[f"DATA_SOURCE_{part}"], safe="") for part in ("USER", "PASS"))
    url = f"postgresql://{user}:{password}@{variables['DATA_SOURCE_URI']}"
    statement = "SELECT current_user, current_database(), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    done = run(["psql", "-X", "-qAt", url, "-c", statement], {"PGHOSTADDR": "127.0.0.1"})
    assert (done.stdout, done.stderr) == ("postgres_exporter|traversion|t\n", "")


def test_the_api_can_log_in_with_its_variables(database: Postgres, host: Path) -> None:
    pod = database.client_pod("traversion", host)
    variables = pod.environment("traversion")
    login = {f"PG{key}": variables[f"DB_{key}"] for key in ("USER", "PASSWORD")}
    done = database.query(API, "SELECT current_user", **login)
    assert done.stdout == "traversion\n"
