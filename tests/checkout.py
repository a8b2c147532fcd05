"""A copy of what ``python main.py`` works on, for tests that edit it: environments and ``dist/``."""

import contextlib
import importlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import pytest

import main
from tests.manifests import REPOSITORY
from traversion.synthesis import load_environments

Files = Mapping[str, bytes]

_numbers = count()


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True)
class Checkout:
    """Environments, ``dist/`` and the program in a folder of their own, with the real tools."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    @classmethod
    def create(cls, parent: Path, monkeypatch: pytest.MonkeyPatch) -> "Checkout":
        """Copy the repository, as far as synthesis reads it."""
        folder = parent / f"checkout_{next(_numbers)}"
        folder.mkdir()
        for file in ("main.py", "cdk8s.yaml", "Makefile"):
            shutil.copy2(REPOSITORY / file, folder)
        for name in ("environments", "dist"):
            shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for tools in (".venv", "node_modules"):
            (folder / tools).symlink_to(REPOSITORY / tools)
        monkeypatch.setattr(sys, "path", [str(parent), *sys.path])
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        return cls(folder, monkeypatch)

    @property
    def dist(self) -> Path:
        """Where manifests are written."""
        return self.folder / "dist"

    def files(self) -> Files:
        """Return what stands in ``dist/``."""
        return {file.name: file.read_bytes() for file in self.dist.iterdir()}

    def entries(self) -> set[str]:
        """Return what stands beside ``dist/``."""
        return {path.name for path in self.folder.iterdir()}

    def environment(self, name: str) -> Path:
        """Return the file of an environment."""
        return self.folder / "environments" / f"{name}.py"

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands in an environment's file."""
        file = self.environment(name)
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{file.name} does not contain {old!r} any more"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def synth(self, **variables: str) -> Outcome:
        """Run ``main.py`` on the copy in this process, which saves a second; an exception is a traceback."""
        package = f"{self.folder.name}.environments"
        for name in [name for name in sys.modules if name.startswith(self.folder.name)]:
            del sys.modules[name]
        importlib.invalidate_caches()
        output, errors = io.StringIO(), io.StringIO()
        with self.monkeypatch.context() as patch:
            patch.setattr(main, "load_environments", partial(load_environments, package))
            for name, value in {"CDK8S_OUTDIR": str(self.dist), **variables}.items():
                patch.setenv(name, value)
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
                code = main.main()
        return Outcome(code, output.getvalue(), errors.getvalue())

    def run(self, *command: str, **variables: str) -> Outcome:
        """Run a command in the copy, in a process of its own."""
        path = f"{REPOSITORY / '.venv' / 'bin'}:{os.environ['PATH']}"
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**inherited, "PATH": path, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def run_synth(self, **variables: str) -> Outcome:
        """Run ``main.py`` as ``make synth`` does."""
        return self.run(sys.executable, "-O", "main.py", **variables)
