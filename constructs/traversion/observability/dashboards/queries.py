"""Queries of dashboards, and the data sources that they go to."""

import re
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import prometheus
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from traversion.observability.metrics import JOBS, PG_UP, demand, names_in

PROMETHEUS = DataSourceRef("prometheus", "prometheus")
TIMESCALEDB = DataSourceRef("grafana-postgresql-datasource", "timescaledb")

SQL = "sql"
"""Stands for access to the database among what a query needs; a job of this name can be unwatched."""

Kind = Literal["timeseries", "stat", "bargauge", "table"]
"""The type of the panel that shows the result."""


_ENVIRONMENT, _NAMESPACE = 'environment=~"$environment"', 'namespace=~"$namespace"'
_MATCHERS = {
    job.name: ",".join([_ENVIRONMENT, *([_NAMESPACE] if "namespace" in job.target_labels else [])])
    for job in JOBS
}
_SELECTOR = re.compile(r"""(?<=\{)job="([a-z-]+)\"""")
_RECORDED = re.compile(r"""("(?:\\.|[^"\\])*")|\b([a-z_]+(?::\w+)+)(\{)?""")


def chosen(expr: str) -> str:
    """Keep a query to the environment and namespace that are chosen at the top of the dashboard."""
    expr = _SELECTOR.sub(lambda job: f"{_MATCHERS[job[1]]},{job[0]}", expr)
    return _RECORDED.sub(_of_environment, expr)


def _of_environment(found: re.Match[str]) -> str:
    text, name, brace = found.groups()
    return text or f"{name}{{{_ENVIRONMENT}{',' if brace else '}'}"


@dataclass(frozen=True)
class PromQl:
    """A query of Prometheus; ``legend`` names each series, with labels in braces."""

    expr: str
    legend: str = ""

    def __post_init__(self) -> None:
        demand(self.expr, *re.findall(r"\{\{(\w+)\}\}", self.legend))

    @property
    def needs(self) -> frozenset[str]:
        """The series without which there is nothing to show."""
        return frozenset(names_in(self.expr))

    def target(self, reference: str, kind: Kind) -> Dataquery:
        """Return the query as Grafana stores it; only graphs need more than the present."""
        instant = kind != "timeseries"
        return prometheus.Dataquery(
            expr=chosen(self.expr),
            ref_id=reference,
            datasource=PROMETHEUS,
            editor_mode=prometheus.QueryEditorMode.CODE,
            instant=instant,
            range_val=not instant,
            legend_format=self.legend or "__auto",
            format_val=prometheus.PromQueryFormat.TABLE
            if kind == "table"
            else prometheus.PromQueryFormat.TIME_SERIES,
        )


@dataclass(frozen=True)
class Sql:
    """A query of the events in TimescaleDB; graphs need a column ``time`` and may have one ``metric``."""

    text: str
    needs = frozenset({PG_UP.name, SQL})
    """Where the database is not watched, Grafana has no access to it either."""

    def target(self, reference: str, kind: Kind) -> Dataquery:
        """Return the query as Grafana stores it."""
        return _SqlTarget(self.text, reference, "time_series" if kind == "timeseries" else "table")


class _SqlTarget(Dataquery):
    """The SDK has no model of the PostgreSQL data source's queries."""

    def __init__(self, text: str, reference: str, form: str) -> None:
        self._text = text
        self._reference = reference
        self._form = form

    def to_json(self) -> dict[str, object]:
        return {
            "datasource": TIMESCALEDB,
            "editorMode": "code",
            "format": self._form,
            "rawQuery": True,
            "rawSql": self._text,
            "refId": self._reference,
        }
