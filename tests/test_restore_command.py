"""``traversion restore``: what it prints fits into the environment, and what cannot work is refused."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.manifests import Manifest, find, of_kind, workload
from tests.schemas import errors_of
from traversion.cli import main
from traversion.verify import from_objects, verify

WAYS = [
    ["--beside"],
    ["--beside", "--time", "2026-11-25 14:30:00+00:00", "--repository", "offsite"],
    ["--in-place", "--time", "2026-11-25T15:30:00+01:00"],
    ["--dump", "latest"],
    ["--dump", "traversion-20261101T050003Z.dump"],
]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Manifest]:
    assert main(["restore", *arguments]) == 0
    return list(yaml.safe_load_all(capsys.readouterr().out))


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_it_fits_into_the_environment(
    capsys: pytest.CaptureFixture[str], production: Sequence[Manifest], way: list[str]
) -> None:
    """The quota admits it, its flows are open at both ends, and every reference leads somewhere."""
    objects = printed(capsys, "production", *way)
    assert objects
    # The claim of a StatefulSet's pod is made by its controller.
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-timescaledb-0", "namespace": "traversion-system"},
        "spec": find(production, "StatefulSet", "timescaledb")["spec"]["volumeClaimTemplates"][0]["spec"],
    }
    without_server = [each for each in production if each["metadata"]["name"] != "timescaledb"]
    around = [*without_server, claim] if "--in-place" in way else list(production)
    findings = [str(finding) for finding in verify(from_objects([*around, *objects]))]
    if "--in-place" in way:  # those that miss the server that is scaled to 0
        findings = [finding for finding in findings if "timescaledb-restore" in finding]
    assert findings == []
    for each in objects:
        assert each["metadata"]["labels"]["app.kubernetes.io/name"].startswith("timescaledb-restore")
        for version in () if each["kind"] == "Certificate" else ("1.25", "1.34"):
            assert not errors_of(each, version), each["metadata"]["name"]


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_it_touches_nothing_that_runs(
    capsys: pytest.CaptureFixture[str], production: Sequence[Manifest], way: list[str]
) -> None:
    taken = {(each["kind"], each["metadata"]["name"]) for each in production}
    objects = printed(capsys, "production", *way)
    assert not taken & {(each["kind"], each["metadata"]["name"]) for each in objects}


def test_the_moment_reaches_the_script_in_universal_time(capsys: pytest.CaptureFixture[str]) -> None:
    objects = printed(capsys, "production", "--in-place", "--time", "2026-11-25T15:30:00+01:00")
    variables = workload(objects, "timescaledb-restore").variables(objects, "restore")
    assert variables["TARGET_TIME"] == "2026-11-25 14:30:00.000000+00"
    assert int(variables["TARGET_EPOCH"]) == datetime(2026, 11, 25, 14, 30, tzinfo=UTC).timestamp()
    assert variables["ARCHIVE_MODE"] == "preserve"


def test_a_server_beside_the_old_one_archives_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    objects = printed(capsys, "production", "--beside")
    config = find(objects, "ConfigMap", "timescaledb-restored-config")["data"]["postgresql.conf"]
    assert "archive_mode = 'off'" in config
    assert not of_kind(objects, "CronJob")


INFO = [
    {
        "backup": [
            {"database": {"repo-key": 1}, "timestamp": {"start": 1, "stop": 1795600000}},
            {"database": {"repo-key": 2}, "timestamp": {"start": 1, "stop": 1700000000}},
        ]
    }
]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["production", "--beside", "--time", "yesterday"], "--time yesterday: is no moment"),
        (["production", "--beside", "--time", "2026-11-25 14:30"], "has no zone: write e.g. "),
        (["production", "--dump", "latest", "--time", "2026-11-25 14:30Z"], "leave --time"),
        (["production", "--dump", "latest", "--repository", "offsite"], "--repository out"),
        (["dev", "--beside"], "dev: database.backups = None: there is nothing to restore from"),
        (["staging", "--beside", "--repository", "offsite"], "database.backups.offsite = None"),
        (["staging", "--dump", "latest"], "database.backups.archive = None"),
        (["prod", "--beside"], "dev, production, staging"),
        (["", "--beside"], "ENVIRONMENT = ''"),
        (["staging,production", "--beside"], "name one of dev, production, staging"),
        # What an unset variable of a shell leaves must not restore something else.
        (["production", "--dump", ""], "is not the name of a dump"),
        (["production", "--in-place", "--time", ""], "is no moment"),
        (["production", "--in-place", "--backups", ""], "cannot be read"),
        (["production", "--dump", "latest", "--time", ""], "leave --time"),
        (["production", "--dump", "../../backup"], "is not the name of a dump"),
        (["production", "--dump", "$(PGPASSWORD)"], "is not the name of a dump"),
        (["production", "--dump", "latest\n"], "is not the name of a dump"),
        (["production", "--dump", "dump/traversion-20261101T050003Z.dump"], "or the name alone"),
        (["production", "--beside", "--time", "2026-11-25"], 'write e.g. "2026-11-25 00:00:00+00:00"'),
        (["production", "--beside", "--time", "0001-01-01T00:00:00+14:00"], "is no moment"),
    ],
)
def test_what_cannot_work_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["restore", *arguments]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert said in errors


def test_the_future_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert main(["restore", "production", "--beside", "--time", tomorrow]) == 1
    assert "is in the future" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("time", "repository", "text", "said"),
    [
        (
            "2026-11-20 00:00+00:00",
            "primary",
            json.dumps(INFO),
            "is before the oldest backup: write 2026-11-25",
        ),
        ("2026-11-25 14:30+00:00", "archive", json.dumps(INFO), "repository 3 holds no backup"),
        ("2026-11-25 14:30+00:00", "primary", "stanza: traversion", "is not what `pgbackrest"),
        ("2026-11-25 14:30+00:00", "primary", '[{"backup": [{}]}]', "KeyError"),
        (
            "2026-11-25 14:30+00:00",
            "primary",
            '[{"backup": [{"database": {"repo-key": 1}, "timestamp": {"stop": 1e30}}]}]',
            "OverflowError",
        ),
    ],
)
def test_a_moment_that_no_backup_covers_is_refused(  # what is asked, and what is there
    capsys: pytest.CaptureFixture[str], tmp_path: Path, *, time: str, repository: str, text: str, said: str
) -> None:
    file = tmp_path / "info.json"
    file.write_text(text, encoding="utf-8")
    wish = ["production", "--beside", "--time", time, "--repository", repository, "--backups", str(file)]
    assert main(["restore", *wish]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert said in errors


def test_a_moment_that_a_backup_covers_is_not(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "info.json"
    file.write_text(json.dumps(INFO), encoding="utf-8")
    wish = ["--beside", "--time", "2026-11-20 00:00+00:00", "--repository", "offsite", "--backups", str(file)]
    assert printed(capsys, "production", *wish)
