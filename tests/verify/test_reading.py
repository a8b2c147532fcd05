"""Whatever a file holds, it is read, or refused with its place; never a traceback, never for long."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tests.manifests import REPOSITORY
from traversion.cli import main
from traversion.verify import UnusableInput, from_objects, read_manifests, verify

DIST = REPOSITORY / "dist"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"

REFUSED = {
    "a tab": ("apiVersion: v1\nkind: X\n\tmetadata: {}\n", ":3:1"),
    "no object": ("hello\n", ":1:1"),
    "a list": ("- 1\n- 2\n", ":1:1"),
    "no kind": ("apiVersion: v1\nmetadata: {name: a}\n", ":1:1"),
    "an open bracket": (OBJECT + "data: [\n", ":5:1"),
    "a key twice": (OBJECT + "metadata: {name: b}\n", ":4:1"),
    "an unknown alias": (OBJECT + "data: *nothing\n", ":4:7"),
    "an alias of itself": (OBJECT + "data: &a [*a]\n", ""),
    "a tag of another language": (OBJECT + "data: !!python/object:os.system {}\n", ":4:7"),
    "a second document that is broken": (OBJECT + "---\n}\n", ":5:1"),
    "a control character": (OBJECT + "data: \x07\n", ":4:7"),
    "a number without end": (OBJECT + "data: " + "9" * 5000 + "\n", ""),
    "deep nesting": (OBJECT + "data: " + "[" * 3000 + "]" * 3000 + "\n", ""),
    "a bomb": (
        OBJECT
        + "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{b}: &{b} [{', '.join(['*' + a] * 10)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
        ),
        "",
    ),
}
READ = {
    "a byte order mark": "\ufeff" + OBJECT,
    "line ends of Windows": OBJECT.replace("\n", "\r\n"),
    "JSON": json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}),
    "anchors and merge keys": OBJECT + "data: &d {a: b}\nother: {<<: *d, c: d}\n",
    "empty documents": "---\n---\n" + OBJECT + "---\n",
    "a list of objects": "apiVersion: v1\nkind: List\nitems:\n- " + "\n  ".join(OBJECT.splitlines()) + "\n",
    "a date": OBJECT + "data: {day: 2026-01-01}\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_manifest_is_refused_with_its_place(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, place = REFUSED[name]
    file = tmp_path / "manifest.yaml"
    file.write_text(text, encoding="utf-8")
    started = time.monotonic()
    assert main(["verify", str(file)]) == 2
    assert time.monotonic() - started < 5
    said = capsys.readouterr()
    assert f"{file}{place}" in said.err
    assert said.out == ""


@pytest.mark.parametrize("name", READ)
def test_odd_spellings_are_read(name: str, tmp_path: Path) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_bytes(READ[name].encode())
    (resource,) = read_manifests([str(file)])
    assert resource.reference == "ConfigMap default/a"


def hostile(text: str, random: Random) -> Iterator[str]:
    """Spoil a good file: cut it, twist lines, put other types in the place of values."""
    lines = text.splitlines(keepends=True)
    start = random.randrange(len(lines))
    lines = lines[start : start + 400]
    yield "".join(lines)[: random.randrange(1, 4000)]
    for odd in (
        "[]",
        "{}",
        "null",
        "-1",
        "1e999",
        "'\\u0000'",
        "true",
        "[[[]]]",
        "{a: {b: [1]}}",
        '"*"',
        "0xFFFFFFFFFFFFFFFFFF",
    ):
        spoilt = [
            line.partition(":")[0] + f": {odd}\n" if ":" in line and random.random() < 0.05 else line
            for line in lines
        ]
        yield "".join(spoilt)


def test_200_hostile_files_end_in_findings_or_a_message(tmp_path: Path) -> None:
    random = Random(2026)  # noqa: S311 # places, not secrets
    text = (DIST / "production.k8s.yaml").read_text(encoding="utf-8")
    files = [spoilt for _ in range(20) for spoilt in hostile(text, random)]
    assert len(files) >= 200
    file = tmp_path / "hostile.yaml"
    for spoilt in files:
        file.write_text(spoilt, encoding="utf-8")
        try:
            verify(read_manifests([str(file)]))
        except UnusableInput as refused:
            assert str(file) in str(refused)  # noqa: PT017 # either way is right, a traceback is not


def test_any_type_in_any_field_is_borne() -> None:
    """Every value of every kind of object is replaced once by something of another type."""
    random = Random(7)  # noqa: S311 # places, not secrets
    text = (DIST / "production.k8s.yaml").read_text(encoding="utf-8")
    odd: tuple[Any, ...] = (
        None,
        True,
        -1,
        1.5,
        "",
        "x" * 300,
        [],
        [None],
        {},
        {"a": None},
        {1: 2},
        [{"name": 1}],
    )
    for manifest in yaml.load_all(text, Loader=yaml.CSafeLoader):
        if "dashboard" in manifest["metadata"]["name"]:
            continue
        for holder, key in random.sample(places := list(_places(manifest)), min(12, len(places))):
            kept = holder[key]
            holder[key] = random.choice(odd)
            verify(from_objects([manifest]))
            holder[key] = kept


def _places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 # whatever stands there
    if isinstance(value, dict):
        for key, child in value.items():
            yield value, key
            yield from _places(child)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield value, index
            yield from _places(child)
