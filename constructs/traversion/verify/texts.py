"""The texts in objects, and which of them were never filled in."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from traversion.verify.environment import IDENTIFIER
from traversion.verify.model import Resource, mapping

_PLACEHOLDER = re.compile(
    r"REPLACE[_-](?:ME|WITH|THIS)\w*|\bCHANGE[_-]?(?:ME|THIS)\b|CHANGE_(?:ME|THIS)_\w+|\bREPLACEME\b"
    r"|<(?:your|change|replace|insert|enter)[-_ ][^<>\n]{1,60}>|\bYOUR[_-][A-Z0-9_-]{1,60}[_-]HERE\b"
    r"|\b(?:INSERT|PUT|ENTER)_[A-Z0-9_]{1,60}_HERE\b|(?-i:\{\{-?\s*\.(?:Values|Release|Chart)\b)",
    re.IGNORECASE,
)
# Searching for these first makes it a hundred times as fast: dashboards are long.
_PLACEHOLDER_MARKS = (
    "REPLACE_", "REPLACE-", "REPLACEME", "CHANGE_", "CHANGE-", "CHANGEME", "CHANGETHIS", "<YOUR", "<CHANGE",
    "<REPLACE", "<INSERT", "<ENTER", "_HERE", "-HERE", ".VALUES", ".RELEASE", ".CHART",
)  # fmt: skip
_COMMENT = ("#", "//", "--", ";", "*")
_LONGEST = 1_000_000

Value = tuple[str, str]
"""A text in an object, and its path."""


def placeholder(value: str) -> re.Match[str] | None:
    """Return the first placeholder in a text."""
    capitals = value.upper()
    return _PLACEHOLDER.search(value) if any(mark in capitals for mark in _PLACEHOLDER_MARKS) else None


def is_comment(value: str, position: int) -> bool:
    """Tell whether a place in a file stands in a comment; what has one line has none."""
    start = value.rfind("\n", 0, position) + 1
    return "\n" in value and value[start:position].lstrip().startswith(_COMMENT)


def content_of_secret(secret: Resource) -> Iterator[Value]:
    """Yield the values of a Secret, decoded."""
    yield from texts(mapping(secret.data.get("stringData")), "stringData")
    for path, value in texts(mapping(secret.data.get("data")), "data"):
        yield path, _decoded(value)


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        # No base64 at all (the API server will say so), or no text.
        return value


def texts(value: object, path: str) -> Iterator[Value]:
    """Yield all texts below a value. What is deeply nested is refused when it is read."""
    if isinstance(value, str):
        yield path, value[:_LONGEST]
    elif isinstance(value, Mapping):
        for key, each in value.items():
            plain = isinstance(key, str) and IDENTIFIER.fullmatch(key)
            yield from texts(each, f"{path}.{key}" if plain else f"{path}[{key}]")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from texts(each, f"{path}[{index}]")
