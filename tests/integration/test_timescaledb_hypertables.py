"""The schema job on a real TimescaleDB: hypertables, their policies, roll-ups, and rights down to chunks."""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import Program
from tests.integration.kubelet import Secrets
from tests.integration.timescale import NODE, PACKAGE, Timescale, timescale
from tests.manifests import Manifest, change, find, synthesize_environment
from traversion.settings import Environment

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

API, GRAFANA, EXPORTER, BACKUP, OWNER = (
    "traversion",
    "grafana",
    "postgres_exporter",
    "backup",
    "traversion_owner",
)
TABLES = ("causality", "events", "metrics", "patterns")
ROLLUPS = ("events_hourly", "metrics_hourly")
PRIVILEGE = "42501"

ADD_TENANT = "INSERT INTO tenants (name) VALUES ('acme')"
SINCE = "now() - INTERVAL '1 hour' * hour FROM tenants, generate_series({first}, {last}) AS hour"
ADD_ROWS = f"""
    INSERT INTO events (tenant_id, event_type, file_path, "timestamp") SELECT id, 'modified', 'x', {SINCE};
    INSERT INTO metrics (tenant_id, metric_name, metric_value, "timestamp") SELECT id, 'lag', hour, {SINCE};
    INSERT INTO causality (tenant_id, child_event_id, relationship_type, "timestamp")
        SELECT id, 1, 'x', {SINCE};
    INSERT INTO patterns (tenant_id, pattern_type, pattern_data, "timestamp") SELECT id, 'x', '1', {SINCE};
"""
LATE = """
    INSERT INTO events (tenant_id, event_type, file_path, "timestamp")
    SELECT id, 'late', 'x', now() - INTERVAL '15 days' FROM tenants
"""
COMPRESSED = """
    SELECT is_compressed, count(*) FROM timescaledb_information.chunks
    WHERE hypertable_name = 'events' GROUP BY 1 ORDER BY 1
"""
OLDEST = 'SELECT round(EXTRACT(epoch FROM now() - min("timestamp")) / 86400) FROM {table}'

_numbers = count(1)
Apply = Callable[..., None]


@pytest.fixture(scope="session")
def binaries(program: Program, postgres_bin: str) -> str:
    """Where psql is; Node and the server come with `make setup`."""
    for path in (NODE, PACKAGE):
        if not path.exists():
            program(str(path))
    return postgres_bin


@pytest.fixture(scope="session")
def empty_data(binaries: str, session_host: Path) -> Path:
    """The data directory of a server on which nothing has ever been done."""
    data = session_host / "timescale"
    with timescale(binaries, data, session_host / "timescale.log"):
        return data


def started(binaries: str, empty_data: Path, root: Path) -> Iterator[Timescale]:
    shutil.copytree(empty_data, root / "timescale-data")
    with timescale(binaries, root / "timescale-data", root / "timescale.log") as server:
        yield server


@pytest.fixture
def server(binaries: str, empty_data: Path, host: Path) -> Iterator[Timescale]:
    """A server of one test's own."""
    yield from started(binaries, empty_data, host)


@pytest.fixture(scope="module")
def filled(
    binaries: str,
    empty_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
    production: Sequence[Manifest],
    secrets: Secrets,
) -> Iterator[Timescale]:
    """A server with the schema and twenty days of rows, those that are due compressed; for tests that ask."""
    root = tmp_path_factory.mktemp("filled")
    for server in started(binaries, empty_data, root):
        done = server.apply(production, secrets, root / "job")
        assert done.returncode == 0, done.stderr
        add_rows(server, 0, 20 * 24)
        server.run_jobs("policy_compression", "events")
        yield server


@pytest.fixture
def apply(server: Timescale, production: Sequence[Manifest], secrets: Secrets, host: Path) -> Apply:
    """Runs the schema job, which must succeed; of production, or of other manifests."""

    def run(manifests: Sequence[Manifest] = production) -> None:
        done = server.apply(manifests, secrets, host / f"job-{next(_numbers)}")
        assert done.returncode == 0, done.stderr

    return run


def add_rows(server: Timescale, first: int, last: int) -> None:
    """Add a row to every hypertable for every hour of an age from ``first`` to ``last``."""
    tenant = "" if server.ask("SELECT 1 FROM tenants") else f"{ADD_TENANT};"
    server.ask(tenant + ADD_ROWS.format(first=first, last=last), user=API)


