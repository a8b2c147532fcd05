"""``traversion secrets``: strong where nobody chose, kept where they exist, asked for where people know."""

import base64
import io
import json
import math
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import bcrypt
import pytest
import yaml

from tests.manifests import Manifest, Synthesis, read_manifests
from traversion.cli import main
from traversion.settings import Environment

Values = dict[str, dict[str, str]]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _charts_are_made_once(syntheses: Mapping[str, Synthesis], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is declared does not change between two calls; the last test of this file makes all anew."""

    def chart(_: object, environment: Environment) -> SimpleNamespace:
        return SimpleNamespace(platform=syntheses[environment.name].platform)

    monkeypatch.setattr("traversion.chart.TraversionChart", chart)


def secrets(capsys: Capture, *arguments: str, code: int = 0) -> tuple[Values, str]:
    assert main(["secrets", *arguments]) == code
    captured = capsys.readouterr()
    return {
        each["metadata"]["name"]: each["stringData"] for each in read_manifests(captured.out)
    }, captured.err


def as_stored(values: Mapping[str, Mapping[str, str]], namespace: str = "traversion-system") -> Manifest:
    """What ``kubectl get secrets --output yaml`` prints."""
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": namespace},
                "data": {key: base64.b64encode(value.encode()).decode() for key, value in keys.items()},
            }
            for name, keys in values.items()
        ],
    }


@pytest.fixture
def stored(tmp_path: Path, capsys: Capture) -> tuple[Path, Values]:
    """A file with the production Secrets as they exist."""
    values, _ = secrets(capsys, "production")
    file = tmp_path / "current.yaml"
    file.write_text(yaml.safe_dump(as_stored(values)), encoding="utf-8")
    return file, values


def test_the_secrets_are_ready_to_apply(capsys: Capture) -> None:
    assert main(["secrets", "production"]) == 0
    manifests = read_manifests(capsys.readouterr().out)
    assert len(manifests) > 6
    for manifest in manifests:
        assert (manifest["apiVersion"], manifest["kind"], manifest["type"]) == ("v1", "Secret", "Opaque")
        assert manifest["metadata"]["namespace"] == "traversion-system"
        assert manifest["metadata"]["labels"]["app.kubernetes.io/part-of"] == "traversion"
        assert all(isinstance(value, str) for value in manifest["stringData"].values())


def test_every_secret_that_a_pod_reads_is_made_or_asked_for(
    capsys: Capture, syntheses: Mapping[str, Synthesis]
) -> None:
    for name, synthesis in syntheses.items():
        made, asked = secrets(capsys, name)
        for credential in synthesis.platform.credentials.declared:
            for key in credential.sources:
                assert key in made.get(credential.secret, {}) or f"{credential.secret}/{key}" in asked


def random_values(values: Values) -> list[str]:
    return [
        value for keys in values.values() for key, value in keys.items() if key not in ("username", "auth")
    ]


def test_values_are_strong_and_different(capsys: Capture) -> None:
    first, _ = secrets(capsys, "production")
    second, _ = secrets(capsys, "production")
    found = random_values(first) + random_values(second)
    assert len(found) > 20
    assert len(set(found)) == len(found)
    for value in found:
        # Letters and digits alone: safe in a URL, a shell and a template.
        assert re.fullmatch(r"[A-Za-z0-9]+", value)
        assert len(value) * math.log2(62) >= 128
    assert len(set("".join(found))) == 62


def test_the_log_in_to_monitoring_verifies(capsys: Capture) -> None:
    values, _ = secrets(capsys, "production")
    login = values["monitoring-basic-auth"]
    user, _, hashed = login["auth"].partition(":")
    assert user == login["username"]
    assert bcrypt.checkpw(login["password"].encode(), hashed.encode())
    assert int(hashed.split("$")[2]) >= 10


def test_what_exists_is_kept_and_the_rest_is_made(stored: tuple[Path, Values], capsys: Capture) -> None:
    file, values = stored
    again, _ = secrets(capsys, "production", "--current", str(file))
    assert again == values

    missing = {name: keys for name, keys in values.items() if name != "redis-auth"}
    del missing["traversion-app"]["jwt-secret"]
    missing["traversion-app"]["added-by-hand"] = "kept"
    file.write_text(json.dumps(as_stored(missing)), encoding="utf-8")
    completed, _ = secrets(capsys, "production", "--current", str(file))
    assert completed["timescaledb-traversion"] == values["timescaledb-traversion"]
    assert completed["monitoring-basic-auth"] == values["monitoring-basic-auth"], "the hash changed"
    assert completed["redis-auth"].keys() == values["redis-auth"].keys()
    assert completed["traversion-app"]["session-secret"] == values["traversion-app"]["session-secret"]
    assert completed["traversion-app"]["jwt-secret"]
    assert completed["traversion-app"]["added-by-hand"] == "kept"


def test_a_new_password_gets_a_new_hash(stored: tuple[Path, Values], capsys: Capture) -> None:
    file, values = stored
    values["monitoring-basic-auth"]["password"] = "chosen by hand"
    file.write_text(yaml.safe_dump(as_stored(values)), encoding="utf-8")
    again, _ = secrets(capsys, "production", "--current", str(file))
    hashed = again["monitoring-basic-auth"]["auth"].partition(":")[2]
    assert bcrypt.checkpw(b"chosen by hand", hashed.encode())


def test_the_current_ones_may_come_through_a_pipe(
    stored: tuple[Path, Values], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, values = stored
    monkeypatch.setattr(sys, "stdin", io.StringIO(file.read_text(encoding="utf-8")))
    again, _ = secrets(capsys, "production", "--current", "-")
    assert again == values


def test_secrets_of_others_do_not_disturb(stored: tuple[Path, Values], capsys: Capture) -> None:
    """``kubectl get secrets`` prints everything in the namespace, binary keystores included."""
    file, values = stored
    listed = as_stored(values)
    listed["items"].append(
        {
            "kind": "Secret",
            "metadata": {"name": "keystore"},
            "data": {"jks": base64.b64encode(b"\xfe\xed\xfe\xed").decode()},
        }
    )
    listed["items"].append({"kind": "Secret", "metadata": {"name": "empty"}, "data": None})
    file.write_text(yaml.safe_dump(listed), encoding="utf-8")
    again, _ = secrets(capsys, "production", "--current", str(file))
    assert again == values


def test_secrets_of_another_namespace_are_not_taken(capsys: Capture, tmp_path: Path) -> None:
    """``kubectl get secrets --all-namespaces`` names the same Secrets several times."""
    file = tmp_path / "all.yaml"
    ours = as_stored({"redis-auth": {"password": "of production"}})
    theirs = as_stored({"redis-auth": {"password": "of staging"}}, "traversion-staging")
    file.write_text(yaml.safe_dump_all([ours, theirs]), encoding="utf-8")
    values, _ = secrets(capsys, "production", "--current", str(file))
    assert values["redis-auth"]["password"] == "of production"


def test_what_only_people_know_is_asked_for_until_it_is_supplied(capsys: Capture, tmp_path: Path) -> None:
    values, asked = secrets(capsys, "production")
    assert "alertmanager-receivers" not in values
    for key in ("pagerduty-routing-key", "slack-webhook-url"):
        assert f"--supply alertmanager-receivers/{key}=FILE" in asked
    file = tmp_path / "key"
    file.write_text("R0UTING\n", encoding="utf-8")
    supplied = f"alertmanager-receivers/pagerduty-routing-key={file}"
    values, asked = secrets(capsys, "production", "--supply", supplied)
    assert values["alertmanager-receivers"] == {"pagerduty-routing-key": "R0UTING"}
    assert "pagerduty" not in asked
    assert "slack-webhook-url" in asked

    current = tmp_path / "current.yaml"
    current.write_text(yaml.safe_dump(as_stored(values)), encoding="utf-8")
    values, asked = secrets(capsys, "production", "--current", str(current))
    assert values["alertmanager-receivers"] == {"pagerduty-routing-key": "R0UTING"}
    assert "pagerduty" not in asked


def test_development_needs_nothing_from_people(capsys: Capture) -> None:
    _, asked = secrets(capsys, "dev")
    assert asked == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prod"], ["'prod'", "dev, production, staging"]),
        (["dev", "--supply", "no-separator"], ["--supply no-separator", "SECRET/KEY=FILE"]),
        (["dev", "--supply", "a/b=/dev/null"], ["a/b", "nothing is"]),
        (
            ["production", "--supply", "a/b=/dev/null"],
            ["a/b", "alertmanager-receivers/pagerduty-routing-key"],
        ),
        (
            ["production", "--supply", "redis-auth/password=/dev/null"],
            ["redis-auth/password", "is not for the"],
        ),
        (["production", "--current", "/no/such/file"], ["/no/such/file", "cannot be read"]),
        (["production", "--current", "/dev"], ["/dev", "cannot be read"]),
    ],
)
def test_bad_arguments_are_refused(arguments: list[str], said: list[str], capsys: Capture) -> None:
    assert main(["secrets", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == "", "half of the Secrets"
    for text in said:
        assert text in captured.err


@pytest.mark.parametrize(
    "text",
    [
        "not: [yaml",
        "just words",
        "- a\n- list\n",
        '{"kind": "Secret"}',
        '{"kind": "Secret", "metadata": {"name": "redis-auth"}, "data": {"password": "%%%"}}',
        '{"kind": "Secret", "metadata": {"name": "redis-auth"}, "data": {"password": 5}}',
    ],
)
def test_something_else_than_secrets_is_refused(text: str, capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "current.yaml"
    file.write_text(text, encoding="utf-8")
    assert main(["secrets", "production", "--current", str(file)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "kubectl get secrets --output yaml" in captured.err
    assert str(file) in captured.err


def test_no_value_is_ever_synthesized(capsys: Capture, syntheses: Mapping[str, Synthesis]) -> None:
    for name, synthesis in syntheses.items():
        values, _ = secrets(capsys, name)
        for value in random_values(values):
            assert value not in synthesis.text


@pytest.mark.slow
def test_the_program_prints_to_where_kubectl_reads() -> None:
    program = Path(sys.executable).parent / "traversion"
    done = subprocess.run([program, "secrets", "staging"], capture_output=True, text=True, check=True)
    assert {manifest["kind"] for manifest in read_manifests(done.stdout)} == {"Secret"}
    assert done.stderr.startswith("To supply: ")
