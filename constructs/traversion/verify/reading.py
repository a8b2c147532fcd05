"""Reads manifests: files, folders as kubectl takes them, standard input; YAML, JSON, lists of objects."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from traversion.verify.model import Resource, Source, items, mapping, text

_SUFFIXES = {".yaml", ".yml", ".json"}
# Far beyond real manifests; what lies beyond is an attack or an accident.
_MOST_BYTES = 64 * 2**20
_MOST_NODES = 500_000  # in one document
_DEEPEST = 100


class UnusableInput(Exception):  # noqa: N818 # it is the input's fault
    """Something cannot be read as manifests; the message says file, line and column."""


def read_manifests(paths: Iterable[str]) -> list[Resource]:
    """Return the objects in files, in folders (their own files, by name) or on standard input ("-").

    Raises ``UnusableInput`` for what is no manifest.
    """
    resources: list[Resource] = []
    for name, content in _contents(paths):
        for data, line in documents(name, content):
            for item in _objects(data, name, line):
                resources.append(Resource(item, Source(name, line, len(resources))))
    return resources


def from_objects(objects: Iterable[Any]) -> list[Resource]:
    """Return objects that were never a file."""
    return [Resource(mapping(data), Source(order=order)) for order, data in enumerate(objects)]


def _is_kustomization(file: Path) -> bool:
    """Kustomize's own file is no object, and kubectl is not given it."""
    return file.stem.lower() == "kustomization"


def _contents(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in paths:
        if name == "-":
            yield "standard input", sys.stdin.read()
            continue
        path = Path(name)
        if path.is_dir():
            files = sorted(
                file
                for file in path.iterdir()
                if file.suffix in _SUFFIXES and file.is_file() and not _is_kustomization(file)
            )
            if not files:
                raise UnusableInput(f"{name}: no .yaml, .yml or .json file in this folder")
        else:
            files = [path]
        for file in files:
            yield str(file), _read(file)


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise UnusableInput(f"{file}: is larger than {_MOST_BYTES // 2**20} MiB")
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(f"{file}: is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise UnusableInput(f"{file}: cannot be read: {error.strerror}") from error


def documents(name: str, content: str) -> Iterator[tuple[Any, int]]:
    """Yield the documents of a YAML text with the lines they begin on; ``name`` is for messages."""
    loader = _Loader(content)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                line = node.start_mark.line + 1
                yield loader.construct_checked(node), line
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UnusableInput(f"{name}{place}: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        before = content[: error.position]
        column = error.position - before.rfind("\n")
        raise UnusableInput(f"{name}:{before.count(chr(10)) + 1}:{column}: {error.reason}") from error
    except RecursionError as error:
        raise UnusableInput(f"{name}: is nested too deeply") from error
    except ValueError as error:  # such as a number of thousands of digits
        raise UnusableInput(f"{name}: has a value that cannot be read: {error}") from error
    finally:
        loader.dispose()


def _objects(data: Any, name: str, line: int) -> Iterator[Any]:  # noqa: ANN401 # whatever was written
    if data is None:
        return
    if not isinstance(data, dict) or not text(data.get("kind")) or not text(data.get("apiVersion")):
        raise UnusableInput(f"{name}:{line}:1: is no Kubernetes object: it has no kind or no apiVersion")
    if data["kind"] == "List" or (data["kind"].endswith("List") and isinstance(data.get("items"), list)):
        for item in items(data.get("items")):
            yield from _objects(item, name, line)
        return
    yield data


class _Loader(yaml.CSafeLoader):
    """Reads YAML as Kubernetes does: times are texts, a key stands once, and an alias cannot explode."""

    def construct_checked(self, document: yaml.Node) -> Any:  # noqa: ANN401 # whatever was written
        """Construct a document after its size, its depth and its keys were checked."""
        self._nodes = 0
        self._check(document, 0)
        return self.construct_document(document)

    def _check(self, node: yaml.Node, depth: int) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            self._refuse(node, "its aliases expand to more nodes than any manifest has")
        if depth > _DEEPEST:
            self._refuse(node, "is nested too deeply, or an alias contains itself")
        if isinstance(node, yaml.SequenceNode):
            for child in node.value:
                self._check(child, depth + 1)
        elif isinstance(node, yaml.MappingNode):
            self._check_keys(node)
            for key, value in node.value:
                self._check(key, depth + 1)
                self._check(value, depth + 1)

    def _check_keys(self, node: yaml.MappingNode) -> None:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    self._refuse(key, f"the key {key.value!r} stands twice; kubectl refuses that")
                seen.add(key.value)

    def _refuse(self, node: yaml.Node, problem: str) -> None:
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


# Kubernetes has no times in YAML: 2026-01-01 is a text there.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
