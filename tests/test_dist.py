"""``dist/`` is what synthesis gives, however it is started, and never less than complete."""

import shutil
import signal
import sys
from collections.abc import Mapping
from difflib import unified_diff
from itertools import chain

import pytest

from tests.checkout import Checkout
from tests.manifests import REPOSITORY, Manifest, Synthesis, read_manifests, workload

DIST = REPOSITORY / "dist"
ENVIRONMENTS = ("dev", "production", "staging")
FILES = {f"{name}.k8s.yaml" for name in ENVIRONMENTS}


def test_dist_is_what_synthesis_gives(syntheses: Mapping[str, Synthesis]) -> None:
    texts = {f"{name}.k8s.yaml": synthesis.text for name, synthesis in syntheses.items()}
    committed = {file.name: file.read_text(encoding="utf-8") for file in DIST.iterdir()}
    differences = [
        unified_diff(
            committed.get(name, "").splitlines(keepends=True),
            texts.get(name, "").splitlines(keepends=True),
            f"dist/{name}",
            "synthesized now",
        )
        for name in sorted(committed.keys() | texts.keys())
    ]
    difference = "".join(chain.from_iterable(differences))
    if difference:
        pytest.fail(
            f"dist/ is not what synthesis gives; if this is meant, run `make synth`:\n{difference}",
            pytrace=False,
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "variables"),
    [
        pytest.param([sys.executable, "main.py"], {"PYTHONHASHSEED": "1"}, id="python"),
        pytest.param([sys.executable, "-O", "main.py"], {"PYTHONHASHSEED": "2"}, id="python -O"),
        pytest.param(
            ["node_modules/.bin/cdk8s", "synth", "--check-upgrade=false"],
            {"JSII_NODE": str(REPOSITORY / ".venv/nodejs/bin/node"), "NODE_NO_WARNINGS": "1"},
            id="cdk8s synth",
        ),
    ],
)
def test_every_way_to_synthesize_gives_the_same_bytes(
    checkout: Checkout, command: list[str], variables: Mapping[str, str], syntheses: Mapping[str, Synthesis]
) -> None:
    shutil.rmtree(checkout.dist)
    done = checkout.run(*command, **variables)
    assert done.code == 0, done.errors
    assert checkout.files() == {
        f"{name}.k8s.yaml": synthesis.text.encode() for name, synthesis in syntheses.items()
    }
    assert not done.errors, "a banner or a warning"


def test_make_synth_is_python_without_assertions(checkout: Checkout) -> None:
    recipe = checkout.run(
        *("make", "--dry-run", "--no-print-directory"),
        *("--assume-old=.venv/identity", "--assume-old=.venv/synced", "synth"),
    )
    assert recipe.output.split() == [".venv/bin/python", "-O", "main.py"]


@pytest.mark.slow
def test_one_environment_can_be_chosen_and_promoted(checkout: Checkout) -> None:
    (checkout.dist / "dev.k8s.yaml").write_text("left alone\n")
    (checkout.dist / "removed.k8s.yaml").write_text("of an environment that is no more\n")
    (checkout.dist / "kustomization.yaml").write_text("somebody else's\n")
    before = checkout.files()

    done = checkout.run_synth(TRAVERSION_ENV="staging, production", TRAVERSION_IMAGE_TAG="1.2.3-rc.1")

    assert (done.code, done.errors) == (0, "")
    assert done.output.splitlines() == ["dist/production.k8s.yaml", "dist/staging.k8s.yaml"]
    after = checkout.files()
    assert after.keys() == before.keys() - {"removed.k8s.yaml"}
    for kept in ("dev.k8s.yaml", "kustomization.yaml"):
        assert after[kept] == before[kept]
    for name in ("staging", "production"):
        manifests = read_manifests(after[f"{name}.k8s.yaml"].decode())
        assert images(manifests)["traversion"].endswith(":1.2.3-rc.1")
        assert workload(manifests, "traversion").labels["app.kubernetes.io/version"] == "1.2.3-rc.1"
        committed = images(read_manifests(before[f"{name}.k8s.yaml"].decode()))
        assert {**images(manifests), "traversion": ""} == {**committed, "traversion": ""}


def images(manifests: list[Manifest]) -> dict[str, str]:
    found: dict[str, str] = {}
    for component in ("traversion", "timescaledb", "redis", "prometheus", "grafana", "alertmanager"):
        (container,) = (c for c in workload(manifests, component).containers if c["name"] == component)
        found[component] = container["image"]
    return found


@pytest.mark.slow
def test_a_kill_in_the_middle_leaves_only_complete_files(
    checkout: Checkout, syntheses: Mapping[str, Synthesis]
) -> None:
    """Killed at the worst moment: when the first of three files has been replaced."""
    for name in FILES:
        (checkout.dist / name).write_text("the previous one, complete\n")
    (checkout.folder / "killed.py").write_text(
        "import os, signal\n"
        "replace, calls = os.replace, []\n"
        "def dying(*args):\n"
        "    if calls: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    calls.append(replace(*args))\n"
        "os.replace = dying\n"
        "import main\n"
        "main.main()\n"
    )
    done = checkout.run(sys.executable, "-O", "killed.py")
    assert done.code == -signal.SIGKILL

    complete = {f"{name}.k8s.yaml": synthesis.text.encode() for name, synthesis in syntheses.items()}
    found = checkout.files()
    assert found.keys() == FILES
    states = [text == complete[name] for name, text in found.items()]
    assert sorted(states) == [False, False, True]
    assert all(
        text == b"the previous one, complete\n" for name, text in found.items() if text != complete[name]
    )


def test_dist_holds_no_secret(manifests: Mapping[str, list[Manifest]]) -> None:
    for name in ENVIRONMENTS:
        assert "Secret" not in {manifest["kind"] for manifest in manifests[name]}
