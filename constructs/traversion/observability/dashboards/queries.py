"""Queries of dashboards, and the data sources that they go to."""

from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import prometheus
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from traversion.observability.metrics import PG_UP, names_in

PROMETHEUS = DataSourceRef("prometheus", "prometheus")
TIMESCALEDB = DataSourceRef("grafana-postgresql-datasource", "timescaledb")

Kind = Literal["timeseries", "stat", "bargauge", "table"]
"""The type of the panel that shows the result."""


@dataclass(frozen=True)
class PromQl:
    """A query of Prometheus; ``legend`` names each series, with labels in braces."""

    expr: str
    legend: str = ""

    @property
    def needs(self) -> frozenset[str]:
        """The series without which there is nothing to show."""
        return frozenset(names_in(self.expr))

    def target(self, reference: str, kind: Kind) -> Dataquery:
        """Return the query as Grafana stores it; only graphs need more than the present."""
        instant = kind != "timeseries"
        return prometheus.Dataquery(
            expr=self.expr,
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
    needs = frozenset({PG_UP.name})
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
