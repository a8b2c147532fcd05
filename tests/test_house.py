"""The house stands: which floor may import which, and one name that must stay free."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manifests import REPOSITORY

ROOT = REPOSITORY / "constructs"

FLOORS = (
    {"traversion", "traversion.verify"},
    {"traversion.values", "traversion.contract"},
    {"traversion.settings"},
    {"traversion.refusal"},
    {"traversion.platform"},
    {"traversion.timescaledb", "traversion.redis_cache", "traversion.tls_proxy"},
    {"traversion.api"},
    {"traversion.observability"},
    {"traversion.secure_ingress"},
    {"traversion.chart"},
    {"traversion.synthesis", "traversion.secret_values", "traversion.restoring", "traversion.reference"},
    {"traversion.cli", "main", "environments"},
)
"""From the ground up; modules of one set do not import each other."""

MODULES = sorted(ROOT.rglob("*.py"))


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """A module, or the package directly below ``traversion`` that it is a part of."""
    return ".".join(module.split(".")[:2])


def floor_of(module: str) -> int:
    found = [number for number, floor in enumerate(FLOORS) if room_of(module) in floor]
    assert found, f"{module} stands on no floor: add it to FLOORS, and to the house in docs/"
    return found[0]


def imported_by(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            assert node.module
            if node.module == "traversion":
                yield from (f"traversion.{alias.name}" for alias in node.names)
            else:
                yield node.module


def test_constructs_is_no_package() -> None:
    assert not (ROOT / "__init__.py").exists(), "it would shadow the library `constructs` that cdk8s imports"


def test_constructs_resolves_to_the_library() -> None:
    import constructs  # noqa: PLC0415 # what this name means is the question

    assert constructs.__file__
    assert "site-packages" in constructs.__file__


@pytest.mark.parametrize("file", MODULES, ids=module_of)
def test_imports_only_go_down(file: Path) -> None:
    module = module_of(file)
    ours = [
        name for name in imported_by(file) if name.split(".")[0] in ("traversion", "environments", "main")
    ]
    for name in ours:
        same_room = room_of(name) == room_of(module)
        assert same_room or floor_of(name) < floor_of(module), (
            f"{module} imports {name} from above or beside it"
        )


def test_environments_hold_values_only() -> None:
    for file in (REPOSITORY / "environments").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            logic = (
                ast.If | ast.For | ast.While | ast.FunctionDef | ast.ClassDef | ast.Try | ast.comprehension
            )
            assert not isinstance(node, logic), f"{file.name}:{getattr(node, 'lineno', '?')} is logic"
        assert set(imported_by(file)) <= {"traversion.settings", "traversion.contract"}, file.name
