"""Backups in a bucket, by a real S3 API over TLS (moto): primary, off-site and archive."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from getpass import getuser
from pathlib import Path

import pytest

from tests.conftest import Program
from tests.integration.authority import Authority
from tests.integration.backups import KEYS, Place, events, running_place, wait_for_the_clock
from tests.integration.database import Postgres
from tests.integration.processes import USER, daemon, eventually, free_port, run
from tests.manifests import change, synthesize_environment
from traversion.settings import (
    ArchiveSettings,
    BackupSettings,
    Environment,
    OffsiteSettings,
    S3Repository,
)
from traversion.timescaledb.restore import Restore

# One worker has them all: the site that they share takes seconds to set up.
pytestmark = [pytest.mark.daemon, pytest.mark.slow, pytest.mark.xdist_group("backups_s3")]

HOST = "storage.company.com"
NEAR, FAR = "company-near", "company-far"


_TLS = """\
daemon off;
user {user};
pid {root}/nginx.pid;
error_log {root}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    client_max_body_size 0;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {root}/tls.crt;
        ssl_certificate_key {root}/tls.key;
        location / {{
            proxy_pass http://127.0.0.1:{plain};
            proxy_set_header Host $http_host;
            proxy_http_version 1.1;
        }}
    }}
}}
"""


@contextmanager
def object_storage(program: Program, certificate: Mapping[str, str], root: Path) -> Iterator[int]:
    """Serve an S3 API with empty buckets; yields its port.

    moto's own TLS ends connections without saying so, which OpenSSL 3 takes for an attack: nginx is in front.
    """
    for name in ("tls.crt", "tls.key"):
        (root / name).write_text(certificate[name], encoding="utf-8")
    port, plain = free_port(), free_port()
    (root / "nginx.conf").write_text(
        _TLS.format(root=root, port=port, plain=plain, user=getuser()), encoding="utf-8"
    )
    moto = [program("moto_server"), "--host", "127.0.0.1", "--port", str(plain)]
    nginx = [program("nginx"), "-c", str(root / "nginx.conf"), "-e", "stderr"]
    with (
        # The first label of the host is no bucket's name.
        daemon(moto, {"S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}, root / "moto.log"),
        daemon(nginx, {}, root / "nginx-starts.log"),
    ):
        for bucket in (NEAR, FAR):
            address = f"https://127.0.0.1:{port}/{bucket}"
            create = ["curl", "--insecure", "--silent", "--fail", "--request", "PUT", address]
            eventually(partial(_succeeds, create), within=30)
        yield port


def _succeeds(command: Sequence[str]) -> bool:
    return run(command).returncode == 0


@pytest.fixture(scope="module")
def place(
    program: Program,
    environments: dict[str, Environment],
    authority: Authority,
    empty_postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    program("pgbackrest")
    program("jq")
    with object_storage(program, authority.issue([HOST]), tmp_path_factory.mktemp("moto")) as port:

        def bucket(name: str) -> S3Repository:
            return S3Repository(
                bucket=name,
                region="eu-central-1",
                endpoint=HOST,
                port=port,
                uri_style="path",
                endpoint_cidrs=("10.20.0.0/16",),
                certificate_authority=authority.certificate,
            )

        backups = BackupSettings(
            repository=bucket(NEAR),
            offsite=OffsiteSettings(repository=bucket(FAR)),
            archive=ArchiveSettings(repository=bucket(FAR)),
        )
        environment = change(environments["production"], {"database.backups": backups})
        synthesis = synthesize_environment(environment)
        with running_place(
            empty_postgres,
            environment,
            synthesis,
            authority,
            program("prometheus-pushgateway"),
            names=(HOST,),
        ) as place:
            yield place


def test_backups_and_wal_go_to_every_bucket(place: Place) -> None:
    site = place.site
    for kind, repository in (("full", 1), ("incremental", 1), ("offsite", 2)):
        done = site.job(f"timescaledb-backup-{kind}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert site.backups(repository)
    place.write("archived")
    site.archive_now()
    (stanza,) = site.info()
    newest = {each["database"]["repo-key"]: each["max"] for each in stanza["archive"]}
    assert newest.keys() == {1, 2, 3}
    assert {each["cipher"] for each in stanza["repo"]} == {"aes-256-cbc"}


def test_backups_go_on_when_the_pod_restarts_while_another_bucket_is_away(place: Place) -> None:
    site = place.site
    port = str(free_port())
    away = {"PGBACKREST_TLS_SERVER_PORT": port, "PGBACKREST_REPO2_S3_BUCKET": "company-gone"}
    with site.agent("restarted.log", **away) as agent:
        eventually(lambda: "are not ready yet" in agent.said(), within=60)
        before = len(site.backups())
        done = site.job("timescaledb-backup-full", PGBACKREST_PG1_HOST_PORT=port)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(site.backups()) == before + 1
        assert agent.process.poll() is None


def test_a_moment_comes_back_from_the_offsite_copies_alone(place: Place) -> None:
    site = place.site
    place.write("before")
    assert site.job("timescaledb-backup-offsite").returncode == 0
    wait_for_the_clock()
    mark = datetime.now(UTC)
    wait_for_the_clock()
    place.write("after")
    site.archive_now()
    with site.restored(place.restoring(Restore("beside", repository=2, time=mark))) as restored:
        assert "before" in events(restored)
        assert "after" not in events(restored)


def test_the_rehearsal_reads_the_bucket(place: Place) -> None:
    site = place.site
    assert site.job("timescaledb-backup-full").returncode == 0
    done = site.job("timescaledb-rehearsal")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_archive_holds_a_dump_that_restores_into_a_database_of_its_own(place: Place) -> None:
    site = place.site
    place.write("archived")
    done = site.job("timescaledb-backup-archive")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.backups(3)
    dumps = {series: value for series, value in site.metrics().items() if 'type="dump"' in series}
    assert any(value == 1 for series, value in dumps.items() if "count" in series)

    done = site.run(site.restorer(place.restoring(Restore("dump", repository=3))), "restore")
    assert done.returncode == 0, done.stdout + done.stderr
    assert events(site.postgres, "traversion_restored") == events(site.postgres)


def test_a_dump_that_fails_is_no_dump_and_old_ones_go_only_after_a_new_one(place: Place) -> None:
    site = place.site
    assert site.job("timescaledb-backup-archive").returncode == 0
    before = dumps_of(place)
    site.postgres.superuser("REVOKE pg_read_all_data FROM backup")
    failing = site.job("timescaledb-backup-archive")
    site.postgres.superuser("GRANT pg_read_all_data TO backup")
    assert failing.returncode != 0
    assert "the dump failed" in failing.stderr
    assert dumps_of(place) == before
    wait_for_the_clock()
    assert site.job("timescaledb-backup-archive", DUMP_RETENTION_SECONDS="0").returncode == 0
    (after,) = dumps_of(place)
    assert after not in before


def dumps_of(place: Place) -> list[str]:
    site, pod = place.site, place.site.postgres.pod
    command = [str(pod.path("/opt/pgbackrest") / "pgbackrest-with-keys"), "--repo=3", "--output=json"]
    done = run([*command, "repo-ls", "dump"], site.environment(pod, "backup-agent"), user=USER)
    assert done.returncode == 0, done.stdout
    return sorted(name for name, each in json.loads(done.stdout).items() if each["type"] == "file")


def test_a_storage_of_another_authority_gets_nothing(place: Place, tmp_path: Path) -> None:
    site = place.site
    pod = site.pod("timescaledb-backup-full")
    own = pod.path("/etc/pgbackrest") / "repo1-ca.crt"
    assert own.resolve().read_text(encoding="utf-8").startswith("-----BEGIN CERTIFICATE-----")
    own.resolve().write_text(Authority(tmp_path).certificate, encoding="utf-8")
    done = site.run(pod, "backup", PGBACKREST_IO_TIMEOUT="5")  # it tries again as long
    assert done.returncode != 0
    assert "certificate" in done.stdout + done.stderr


def test_a_new_key_counts_from_the_next_command_on(place: Place) -> None:
    """Keys are read from the mounted Secret each time, also by the server's archiver."""
    site = place.site
    keys = {**site.secrets["timescaledb-repositories"], "repo1-s3-key": "another"}
    site.postgres.pod.replace_secret(KEYS, keys)
    place.write("with another key")
    site.archive_now()
