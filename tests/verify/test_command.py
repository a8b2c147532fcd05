"""The command, the exceptions that objects declare, and what a synthesis does with an error."""

import io
import json
import sys
from pathlib import Path

import pytest
from cdk8s import App
from cdk8s_plus_27 import k8s
from constructs import Construct

from tests.manifests import REPOSITORY
from traversion import synthesis
from traversion.chart import TraversionChart
from traversion.cli import main
from traversion.refusal import SettingsRefused
from traversion.settings import Environment
from traversion.verify import CHECKS
from traversion.verify.reachability import FORMATS

Capture = pytest.CaptureFixture[str]

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations: {ANNOTATIONS}
spec:
  automountServiceAccountToken: false
  containers: [{name: a, image: "redis:TAG", envFrom: [{configMapRef: {name: missing}}]}]
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A pod with an error (configmap-missing) and a warning (image-mutable)."""
    return write(tmp_path, "{}", "latest")


def write(folder: Path, annotations: str, tag: str) -> Path:
    file = folder / "pod.yaml"
    file.write_text(POD.replace("{ANNOTATIONS}", annotations).replace("TAG", tag), encoding="utf-8")
    return file


def found(capsys: Capture, *arguments: str) -> tuple[int, set[str]]:
    code = main(["verify", "--format", "json", *arguments])
    return code, {finding["check"] for finding in json.loads(capsys.readouterr().out)}


def test_what_is_clean_takes_one_line(capsys: Capture) -> None:
    assert main(["verify", str(REPOSITORY / "dist")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_findings_say_where_what_why_and_the_remedy(manifest: Path, capsys: Capture) -> None:
    assert main(["verify", str(manifest)]) == 1
    said = capsys.readouterr().out
    for part in (f"Pod default/a  {manifest}:1", "error configmap-missing", "warning image-mutable", "->"):
        assert part in said
    assert "\033" not in said  # colours are for terminals


def test_json_has_every_part(manifest: Path, capsys: Capture) -> None:
    main(["verify", "--format", "json", str(manifest)])
    for finding in json.loads(capsys.readouterr().out):
        assert set(finding) == {
            *("check", "severity", "object", "file", "line", "path", "wrong", "effect", "remedy")
        }
        assert finding["object"]["name"] == "a"


def test_warnings_and_checks_can_be_left_out(manifest: Path, capsys: Capture) -> None:
    code, ids = found(capsys, str(manifest))
    assert (code, {"configmap-missing", "image-mutable"} <= ids) == (1, True)
    code, ids = found(capsys, "--severity", "error", str(manifest))
    assert (code, ids) == (1, {"configmap-missing"})
    code, ids = found(capsys, "--severity", "error", "--ignore", "configmap-missing", str(manifest))
    assert (code, ids) == (0, set())


def test_it_reads_standard_input(manifest: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(manifest.read_text(encoding="utf-8")))
    assert "configmap-missing" in found(capsys, "-")[1]


def test_an_exception_needs_a_reason_a_check_and_a_fault(tmp_path: Path, capsys: Capture) -> None:
    key = "verify.traversion.io/image-mutable"
    assert (
        "image-mutable"
        not in found(capsys, str(write(tmp_path, f"{{{key}: a mirror pins it}}", "latest")))[1]
    )
    without = found(capsys, str(write(tmp_path, f'{{{key}: ""}}', "latest")))[1]
    assert {"image-mutable", "exception-invalid"} <= without
    assert "exception-unused" in found(capsys, str(write(tmp_path, f"{{{key}: a mirror}}", "7.4.11")))[1]
    unknown = write(tmp_path, "{verify.traversion.io/no-such-check: because}", "7.4.11")
    assert "exception-invalid" in found(capsys, str(unknown))[1]


def test_every_check_is_listed_and_explained(capsys: Capture) -> None:
    assert main(["verify", "--list"]) == 0
    listed = capsys.readouterr().out
    for identifier, check in CHECKS.items():
        assert f"  {identifier} " in listed
        assert main(["verify", "--explain", identifier]) == 0
        said = capsys.readouterr().out
        assert check.what in said
        assert check.why in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a folder"),
        (["no/such/folder"], "no/such/folder"),
        (["--explain", "configmap-mising"], "did you mean 'configmap-missing'?"),
        (["--ignore", "nonsense", "dist"], "nonsense"),
    ],
)
def test_unusable_input_ends_with_2(arguments: list[str], said: str, capsys: Capture) -> None:
    assert main(["verify", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("form", FORMATS)
def test_reachability_is_printed(form: str, capsys: Capture) -> None:
    assert main(["verify", "--reachability", form, str(REPOSITORY / "dist" / "production.k8s.yaml")]) == 0
    said = capsys.readouterr().out
    assert "timescaledb" in said
    assert "5432" in said


class Dangling(TraversionChart):
    """A chart with a Service for nobody."""

    def __init__(self, scope: Construct, environment: Environment, *, validated: bool = True) -> None:
        super().__init__(scope, environment, validated=validated)
        k8s.KubeService(
            self,
            "dangling",
            metadata=k8s.ObjectMeta(name="dangling", namespace=environment.namespace),
            spec=k8s.ServiceSpec(selector={"app": "nobody"}, ports=[k8s.ServicePort(port=80)]),
        )


def test_a_chart_judges_itself(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    Dangling(app, synthesis.load_environments()["dev"])
    with pytest.raises(RuntimeError, match=r"dangling: service-selects-nothing at spec\.selector"):
        app.synth()


def test_a_synthesis_with_an_error_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "dist"
    output.mkdir()
    (output / "dev.k8s.yaml").write_text("as it was\n")
    monkeypatch.setattr(synthesis, "TraversionChart", Dangling)
    with pytest.raises(SettingsRefused, match="dangling: service-selects-nothing"):
        synthesis.synthesize([synthesis.load_environments()["dev"]], output, ["dev"])
    assert (output / "dev.k8s.yaml").read_text() == "as it was\n"
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]