def policies(server: Timescale) -> dict[str, set[str]]:
    """What is done in the background, by table: procedure and age."""
    rows = server.ask("""
        SELECT hypertable_name, proc_name, owner, COALESCE(
            config ->> 'compress_after', config ->> 'drop_after', config ->> 'start_offset')
        FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL
    """)
    found: dict[str, set[str]] = {}
    for row in rows:
        table, procedure, owner, age = row.split("|")
        assert owner == OWNER
        found.setdefault(table, set()).add(f"{procedure.removeprefix('policy_')} {age}")
    return found


def description(server: Timescale) -> list[str]:
    """What the schema makes, without the numbers that a job or a chunk happens to have."""
    return server.ask(r"""
        \d public.*
        \dp public.*
        SELECT hypertable_name, owner, compression_enabled, num_chunks
            FROM timescaledb_information.hypertables ORDER BY 1;
        SELECT * FROM timescaledb_information.dimensions ORDER BY 2;
        SELECT * FROM timescaledb_information.hypertable_columnstore_settings ORDER BY 1;
        SELECT view_name, view_owner, materialized_only FROM timescaledb_information.continuous_aggregates
            ORDER BY 1;
        SELECT hypertable_name, chunk_name, is_compressed FROM timescaledb_information.chunks ORDER BY 1, 2;
    """)


def test_tables_are_hypertables_with_the_promised_chunks_and_policies(filled: Timescale) -> None:
    chunks = """
        SELECT hypertable_name, time_interval FROM timescaledb_information.dimensions
        WHERE hypertable_schema = 'public'
    """
    assert set(filled.ask(chunks)) == {"causality|1 day", "events|1 day", "metrics|1 day", "patterns|7 days"}
    assert policies(filled) == {
        "causality": {"compression 7 days", "retention 90 days"},
        "events": {"compression 7 days", "retention 90 days"},
        "patterns": {"compression 7 days", "retention 90 days"},
        "metrics": {"compression 7 days", "retention 30 days"},
        "events_hourly": {"refresh_continuous_aggregate 7 days", "retention 400 days"},
        "metrics_hourly": {"refresh_continuous_aggregate 7 days", "retention 400 days"},
    }
    settings = "SELECT hypertable, segmentby FROM timescaledb_information.hypertable_columnstore_settings"
    assert set(filled.ask(settings)) >= {f"{table}|tenant_id" for table in TABLES}


def test_the_job_runs_again_on_compressed_data_and_changes_nothing(server: Timescale, apply: Apply) -> None:
    apply()
    apply()
    add_rows(server, 0, 12 * 24)
    for table in TABLES:
        server.run_jobs("policy_compression", table)
    for rollup in ROLLUPS:
        server.run_jobs("policy_refresh_continuous_aggregate", rollup)
    before, rows = description(server), server.ask("TABLE events; TABLE events_hourly; TABLE metrics_hourly")
    assert dict(row.split("|") for row in server.ask(COMPRESSED)) == {"t": "5", "f": "8"}
    apply()
    assert description(server) == before
    assert server.ask("TABLE events; TABLE events_hourly; TABLE metrics_hourly") == rows


def test_what_is_compressed_is_read_written_and_deleted_like_anything_else(filled: Timescale) -> None:
    assert dict(row.split("|") for row in filled.ask(COMPRESSED)) == {"t": "13", "f": "8"}
    found = "SELECT count(*) FROM events WHERE event_type = 'late'"
    assert filled.ask("SELECT count(*) FROM events", user=GRAFANA) == ["481"]
    filled.ask(LATE, user=API)
    assert filled.ask(found, user=GRAFANA) == ["1"]
    filled.ask("DELETE FROM events WHERE event_type = 'late'", user=API)
    assert filled.ask(found, user=GRAFANA) == ["0"]
    assert filled.ask("SELECT count(*) FROM events", user=GRAFANA) == ["481"]


def test_retention_drops_the_old_and_keeps_the_new_and_the_hours_of_both(
    server: Timescale, apply: Apply, environments: Mapping[str, Environment]
) -> None:
    apply()
    add_rows(server, 0, 20 * 24)
    server.ask("CALL refresh_continuous_aggregate('events_hourly', NULL, now() - INTERVAL '1 hour')")
    counted = "SELECT sum(events), count(*) FROM events_hourly"
    assert server.ask(counted, user=GRAFANA) == ["481|481"]

    shorter = {"database.event_retention": "10d", "database.metric_retention": "9d"}
    apply(synthesize_environment(change(environments["production"], shorter)).manifests)
    assert policies(server)["events"] == {"compression 7 days", "retention 10 days"}
    assert policies(server)["metrics"] == {"compression 7 days", "retention 9 days"}
    for table in TABLES:
        server.run_jobs("policy_retention", table)
    oldest = {table: int(server.ask(OLDEST.format(table=table))[0]) for table in TABLES}
    # A chunk goes when all of it is too old: a day's for most, a week's of patterns.
    assert 10 <= oldest["events"] == oldest["causality"] <= 11
    assert 9 <= oldest["metrics"] <= 10
    assert 10 <= oldest["patterns"] <= 17
    assert server.ask("SELECT count(*) FROM events WHERE \"timestamp\" > now() - INTERVAL '9 days'") == [
        "216"
    ]

    for _ in range(2):
        server.run_jobs("policy_refresh_continuous_aggregate", "events_hourly")
    assert server.ask(counted, user=GRAFANA) == ["481|481"]


