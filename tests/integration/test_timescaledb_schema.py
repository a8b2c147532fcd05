"""The schema job: what it makes, that it can run again at any time, and what each role may do afterwards."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.conftest import MakePostgres, apply_schema, run_container
from tests.integration.database import Postgres, Session
from tests.integration.kubelet import Files
from tests.integration.processes import run
from tests.manifests import REPOSITORY

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

OWNER = "timescaledb-owner"
API = "timescaledb-traversion"
GRAFANA = "timescaledb-grafana"
EXPORTER = "timescaledb-exporter"
BACKUP = "timescaledb-backup"

PRIVILEGE, READ_ONLY = "42501", "25006"

ADD_TENANT = "INSERT INTO tenants (name) VALUES ('{name}') RETURNING id"
ADD_EVENT = """
    INSERT INTO events (tenant_id, event_type, file_path)
    SELECT id, 'modified', 'src/main.ts' FROM tenants LIMIT 1
"""
READ_WRITE = "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; "


@pytest.fixture(scope="module")
def database(database: Postgres) -> Postgres:
    """The shared server, with a tenant and an event in it."""
    done = database.query(API, f"{ADD_TENANT.format(name=uuid4())}; {ADD_EVENT}")
    assert done.returncode == 0, done.stderr
    return database


@pytest.fixture
def own_database(make_postgres: MakePostgres) -> Iterator[Postgres]:
    postgres = make_postgres()
    with postgres.running():
        yield postgres


def test_it_can_run_again_on_a_database_with_data(own_database: Postgres, host: Path) -> None:
    first = apply_schema(own_database, host / "first")
    assert (first.returncode, first.stderr) == (0, "")
    described = _description(own_database)
    added = own_database.query(API, f"{ADD_TENANT.format(name='acme')}; {ADD_EVENT}; TABLE events")

    for again in ("second", "third"):
        done = apply_schema(own_database, host / again)
        assert done.returncode == 0, done.stderr
        assert "ERROR" not in done.stderr

    assert added.stdout.splitlines()[1:] == own_database.query(API, "TABLE events").stdout.splitlines()
    assert _description(own_database) == described
    assert "traversion.events" not in described
    assert "events|1 day" in described


def _description(postgres: Postgres) -> str:
    """Everything that the schema makes: tables, indexes, privileges, roles, policies."""
    done = postgres.superuser(
        r"""
        \d public.*
        \dp
        \drds
        \ddp
        SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolconnlimit,
            ARRAY(SELECT roleid::regrole FROM pg_auth_members WHERE member = pg_roles.oid ORDER BY 1)
        FROM pg_roles ORDER BY 1;
        SELECT datname, datdba::regrole, datacl FROM pg_database ORDER BY 1;
        TABLE stand_in.hypertables ORDER BY 1;
        TABLE stand_in.policies ORDER BY 1, 2;
        """
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_table_that_grows_with_time_is_compressed_and_forgotten(database: Postgres) -> None:
    kinds = "SELECT name, string_agg(kind, '+' ORDER BY kind) FROM stand_in.policies GROUP BY 1 ORDER BY 1"
    done = database.superuser(kinds)
    assert done.stdout.split() == [
        f"{table}|compression+retention" for table in ("causality", "events", "metrics", "patterns")
    ]


def test_a_step_that_fails_fails_the_job_and_leaves_no_half_of_itself(
    own_database: Postgres, host: Path
) -> None:
    assert apply_schema(own_database, host / "good").returncode == 0
    # 20-policies.sql cannot add what 10-tables.sql did not make.
    own_database.superuser("DROP FUNCTION add_retention_policy; DELETE FROM stand_in.policies")
    before = own_database.superuser("TABLE stand_in.policies").stdout
    done = apply_schema(own_database, host / "bad")
    assert done.returncode != 0
    assert "add_retention_policy" in done.stderr
    assert own_database.superuser("TABLE stand_in.policies").stdout == before


def test_no_password_is_in_the_servers_log_or_the_jobs_output(own_database: Postgres, host: Path) -> None:
    for logged in ("log_statement = 'all'", "log_min_duration_statement = 0", "log_duration = on"):
        own_database.superuser(f"ALTER SYSTEM SET {logged}; SELECT pg_reload_conf()", database="postgres")
    pod = own_database.client_pod("timescaledb-schema", host)
    # Without roles every ALTER ROLE fails, and statements that fail are logged as well.
    too_early = run(
        ["psql", "-X", "--dbname=postgres", f"--file={pod.path('/opt/traversion/90-passwords.sql')}"],
        own_database.client_environment(pod, "apply-schema"),
    )
    assert too_early.stderr.count("does not exist") == 5
    done = run_container(own_database, pod, "apply-schema")
    assert done.returncode == 0, done.stderr
    said = too_early.stderr + done.stdout + done.stderr + own_database.log.read_text(encoding="utf-8")
    assert "CREATE TABLE IF NOT EXISTS events" in said  # statements are logged, but not these:
    assert "ALTER ROLE grafana SET statement_timeout" in said
    for secret in (OWNER, API, GRAFANA, EXPORTER, BACKUP, "timescaledb-superuser"):
        password = own_database.secrets[secret]["password"]
        assert password not in said
        assert password.replace("'", "''") not in said


def test_a_new_password_counts_from_the_next_run_on_and_open_sessions_go_on(
    own_database: Postgres, host: Path
) -> None:
    assert apply_schema(own_database, host / "job").returncode == 0
    own_database.query(API, ADD_TENANT.format(name="acme"))
    with Session(own_database.login(API)) as open_session:
        assert open_session.ask("SELECT 1;") == "1"
        old = own_database.secrets
        own_database.secrets = {**old, API: {**old[API], "password": "new"}}
        assert apply_schema(own_database, host / "next").returncode == 0
        assert own_database.query(API, "SELECT 1").returncode == 0
        refused = own_database.query(API, "SELECT 1", PGPASSWORD=old[API]["password"])
        assert refused.returncode != 0
        assert "password authentication failed" in refused.stderr
        assert open_session.ask(f"{ADD_EVENT} RETURNING event_type;") == "modified"


def test_a_password_is_rotated_while_every_session_can_log_in(own_database: Postgres, host: Path) -> None:
    """The way of docs/operations/rotate-credentials.md with a role that stands in meanwhile."""
    assert apply_schema(own_database, host / "job").returncode == 0
    page = (REPOSITORY / "docs/operations/rotate-credentials.md").read_text(encoding="utf-8")
    (create,) = re.findall(r"CREATE ROLE traversion_interim .*;", page)
    (drop,) = re.findall(r"DROP ROLE traversion_interim;", page)
    old = own_database.secrets[API]
    interim = {"username": "traversion_interim", "password": "new"}
    works = f"BEGIN; {ADD_TENANT.format(name='x')}; {ADD_EVENT}; CREATE TEMPORARY TABLE t (); ROLLBACK"

    def use(*accounts: Files) -> None:
        for each in accounts:
            done = own_database.query(API, works, PGUSER=each["username"], PGPASSWORD=each["password"])
            assert done.returncode == 0, done.stderr

    own_database.superuser(create.replace("%s", "new"))
    use(old, interim)  # the API's pods are replaced one after the other
    own_database.secrets = {**own_database.secrets, API: interim}
    assert apply_schema(own_database, host / "next").returncode == 0
    new = {"username": "traversion", "password": "new"}
    use(interim, new)  # and once more
    assert own_database.superuser(drop).returncode == 0
    use(new)


def test_tables_of_the_api_get_an_owner(own_database: Postgres, host: Path) -> None:
    before = """
        CREATE ROLE traversion LOGIN;
        CREATE DATABASE traversion OWNER traversion;
        \\connect traversion
        SET ROLE traversion;
        CREATE TABLE plugins (id int GENERATED BY DEFAULT AS IDENTITY);
    """
    assert own_database.superuser(before, database="postgres").returncode == 0
    assert apply_schema(own_database, host / "job").returncode == 0
    owned = "SELECT count(*) FROM pg_shdepend WHERE refobjid = 'traversion'::regrole AND deptype = 'o'"
    assert own_database.superuser(owned).stdout == "0\n"
    assert own_database.query(API, "INSERT INTO plugins VALUES (DEFAULT)").returncode == 0
    assert own_database.query(API, "DROP TABLE plugins").stderr.endswith(f"{PRIVILEGE}\n")
    assert own_database.query(OWNER, "DROP TABLE plugins").returncode == 0


def test_two_jobs_at_once_do_it_one_after_the_other(make_postgres: MakePostgres, host: Path) -> None:
    postgres = make_postgres()
    with postgres.running("-c", "log_statement=all"), ThreadPoolExecutor() as threads:
        for done in threads.map(lambda name: apply_schema(postgres, host / name), ("one", "other")):
            assert done.returncode == 0, done.stderr
    first, last = "GRANT pg_monitor TO postgres_exporter", "SET password_encryption"
    assert re.findall(f"{first}|{last}", postgres.log.read_text(encoding="utf-8")) == [first, last] * 2


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (API, ADD_EVENT),
        (API, "UPDATE events SET metadata = '{}'"),
        (API, "DELETE FROM events WHERE false"),
        (API, "SELECT count(*) FROM causality, patterns, metrics"),
        (API, "CREATE TEMPORARY TABLE t (id int)"),
        (API, "SELECT id FROM events FOR UPDATE"),
        (OWNER, "CREATE TABLE plugins (id int); DROP TABLE plugins"),
        (OWNER, "ALTER TABLE events ADD COLUMN extra text; ALTER TABLE events DROP COLUMN extra"),
        (OWNER, "CREATE INDEX ON metrics (metric_value); TRUNCATE events; DROP TABLE causality"),
        (GRAFANA, "SELECT count(*) FROM tenants, events, causality, patterns, metrics"),
        (EXPORTER, "SELECT query FROM pg_stat_activity WHERE usename = 'traversion'"),
        (EXPORTER, "SELECT * FROM pg_stat_database, pg_stat_bgwriter, pg_stat_archiver, pg_settings"),
        (EXPORTER, "SELECT * FROM pg_stat_user_tables, pg_statio_user_tables, pg_locks, pg_stat_replication"),
        (EXPORTER, "SELECT pg_database_size('traversion'), pg_database_size('postgres')"),
        (EXPORTER, "SELECT sum(size) FROM pg_ls_waldir()"),
        (BACKUP, "SELECT count(*) FROM tenants, events, causality, patterns, metrics"),
        (BACKUP, "SELECT last_value FROM events_id_seq"),
        (BACKUP, "LOCK TABLE events IN ACCESS SHARE MODE"),
        (BACKUP, "SELECT * FROM pg_settings WHERE name = 'data_directory'"),
        (BACKUP, "SHOW data_directory"),
    ],
)
def test_roles_can_do_their_work(database: Postgres, role: str, statement: str) -> None:
    done = database.query(role, f"BEGIN; {statement}; ROLLBACK")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("role", "statement", "reason"),
    [  # A role that is read-only by default could say otherwise, and must then lack the privilege.
        (OWNER, "CREATE ROLE intruder", PRIVILEGE),
        (OWNER, "CREATE DATABASE other", PRIVILEGE),
        (OWNER, "ALTER ROLE traversion_owner SUPERUSER", PRIVILEGE),
        (OWNER, "ALTER ROLE traversion PASSWORD 'x'", PRIVILEGE),
        (OWNER, "SELECT pg_read_file('/etc/passwd')", PRIVILEGE),
        (OWNER, "COPY events TO PROGRAM 'true'", PRIVILEGE),
        (OWNER, "ALTER SYSTEM SET ssl = off", PRIVILEGE),
        (API, "DROP TABLE events", PRIVILEGE),
        (API, "TRUNCATE events", PRIVILEGE),
        (API, "ALTER TABLE events ADD COLUMN extra text", PRIVILEGE),
        (API, "CREATE INDEX ON events (content_hash)", PRIVILEGE),
        (API, "CREATE TABLE plugins (id int)", PRIVILEGE),
        (API, "CREATE SCHEMA plugins", PRIVILEGE),
        (API, "CREATE EXTENSION pg_trgm", PRIVILEGE),
        (API, "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1", PRIVILEGE),
        (API, "CREATE TRIGGER t AFTER INSERT ON events EXECUTE FUNCTION suppress()", PRIVILEGE),
        (API, "ALTER TABLE events OWNER TO traversion", PRIVILEGE),
        (API, "SET ROLE traversion_owner", PRIVILEGE),
        (API, "CREATE ROLE intruder", PRIVILEGE),
        (API, "CREATE DATABASE other", PRIVILEGE),
        (API, "ALTER ROLE traversion SUPERUSER", PRIVILEGE),
        (API, "SELECT * FROM pg_authid", PRIVILEGE),
        (API, "SELECT pg_read_file('/etc/passwd')", PRIVILEGE),
        (API, "COPY events TO PROGRAM 'true'", PRIVILEGE),
        (API, "SELECT pg_reload_conf()", PRIVILEGE),
        (API, "ALTER SYSTEM SET ssl = off", PRIVILEGE),
        (API, "SET ROLE postgres", PRIVILEGE),
        (GRAFANA, ADD_EVENT, READ_ONLY),
        (GRAFANA, READ_WRITE + ADD_EVENT, PRIVILEGE),
        (GRAFANA, READ_WRITE + "UPDATE events SET metadata = '{}'", PRIVILEGE),  # noqa: S608 # ours
        (GRAFANA, READ_WRITE + "DELETE FROM events", PRIVILEGE),  # noqa: S608 # ours
        (GRAFANA, READ_WRITE + "TRUNCATE events", PRIVILEGE),
        (GRAFANA, READ_WRITE + "DROP TABLE events", PRIVILEGE),
        (GRAFANA, READ_WRITE + "CREATE TABLE t (id int)", PRIVILEGE),
        (GRAFANA, READ_WRITE + "CREATE SCHEMA s", PRIVILEGE),
        (GRAFANA, READ_WRITE + "CREATE TEMPORARY TABLE t (id int)", PRIVILEGE),
        (GRAFANA, READ_WRITE + "SELECT nextval('events_id_seq')", PRIVILEGE),
        (GRAFANA, "SET ROLE traversion", PRIVILEGE),
        (GRAFANA, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity", PRIVILEGE),
        (EXPORTER, "SELECT * FROM public.events", PRIVILEGE),
        (EXPORTER, "SELECT * FROM public.tenants", PRIVILEGE),
        (EXPORTER, "INSERT INTO public.tenants (name) VALUES ('x')", PRIVILEGE),
        (EXPORTER, "CREATE TABLE public.t (id int)", PRIVILEGE),
        (EXPORTER, "SELECT pg_reload_conf()", PRIVILEGE),
        (EXPORTER, "SELECT pg_ls_dir('/')", PRIVILEGE),
        (BACKUP, ADD_EVENT, READ_ONLY),
        (BACKUP, READ_WRITE + ADD_EVENT, PRIVILEGE),
        (BACKUP, READ_WRITE + "DELETE FROM events", PRIVILEGE),  # noqa: S608 # ours
        (BACKUP, READ_WRITE + "CREATE TABLE t (id int)", PRIVILEGE),
        (BACKUP, READ_WRITE + "SELECT nextval('events_id_seq')", PRIVILEGE),
        (BACKUP, READ_WRITE + "TRUNCATE events", PRIVILEGE),
        (BACKUP, READ_WRITE + "DROP TABLE events", PRIVILEGE),
        (BACKUP, READ_WRITE + "CREATE TEMPORARY TABLE t (id int)", PRIVILEGE),
        (BACKUP, "SELECT pg_read_file('/etc/passwd')", PRIVILEGE),
        (
            BACKUP,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity ",
            PRIVILEGE,
        ),
        (BACKUP, "SELECT pg_switch_wal()", PRIVILEGE),  # it may, but only in the database "postgres"
        (BACKUP, "SELECT pg_backup_start('x')", PRIVILEGE),
        (BACKUP, "SELECT pg_reload_conf()", PRIVILEGE),
        (BACKUP, "ALTER SYSTEM SET archive_mode = off", PRIVILEGE),
        (BACKUP, "SELECT pg_create_physical_replication_slot('x')", PRIVILEGE),
        (BACKUP, "SET ROLE traversion_owner", PRIVILEGE),
    ],
)
def test_roles_can_do_nothing_else(database: Postgres, role: str, statement: str, reason: str) -> None:
    done = database.query(role, statement)
    assert done.returncode != 0
    assert done.stderr.strip().endswith(reason)


def test_what_the_owner_creates_later_is_for_the_others_as_well(database: Postgres) -> None:
    done = database.query(OWNER, "CREATE TABLE created_later (id int GENERATED BY DEFAULT AS IDENTITY)")
    assert done.returncode == 0, done.stderr
    try:
        done = database.query(
            API, "INSERT INTO created_later VALUES (DEFAULT), (nextval('created_later_id_seq'))"
        )
        assert done.returncode == 0, done.stderr
        for reader in (GRAFANA, BACKUP):
            assert database.query(reader, "TABLE created_later").stdout == "1\n2\n"
        done = database.query(GRAFANA, READ_WRITE + "TRUNCATE created_later")
        assert done.stderr.endswith(f"{PRIVILEGE}\n")
    finally:
        database.query(OWNER, "DROP TABLE created_later")


def test_the_backup_role_may_begin_and_end_a_backup_and_that_is_all(database: Postgres) -> None:
    functions = "pg_backup_start, pg_backup_stop, pg_create_restore_point, pg_switch_wal"
    granted = """
        SELECT string_agg(roleid::regrole::text, ', ' ORDER BY roleid::regrole::text) FROM pg_auth_members
            WHERE member = 'backup'::regrole;
        SELECT string_agg(proname, ', ' ORDER BY proname) FROM pg_proc
            WHERE EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 'backup'::regrole);
        SELECT count(*) FROM pg_class, aclexplode(relacl) WHERE grantee = 'backup'::regrole;
        SELECT count(*) FROM pg_shdepend WHERE refobjid = 'backup'::regrole AND deptype = 'o';
    """
    roles = "pg_read_all_data, pg_read_all_settings"
    answer = database.superuser(granted, database="postgres").stdout.splitlines()
    assert answer == [
        roles,
        functions,
        "0",
        "0",
    ]
    assert database.superuser(granted).stdout.splitlines() == [roles, "", "0", "0"]
    done = database.query(
        BACKUP,
        """
        SELECT pg_backup_start('a test', true) IS NOT NULL;
        SELECT pg_create_restore_point('a point') IS NOT NULL;
        SELECT pg_switch_wal() IS NOT NULL;
        SELECT lsn IS NOT NULL FROM pg_backup_stop(false);
        """,
        PGDATABASE="postgres",
    )
    assert (done.stdout.split(), done.returncode) == (["t", "t", "t", "t"], 0), done.stderr


def test_grafanas_queries_give_up(database: Postgres) -> None:
    assert database.query(GRAFANA, "SHOW statement_timeout").stdout == "30s\n"


@pytest.mark.parametrize("role", [OWNER, GRAFANA, EXPORTER, BACKUP])
def test_a_role_that_opens_too_many_connections_is_refused_its_next(database: Postgres, role: str) -> None:
    name = database.secrets[role]["username"]
    limit = int(database.superuser(f"SELECT rolconnlimit FROM pg_roles WHERE rolname = '{name}'").stdout)  # noqa: S608 # ours
    assert 2 <= limit <= 10
    with ExitStack() as stack:
        sessions = [stack.enter_context(Session(database.login(role))) for _ in range(limit)]
        assert [session.ask("SELECT 1;") for session in sessions] == ["1"] * limit
        done = database.query(role, "SELECT 1")
        assert done.returncode != 0
        assert "too many connections for role" in done.stderr


def test_the_api_is_not_limited(database: Postgres) -> None:
    done = database.superuser("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'traversion'")
    assert done.stdout == "-1\n"
