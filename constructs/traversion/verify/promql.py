"""PromQL as rules and dashboards write it: does it parse, and what does it ask for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import promql_parser
from promql_parser import BinaryExpr, Call, Expr, MatchOp, NumberLiteral, ParenExpr, VectorSelector

# The parser recurses in its own stack, which no Python program survives when it overflows, and takes time
# quadratic in the number of operators: what lies beyond these is no query that people write.
_LONGEST = 5_000
_DEEPEST = 100
_MOST_OPERATORS = 500
# Grafana's own variables, by what must stand in their place for the query to parse.
_VARIABLE = re.compile(r"\$\{([A-Za-z_][\w.]*)(?::[^}]*)?\}|\$([A-Za-z_]\w*)|\[\[([A-Za-z_]\w*)(?::\w+)?\]\]")
_AFTER_RANGE = re.compile(r"[\[:]\s*$|offset\s+-?$")
# Newer than the parser: arithmetic in durations and the modifiers of extended ranges (Prometheus 3). Numbers
# with an exponent in a range make it panic.
_NEWER = re.compile(r"\b(anchored|smoothed)\b|\[[^\[\]]*([-+*/^%()]|\d[eE])[^\[\]]*\]|\boffset\s*\(")
_OPERATOR = re.compile(r"[-+*/%^<>=!]=?|\b(and|or|unless|atan2)\b")
_CHILDREN = ("lhs", "rhs", "expr", "param", "vector_selector")
_NUMBERS = {"__from", "__to", "__interval_ms", "__range_ms", "__range_s"}


@dataclass(frozen=True)
class Selector:
    """One series selector: its metric (may be empty) and its label matchers."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator (=, !=, =~, !~) and value."""


@dataclass(frozen=True)
class Query:
    """A parsed query, or why it does not parse."""

    error: str = ""
    selectors: Sequence[Selector] = ()
    raw_counters: Sequence[str] = ()
    """Counters that are compared with a number as they are, without rate or increase."""


@lru_cache(maxsize=8192)
def parse(query: str) -> Query:
    """Return what a query asks for. Nothing for one of a syntax that the parser does not know yet."""
    plain = _without_texts(query[: _LONGEST + 1])
    if len(query) > _LONGEST or _is_monstrous(plain) or _NEWER.search(plain):
        return Query()
    try:
        nodes: list[Any] = [promql_parser.parse(query)]
    except ValueError as error:
        return Query(error=" ".join(str(error).split())[:200])
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # the parser's own fault; it is no Exception
            return Query()
        raise
    selectors: list[Selector] = []
    counters: list[str] = []
    while nodes:  # promql_parser.walk takes cubic time
        node = nodes.pop()
        if isinstance(node, VectorSelector):
            selectors.append(_selector(node))
        elif isinstance(node, BinaryExpr):
            counters.extend(_raw_counter(node))
        nodes += [child for name in _CHILDREN if (child := getattr(node, name, None)) is not None]
        nodes += node.args if isinstance(node, Call) else []
    return Query(selectors=tuple(reversed(selectors)), raw_counters=tuple(counters))


def without_variables(query: str) -> str:
    """Put something plausible in the place of a dashboard's variables: a duration, a number or a name."""

    def stand_in(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group)
        before = query[: match.start()]
        if _AFTER_RANGE.search(before) or name in {"__interval", "__rate_interval", "__range"}:
            # A quoted or embedded one is text, where a duration does no harm.
            return "5m"
        if name in _NUMBERS or re.search(r"[-+*/%^<>=(,]\s*$", before):
            return "1"
        return "variable"

    return _VARIABLE.sub(stand_in, query)


def is_fixed(query: str) -> bool:
    """Tell whether variables stand only in label values and ranges, so that the query's form is certain."""
    plain = _without_texts(query[:_LONGEST])
    return "[[" not in plain and not _VARIABLE.search(re.sub(r"\[[^\]]*\]", "", plain))


def _without_texts(query: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#.*', '""', query)


def _is_monstrous(plain: str) -> bool:
    depth = deepest = 0
    for character in plain:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest > _DEEPEST or sum(1 for _ in _OPERATOR.finditer(plain)) > _MOST_OPERATORS


def _selector(node: VectorSelector) -> Selector:
    matchers = tuple(
        (each.name, _OPERATORS.get(str(each.op), str(each.op)), each.value) for each in node.matchers.matchers
    )
    named = next((value for name, op, value in matchers if name == "__name__" and op == "="), "")
    return Selector(node.name or named, matchers)


_OPERATORS = {
    str(MatchOp.Equal): "=",
    str(MatchOp.NotEqual): "!=",
    str(MatchOp.Re): "=~",
    str(MatchOp.NotRe): "!~",
}
_COMPARISONS = re.compile(r"^(>|<|>=|<=|==|!=)$")


def _raw_counter(node: BinaryExpr) -> list[str]:
    left, right = _bare(node.lhs), _bare(node.rhs)
    if not _COMPARISONS.match(str(node.op)):
        return []
    # A counter above zero means "has ever happened", which people do ask for.
    if isinstance(left, VectorSelector) and isinstance(right, NumberLiteral) and right.val:
        name = left.name or ""
        return [name] if name.endswith("_total") else []
    return []


def _bare(node: Expr) -> Expr:
    while isinstance(node, ParenExpr):
        node = node.expr
    return node