def test_rollups_take_in_what_was_there_before_them_and_show_the_present_hour(
    server: Timescale, apply: Apply
) -> None:
    apply()
    server.ask("DROP MATERIALIZED VIEW events_hourly; DROP MATERIALIZED VIEW metrics_hourly")
    add_rows(server, 0, 20 * 24)
    apply()  # as it is on a server from before there were roll-ups
    for rollup in ROLLUPS:
        server.run_jobs("policy_refresh_continuous_aggregate", rollup)
    totals = "SELECT count(*), sum(events) FROM events_hourly"
    assert server.ask(totals, user=GRAFANA) == ["481|481"]
    add_rows(server, 0, 0)
    assert server.ask(totals, user=GRAFANA) == ["481|482"]
    columns = "SELECT sum(samples), sum(total), min(minimum), max(maximum) FROM metrics_hourly"
    assert server.ask(columns, user=GRAFANA) == ["482|115440|0|480"]


def test_a_server_whose_tables_belong_to_the_api_gets_an_owner(
    server: Timescale, apply: Apply, production: Sequence[Manifest]
) -> None:
    files = find(production, "ConfigMap", "timescaledb-schema")["data"]
    server.ask(
        "CREATE ROLE traversion LOGIN; CREATE DATABASE traversion OWNER traversion", database="postgres"
    )
    for name in ("10-tables.sql", "20-policies.sql"):
        # As it was: no other owner. Roll-ups were not there yet.
        text = re.sub(r"REASSIGN OWNED.*\n", "", files[name]).replace(
            "ROLE traversion_owner", "ROLE traversion"
        )
        server.ask(re.sub(r"SELECT \w+\('\w+_hourly'.*\n", "", text))
    add_rows(server, 0, 12 * 24)
    server.run_jobs("policy_compression", "events")
    owners = """
        SELECT DISTINCT relowner::regrole FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind IN ('r', 'S', 'v') AND nspname IN ('public', '_timescaledb_internal')
            AND pg_class.oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e')
    """
    assert API in server.ask(owners)
    assert server.query("ALTER TABLE events ADD COLUMN x int", user=API).returncode == 0

    apply()
    assert API not in server.ask(owners)
    policies(server)  # belong to the owner, or this fails
    assert server.query("ALTER TABLE events ADD COLUMN y int", user=API).stderr.split()[-1] == PRIVILEGE
    assert server.query("CREATE TABLE z ()", user=API).stderr.split()[-1] == PRIVILEGE
    assert server.ask("SELECT count(*) FROM events", user=API) == ["289"]
    assert server.ask("SELECT count(*) FROM events_hourly", user=GRAFANA) == ["289"]
    add_rows(server, 24 * 30, 24 * 30 + 1)  # into chunks that are not there yet
    server.ask("DELETE FROM events WHERE \"timestamp\" < now() - INTERVAL '7 days'", user=API)


NAMES = {
    "THE_CHUNK": """
        SELECT format('%I.%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks
        WHERE hypertable_name = 'events' AND is_compressed LIMIT 1
    """,
    "THE_JOB": "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' LIMIT 1",
    "THE_HOURS": """
        SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
        FROM timescaledb_information.continuous_aggregates WHERE view_name = 'events_hourly'
    """,
}


def spelled(server: Timescale, statement: str) -> str:
    """Fill in the names that differ from server to server."""
    for word, query in NAMES.items():
        if word in statement:
            statement = statement.replace(word, server.ask(query)[0])
    return statement


