"""The clusters that the tests share. They run only when asked for: ``make test-compiled``."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compiled.compiling import compiled
from tests.compiled.control_plane import Cluster, control_plane
from tests.conftest import Program
from tests.manifests import REPOSITORY, Manifest, read_manifests

MARKER = "compiled"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these tests out of a run that does not name their marker: the first build takes minutes."""
    if MARKER in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker(MARKER)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@dataclass(frozen=True)
class Applied:
    """A cluster to which ``dist/`` was applied while it was empty, and what kubectl said."""

    cluster: Cluster
    kubectl: subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``dist/`` as it is now, whoever synthesizes meanwhile."""
    return shutil.copytree(REPOSITORY / "dist", tmp_path_factory.mktemp("committed") / "dist")


@pytest.fixture(scope="session")
def written(dist: Path) -> dict[str, list[Manifest]]:
    """What stands in ``dist/``, by environment."""
    return {
        file.name.removesuffix(".k8s.yaml"): read_manifests(file.read_text(encoding="utf-8"))
        for file in sorted(dist.iterdir())
    }


@pytest.fixture(scope="session")
def server(program: Program) -> Path:
    for needed in ("diff", "openssl"):
        program(needed)
    return compiled(program("go"), "control-plane") / "control-plane"


@pytest.fixture(scope="session")
def applied(server: Path, dist: Path) -> Iterator[Applied]:
    """The cluster that the tests share: each leaves it as ``dist/`` describes it."""
    with control_plane(server) as cluster:
        yield Applied(cluster, cluster.kubectl("apply", "--server-side", "-f", str(dist)))


@pytest.fixture
def cluster(applied: Applied) -> Cluster:
    assert applied.kubectl.returncode == 0, applied.kubectl.stderr
    return applied.cluster
