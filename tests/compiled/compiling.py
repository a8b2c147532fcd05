"""Programs compiled from Go modules, because no package here has them in the version that a cluster runs.

Each folder in ``go/`` is a module that pins its program: as a ``tool``, or in a ``main`` of its own.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.manifests import REPOSITORY

_SOURCES = Path(__file__).parent / "go"
_PROGRAMS = REPOSITORY / ".venv" / "compiled"
_OPTIONS = {"prometheus": ("-tags=remove_all_sd,enable_kubernetes_sd",)}  # other clouds' cost two minutes


def compiled(go: str, name: str) -> Path:
    """Compile the module ``go/<name>`` and return the folder of its programs.

    It takes minutes the first time and a second afterwards.
    """
    source, programs = _SOURCES / name, _PROGRAMS / name
    programs.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            *(go, "build", "-mod=readonly", "-trimpath", *_OPTIONS.get(name, ())),
            *("-ldflags", f"-s -w {_version_flags(source)}", "-o", f"{programs}/"),
            "." if (source / "main.go").exists() else "tool",
        ],
        cwd=source,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return programs


def _version_flags(source: Path) -> str:
    """Let Kubernetes know its version, which clients ask it for."""
    version = re.search(r"k8s\.io/kubernetes (v\S+)", (source / "go.mod").read_text(encoding="utf-8"))
    package = "k8s.io/component-base/version"
    return (
        f"-X {package}.gitVersion={version[1]} -X {package}.gitCommit= -X {package}.gitTreeState=clean"
        if version
        else ""
    )


def module(go: str, name: str, path: str) -> Path:
    """Return the folder with the files of the module ``path``, in the version that ``go/<name>`` pins."""
    done = subprocess.run(
        [go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", path],
        cwd=_SOURCES / name,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


if __name__ == "__main__":
    found = shutil.which("go")
    if not found:
        sys.exit("Go is needed: https://go.dev/dl")
    for source in sorted(_SOURCES.iterdir()):
        compiled(found, source.name)