ALLOWED = [
    (API, "SELECT count(*) FROM THE_CHUNK"),
    (API, "UPDATE events SET metadata = '{}' WHERE \"timestamp\" < now() - INTERVAL '10 days'"),
    (API, "SELECT count(*) FROM events_hourly, metrics_hourly"),
    (API, "SELECT time_bucket('1 day', \"timestamp\"), count(*) FROM events GROUP BY 1"),
    (GRAFANA, "SELECT count(*) FROM THE_CHUNK"),
    (GRAFANA, "SELECT count(*) FROM events_hourly, metrics_hourly"),
    (GRAFANA, "SELECT time_bucket('1 day', \"timestamp\"), count(*) FROM events GROUP BY 1"),
    (BACKUP, "SELECT count(*) FROM THE_CHUNK"),
    (BACKUP, "SELECT count(*) FROM events_hourly, THE_HOURS, _timescaledb_catalog.hypertable"),
    (EXPORTER, "SELECT count(*) FROM timescaledb_information.job_stats, timescaledb_information.hypertables"),
    (OWNER, "ALTER TABLE events ADD COLUMN extra text; ALTER TABLE events DROP COLUMN extra"),
    (OWNER, "CREATE INDEX ON metrics (metric_value)"),
    (OWNER, "SELECT drop_chunks('events', older_than => INTERVAL '19 days')"),
    (OWNER, "SELECT decompress_chunk('THE_CHUNK')"),
    (OWNER, "SELECT alter_job(THE_JOB, scheduled => true)"),
    (OWNER, "SELECT add_job('pg_catalog.pg_sleep', '1 hour')"),
]
ONLY_FOR_THE_OWNER = [
    "DROP TABLE events",
    "TRUNCATE events",
    "ALTER TABLE events ADD COLUMN extra text",
    "CREATE TABLE plugins (id int)",
    "CREATE TABLE _timescaledb_internal.plugins (id int)",
    "DROP TABLE THE_CHUNK",
    "TRUNCATE THE_CHUNK",
    "DELETE FROM THE_HOURS",
    "DROP MATERIALIZED VIEW events_hourly",
    "CALL refresh_continuous_aggregate('events_hourly', NULL, NULL)",
    "SELECT drop_chunks('events', older_than => now())",
    "SELECT decompress_chunk('THE_CHUNK')",
    "SELECT remove_retention_policy('events')",
    "SELECT delete_job(THE_JOB)",
    "SELECT alter_job(THE_JOB, scheduled => false)",
    "CALL run_job(THE_JOB)",
    "SELECT add_job('pg_catalog.pg_sleep', '1 hour')",
    "UPDATE _timescaledb_config.bgw_job SET scheduled = false",
    "DELETE FROM _timescaledb_catalog.hypertable",
    "SELECT timescaledb_pre_restore()",
    "SELECT _timescaledb_functions.stop_background_workers()",
]
REFUSED = [
    (role, statement) for role in (API, GRAFANA, EXPORTER, BACKUP) for statement in ONLY_FOR_THE_OWNER
] + [
    (GRAFANA, "INSERT INTO THE_CHUNK SELECT * FROM events LIMIT 0"),
    (GRAFANA, "DELETE FROM THE_CHUNK"),
    (GRAFANA, "UPDATE events SET metadata = '{}'"),
    (BACKUP, "DELETE FROM THE_CHUNK"),
    (EXPORTER, "SELECT * FROM THE_CHUNK"),
    (EXPORTER, "SELECT * FROM events_hourly"),
    (EXPORTER, "SELECT * FROM THE_HOURS"),
]


def test_roles_can_do_their_work(filled: Timescale) -> None:
    for role, statement in ALLOWED:
        done = filled.query(f"BEGIN; {spelled(filled, statement)}; ROLLBACK", user=role)
        assert done.returncode == 0, (role, statement, done.stderr)


def test_nobody_but_the_owner_changes_tables_chunks_or_jobs(filled: Timescale) -> None:
    for role, statement in REFUSED:
        done = filled.query(spelled(filled, statement), user=role)
        assert done.returncode != 0, (role, statement)
        assert done.stderr.split()[-1] == PRIVILEGE, (role, statement, done.stderr)


def test_nobody_writes_into_a_rollup(filled: Timescale) -> None:
    for role in (API, GRAFANA, BACKUP, OWNER):
        assert filled.query("DELETE FROM events_hourly", user=role).returncode != 0


def test_what_a_dump_needs_is_there(server: Timescale, apply: Apply) -> None:
    apply()
    server.ask("SELECT timescaledb_pre_restore()")
    setting = """
        SELECT setconfig FROM pg_db_role_setting JOIN pg_database ON setdatabase = pg_database.oid
        WHERE datname = 'traversion'
    """
    assert server.ask(setting) == ["{timescaledb.restoring=on}"]
    server.ask("SELECT timescaledb_post_restore()")
    assert server.ask(setting) == []
