"""Tells an operator which setting was refused: where it stands, what it is, what is allowed."""

import ast
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError


class SettingsRefused(Exception):  # noqa: N818 # it is not a fault of the program
    """Settings cannot be synthesized; the message is for the operator."""


def refusal(environment: str, error: ValidationError | PydanticCustomError) -> SettingsRefused:
    """Describe every refused setting of an environment, one line each.

    A group of settings is checked where it is written, so the path that leads there is read from the
    environment's file.
    """
    source, path = _where_written(error)
    details: Sequence[Mapping[str, Any]]
    if isinstance(error, ValidationError):
        details = [dict(detail) for detail in error.errors(include_url=False)]
    else:
        details = [{"type": error.type, "loc": (), "msg": error.message(), "ctx": error.context}]
    return SettingsRefused("\n".join(_line(environment, source, path, detail, error) for detail in details))


def _line(
    environment: str,
    source: str,
    path: Sequence[str],
    detail: Mapping[str, Any],
    error: Exception,
) -> str:
    context = detail.get("ctx") or {}
    steps = [str(step) for step in (*path, *detail["loc"]) if step != "[key]"]
    value = context.get("value", detail.get("input"))
    if "setting" in context:
        steps.append(context["setting"])
    shown = "" if detail["type"] == "missing" else f" = {value!r}"
    return f"{environment}: {'.'.join(steps)}{shown}: {_problem(detail, error, steps)}{source}"


def _problem(detail: Mapping[str, Any], error: Exception, steps: Sequence[str]) -> str:
    """Say what is wrong, in the words of an environment's file where pydantic has words of its own."""
    match detail["type"]:
        case "extra_forbidden":
            return f"is not a setting here; {_known_names(error, steps[-1])}"
        case "missing":
            return "is required"
        case "sequence_str" | "is_instance_of" if isinstance(detail.get("input"), str):
            return 'is one text: write a tuple, e.g. ("a", "b")'
        case "model_type" | "model_attributes_type":
            name = detail["ctx"]["class_name"]
            return f"write {name}({', '.join(f'{field}=...' for field in _settings_classes().get(name, ()))})"
        case "dataclass_type" | "dataclass_exact_type":
            return "write TRAVERSION or UPSTREAM_1_0_0 of traversion.contract, or a Contract(...)"
        case _:
            return str(detail["msg"])


def _known_names(error: Exception, name: str) -> str:
    title = error.title if isinstance(error, ValidationError) else ""
    known = _settings_classes().get(title, ())
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(known))}"


def _settings_classes() -> dict[str, list[str]]:
    from traversion.settings import Settings  # noqa: PLC0415 # only a refusal needs it

    found: list[type[BaseModel]] = [Settings]
    for model in found:
        found += model.__subclasses__()
    return {model.__name__: list(model.model_fields) for model in found}


def _where_written(error: BaseException) -> tuple[str, list[str]]:
    """Return the place in ``environments/`` that raised, and the settings path of the call there."""
    for frame, line in reversed(list(walk_tb(error.__traceback__))):
        file = Path(frame.f_code.co_filename)
        if file.parent.name == "environments":
            tree = ast.parse(file.read_text(encoding="utf-8"))
            place = f" (environments/{file.name}:{line})"
            return place, _path_to(tree, _call_in(frame, error.__traceback__))
    return "", []


def _call_in(frame: FrameType, trace: TracebackType | None) -> tuple[int | None, int | None]:
    """Return line and column of the call that a frame of the traceback was in."""
    while trace and trace.tb_frame is not frame:
        trace = trace.tb_next
    instruction = trace.tb_lasti // 2 if trace else 0
    line, _, column, _ = next(islice(frame.f_code.co_positions(), instruction, None))
    return line, column


def _path_to(node: ast.AST, call: tuple[int | None, int | None], path: Sequence[str] = ()) -> list[str]:
    """Return the keyword arguments around the call that starts at this line and column."""
    if isinstance(node, ast.Call) and (node.lineno, node.col_offset) == call:
        return list(path)
    for child in ast.iter_child_nodes(node):
        inner = [*path, child.arg] if isinstance(child, ast.keyword) and child.arg else path
        found = _path_to(child, call, inner)
        if found:
            return found
    return []
