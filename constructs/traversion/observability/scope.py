"""Rules and dashboards of one environment for a Prometheus that stores several, and others' series as well.

In a Prometheus of our own every series is the environment's. In the cluster's, another kube-state-metrics
exports the same series under the same job, and each environment has its own ``up``; so each selector is
kept to the label ``environment``, which all our targets and recorded series bear and nobody else's.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from traversion.observability.metrics import CATALOGUE

_TEXT_OR_NAME = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|([A-Za-z_:][\w:]*)(\s*\{)?""")

_QUERIES = {"expr", "query", "definition"}
"""Where PromQL stands in a dashboard: panels, and variables."""
_SERIES = frozenset[str]().union(*(family.series for family in CATALOGUE))

Group = Mapping[str, Any]


def scoped(groups: Sequence[Group], environment: str, namespace: str) -> list[Group]:
    """Return groups of rules that select, record and alert for this environment alone.

    Alerts bear both labels: by ``namespace`` an AlertmanagerConfig of the operator routes them.
    """
    names = _SERIES | _recorded(groups)
    return [
        {**group, "rules": [_scoped_rule(rule, names, environment, namespace) for rule in group["rules"]]}
        for group in groups
    ]


def scoped_dashboard(text: str, groups: Sequence[Group], environment: str) -> str:
    """Return the JSON of a dashboard whose queries select this environment's series alone."""
    board = _scoped_queries(json.loads(text), _SERIES | _recorded(groups), environment)
    return json.dumps(board, indent=2) + "\n"


def scoped_query(expr: str, names: frozenset[str], environment: str) -> str:
    """Return PromQL with the matcher added to each selector of a series with one of these names."""

    def with_matcher(found: re.Match[str]) -> str:
        _, name, brace = found.groups()
        if name not in names:
            return found[0]
        matcher = f'{name}{{environment="{environment}"'
        return f"{matcher}," if brace else f"{matcher}}}"

    return _TEXT_OR_NAME.sub(with_matcher, expr)


def _scoped_rule(
    rule: Mapping[str, Any], names: frozenset[str], environment: str, namespace: str
) -> Mapping[str, Any]:
    place = {"environment": environment, **({"namespace": namespace} if "alert" in rule else {})}
    return {
        **rule,
        "expr": scoped_query(rule["expr"], names, environment),
        "labels": {**rule.get("labels", {}), **place},
    }


def _scoped_queries(value: Any, names: frozenset[str], environment: str) -> Any:  # noqa: ANN401 # JSON
    if isinstance(value, list):
        return [_scoped_queries(each, names, environment) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: scoped_query(inner, names, environment)
        if key in _QUERIES and isinstance(inner, str)
        else _scoped_queries(inner, names, environment)
        for key, inner in value.items()
    }


def _recorded(groups: Sequence[Group]) -> frozenset[str]:
    return frozenset(rule["record"] for group in groups for rule in group["rules"] if "record" in rule)
