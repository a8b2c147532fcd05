"""What kinds of value are made of: each check refuses with what a value is not, and what to write instead."""

import re
from collections.abc import Callable

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError


def refusal(kind: str, remedy: str) -> PydanticCustomError:
    """Say that a value is not of a kind, and what to write instead."""
    return PydanticCustomError("traversion", "is not {kind}: {remedy}", {"kind": kind, "remedy": remedy})


def matching(pattern: str, kind: str, remedy: str, *, longest: int = 253) -> BeforeValidator:
    """Refuse what is no text, too long, or of another form."""

    def check(value: object) -> str:
        if not isinstance(value, str) or len(value) > longest or not re.fullmatch(pattern, value, re.ASCII):
            raise refusal(kind, remedy)
        return value

    return BeforeValidator(check)


def at_least(smallest: int, measure: Callable[[str], int], remedy: str) -> AfterValidator:
    """Refuse what measures less."""

    def check(text: str) -> str:
        if measure(text) < smallest:
            raise refusal("enough", remedy)
        return text

    return AfterValidator(check)


def at_most(largest: int, measure: Callable[[str], int], remedy: str) -> AfterValidator:
    """Refuse what measures more."""

    def check(text: str) -> str:
        if measure(text) > largest:
            raise refusal("within reason", remedy)
        return text

    return AfterValidator(check)


def unlike(unwanted: str, kind: str, remedy: str) -> AfterValidator:
    """Refuse what has the right form and is still of no use."""

    def check(text: str) -> str:
        if re.fullmatch(unwanted, text, re.ASCII):
            raise refusal(kind, remedy)
        return text

    return AfterValidator(check)
