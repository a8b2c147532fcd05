"""The schema job after the image has changed: it updates the extension first, where that is due.

Debian has no TimescaleDB, so an extension of that name which does nothing stands in, in an installation of
PostgreSQL that is a copy. The versions, the catalogs and `ALTER EXTENSION` are PostgreSQL's own.
"""

import re
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.conftest import apply_schema, run_container
from tests.integration.database import Postgres
from tests.integration.kubelet import Secrets
from tests.integration.processes import eventually, free_port
from tests.manifests import Manifest

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

OLD, NEW = "2.9.1", "2.28.3"  # by digits and not by letters: "2.9.1" > "2.28.3"
WITH_EXTENSION = ("postgres", "template1", "traversion")


class Image:
    """An installation that brings the extension in a version that can be changed."""

    def __init__(self, binaries: Path, root: Path) -> None:
        """Copy what PostgreSQL looks for beside itself, and link to the rest."""
        self.bin = root / binaries.relative_to("/")
        self.bin.mkdir(parents=True)
        for name in ("postgres", "psql"):  # they look for their home behind links
            shutil.copy(binaries / name, self.bin)
        (self.bin.parent / "lib").symlink_to(binaries.parent / "lib")
        shared = Path("/usr/share/postgresql") / binaries.parent.name
        self._extensions = root / shared.relative_to("/") / "extension"
        self._extensions.mkdir(parents=True)
        for folder in (shared, shared / "extension"):
            for file in folder.iterdir():
                if file.name != "extension":
                    (root / file.relative_to("/")).symlink_to(file)
        (self._extensions / f"timescaledb--{OLD}.sql").touch()
        self.update("")

    def update(self, statements: str) -> None:
        """What the update from the old version to the new one does."""
        (self._extensions / f"timescaledb--{OLD}--{NEW}.sql").write_text(statements, encoding="utf-8")

    def offer(self, version: str) -> None:
        control = f"default_version = '{version}'\nrelocatable = true\n"
        (self._extensions / "timescaledb.control").write_text(control, encoding="utf-8")


@pytest.fixture
def image(postgres_bin: str, host: Path) -> Image:
    image = Image(Path(postgres_bin), host / "image")
    image.offer(OLD)
    return image


@pytest.fixture
def server(
    image: Image,
    *,
    postgres_bin: str,
    production: Sequence[Manifest],
    secrets: Secrets,
    empty_postgres: Postgres,
    host: Path,
) -> Iterator[Postgres]:
    """A server that has the old version in the databases in which TimescaleDB's image has it."""
    binaries = f"{image.bin}:{postgres_bin}"
    postgres = Postgres(binaries, production, host, secrets=secrets, port=free_port())
    postgres.copy_of(empty_postgres)
    with postgres.running("-c", "log_statement=all"):
        for database in ("postgres", "template1"):
            assert postgres.superuser("CREATE EXTENSION timescaledb", database).returncode == 0
        postgres.superuser("CREATE DATABASE without TEMPLATE template0", "postgres")
        assert apply_schema(postgres, host / "before").returncode == 0
        assert versions(postgres) == dict.fromkeys(WITH_EXTENSION, OLD) | {"without": ""}
        yield postgres


def versions(postgres: Postgres) -> dict[str, str]:
    installed = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
    return {name: postgres.superuser(installed, name).stdout.strip() for name in (*WITH_EXTENSION, "without")}


def test_a_newer_image_updates_every_database_as_the_first_thing_in_a_session(
    image: Image, server: Postgres, host: Path
) -> None:
    image.offer(NEW)
    seen = len(server.log.read_text(encoding="utf-8"))
    done = apply_schema(server, host / "after")
    assert done.returncode == 0, done.stderr
    assert versions(server) == dict.fromkeys(WITH_EXTENSION, NEW) | {"without": ""}
    for database in WITH_EXTENSION:
        assert f"updating timescaledb in {database}: {OLD} -> {NEW}" in done.stdout

    log = server.log.read_text(encoding="utf-8")[seen:]
    statements = re.findall(r"\[(\d+)\] postgres@(\w+) LOG:  statement: (.*)", log)
    updates = {(pid, database) for pid, database, statement in statements if "ALTER EXTENSION" in statement}
    assert {database for _, database in updates} == set(WITH_EXTENSION)
    for updating, _ in updates:
        first = next(statement for pid, _, statement in statements if pid == updating)
        assert first == "ALTER EXTENSION timescaledb UPDATE"
    # Before the schema itself.
    order = [statement for _, _, statement in statements]
    last_update = max(index for index, statement in enumerate(order) if "ALTER EXTENSION" in statement)
    assert last_update < order.index("GRANT pg_monitor TO postgres_exporter;")


@pytest.mark.parametrize("version", [OLD, "2.9.0", "2.8.4", "1.99.99"])
def test_what_is_not_older_than_the_images_is_left_alone(
    version: str, image: Image, server: Postgres, host: Path
) -> None:
    image.offer(version)
    done = apply_schema(server, host / "after")
    assert done.returncode == 0, done.stderr
    assert "updating" not in done.stdout
    assert versions(server) == dict.fromkeys(WITH_EXTENSION, OLD) | {"without": ""}


def test_the_job_of_a_newer_image_waits_for_the_server_of_that_image(
    image: Image, server: Postgres, postgres_bin: str, host: Path
) -> None:
    newer = Image(Path(postgres_bin), host / "newer")
    newer.offer(NEW)
    pod = server.client_pod("timescaledb-schema", host / "early")
    path = f"{newer.bin}:{postgres_bin}"
    seen = len(server.log.read_text(encoding="utf-8"))
    with ThreadPoolExecutor() as threads:
        job = threads.submit(run_container, server, pod, "apply-schema", PATH=path)
        eventually(lambda: "pg_available_extensions" in server.log.read_text(encoding="utf-8")[seen:])
        time.sleep(0.5)
        assert not job.done()
        assert versions(server)["traversion"] == OLD
        image.offer(NEW)  # as if the pod had been replaced
        done = job.result()
    assert done.returncode == 0, done.stderr
    assert f"waiting for a server with timescaledb {NEW}" in done.stdout
    assert versions(server)["traversion"] == NEW


def test_an_update_that_fails_fails_the_job_before_it_touches_the_schema(
    image: Image, server: Postgres, host: Path
) -> None:
    image.offer(NEW)
    image.update("DO $$ BEGIN RAISE EXCEPTION 'not today'; END $$;")
    done = apply_schema(server, host / "after")
    assert done.returncode != 0
    assert "not today" in done.stderr
    assert "applying" not in done.stdout
    assert versions(server) == dict.fromkeys(WITH_EXTENSION, OLD) | {"without": ""}
    image.update("")
    assert apply_schema(server, host / "again").returncode == 0
    assert versions(server) == dict.fromkeys(WITH_EXTENSION, NEW) | {"without": ""}
