"""What dashboards are made of: panels with queries, in rows, on a grid 24 columns wide.

Only the SDK's models are used: they are typed and complete, and its builders would add half to the time
of importing them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from grafana_foundation_sdk.models import bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.models import dashboard as grafana
from pydantic_core import to_json

from traversion.observability.dashboards.queries import PROMETHEUS, TIMESCALEDB, Kind, PromQl, Sql, chosen
from traversion.observability.metrics import ALERTS, EVERY_UP, POD_OWNER, Family

TAG = "traversion"
_COLUMNS = 24
_GREEN, _ORANGE, _RED = "green", "orange", "red"

Unit = Literal[
    "short", "percentunit", "s", "bytes", "Bps", "reqps", "ops", "cps", "mps", "dtdurations", "none"
]
"""Units in Grafana's notation."""


@dataclass(frozen=True)
class Threshold:
    """Where a value becomes a warning and where an alarm: above, or below when ``warn`` is the larger."""

    warn: float
    alarm: float | None = None

    def model(self) -> grafana.ThresholdsConfig:
        """Return the coloured steps."""
        if self.alarm is None:
            steps = [(None, _GREEN), (self.warn, _RED)]
        elif self.alarm > self.warn:
            steps = [(None, _GREEN), (self.warn, _ORANGE), (self.alarm, _RED)]
        else:
            steps = [(None, _RED), (self.alarm, _ORANGE), (self.warn, _GREEN)]
        return grafana.ThresholdsConfig(
            grafana.ThresholdsMode.ABSOLUTE,
            [grafana.Threshold(value, colour) for value, colour in steps],
        )


@dataclass(frozen=True)
class Panel:
    """A picture of one or more queries."""

    title: str
    description: str
    queries: tuple[PromQl | Sql, ...]
    unit: Unit = "short"
    kind: Kind = "timeseries"
    width: int = 8
    height: int = 8
    threshold: Threshold | None = None
    stacked: bool = False
    minimum: float | None = 0
    maximum: float | None = None
    keep_value: bool = False
    """Of a table: show the values too, and not only the labels."""

    def without(self, missing: frozenset[str]) -> "Panel":
        """Return the panel with the queries whose series exist."""
        return replace(self, queries=tuple(q for q in self.queries if missing.isdisjoint(q.needs)))

    def model(self, number: int, x: int, y: int) -> grafana.Panel:
        """Return the panel as Grafana stores it, with its number and place on the dashboard."""
        sources = {type(query) for query in self.queries}
        return grafana.Panel(
            type_val=self.kind,
            id_val=number,
            title=self.title,
            description=self.description,
            datasource=TIMESCALEDB if sources == {Sql} else PROMETHEUS,
            grid_pos=grafana.GridPos(self.height, self.width, x, y),
            targets=[q.target(chr(ord("A") + i), self.kind) for i, q in enumerate(self.queries)],
            options=self._options(),
            field_config=grafana.FieldConfigSource(self._fields(), []),
            transformations=self._columns() if self.kind == "table" else None,
        )

    def _columns(self) -> list[grafana.DataTransformerConfig]:
        excluded = {"Time": True, **({} if self.keep_value else {"Value": True})}
        return [grafana.DataTransformerConfig("organize", options={"excludeByName": excluded})]

    def _fields(self) -> grafana.FieldConfig:
        if self.kind == "table":
            # The columns differ: a unit for all would turn times into numbers.
            return grafana.FieldConfig(custom=common.TableFieldOptions())
        return grafana.FieldConfig(
            unit=self.unit,
            min_val=self.minimum,
            max_val=self.maximum,
            thresholds=self.threshold.model() if self.threshold else None,
            color=self._colour(),
            custom=self._lines() if self.kind == "timeseries" else None,
        )

    def _colour(self) -> grafana.FieldColor:
        by_value = self.kind in {"stat", "bargauge"} and self.threshold
        return grafana.FieldColor(
            grafana.FieldColorModeId.THRESHOLDS if by_value else grafana.FieldColorModeId.PALETTE_CLASSIC
        )

    def _lines(self) -> common.GraphFieldConfig:
        style = common.GraphThresholdsStyleMode
        mode = common.StackingMode.NORMAL if self.stacked else common.StackingMode.NONE
        return common.GraphFieldConfig(
            line_width=1,
            fill_opacity=30 if self.stacked else 8,
            show_points=common.VisibilityMode.NEVER,
            stacking=common.StackingConfig(mode, "A"),
            thresholds_style=common.GraphThresholdsStyleConfig(style.DASHED if self.threshold else style.OFF),
        )

    def _options(self) -> object:
        latest = common.ReduceDataOptions(calcs=["lastNotNull"], values=False, fields="")
        if self.kind == "stat":
            return stat.Options(
                reduce_options=latest,
                color_mode=common.BigValueColorMode.BACKGROUND
                if self.threshold
                else common.BigValueColorMode.NONE,
                graph_mode=common.BigValueGraphMode.NONE,
            )
        if self.kind == "bargauge":
            return bargauge.Options(
                reduce_options=latest,
                display_mode=common.BarGaugeDisplayMode.BASIC,
                orientation=common.VizOrientation.HORIZONTAL,
            )
        if self.kind == "table":
            return table.Options()
        return timeseries.Options(
            legend=common.VizLegendOptions(
                show_legend=True,
                calcs=["mean", "max", "lastNotNull"],
                display_mode=common.LegendDisplayMode.TABLE,
                placement=common.LegendPlacement.BOTTOM,
                sort_by="Max",
                sort_desc=True,
            ),
            tooltip=common.VizTooltipOptions(
                mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING
            ),
        )


def number(
    title: str,
    description: str,
    expr: str,
    unit: Unit = "short",
    *,
    width: int = 4,
    threshold: Threshold | None = None,
) -> Panel:
    """Return a panel that shows what a query yields now, in the colour of its threshold."""
    return Panel(
        title,
        description,
        (PromQl(expr),),
        unit,
        kind="stat",
        width=width,
        height=4,
        threshold=threshold,
    )


@dataclass(frozen=True)
class Row:
    """A heading over panels; they flow from left to right and wrap."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a dashboard: the values that a label of a family has, all of them at first."""

    label: str
    family: Family
    title: str
    matchers: tuple[str, ...] = ()
    """Which of the family's series are looked at."""

    def model(self) -> grafana.VariableModel:
        """Return the variable as Grafana stores it; queries use it as ``label=~"$label"``."""
        return grafana.VariableModel(
            type_val=grafana.VariableType.QUERY,
            name=self.label,
            label=self.title,
            datasource=PROMETHEUS,
            query={
                "query": f"label_values({chosen(self.family.where(*self.matchers))}, {self.label})",
                "refId": "variable",
            },
            multi=True,
            include_all=True,
            # Whatever there is: a regular expression of all names would grow with them.
            all_value=".*",
            current=grafana.VariableOption(text=["All"], value=["$__all"]),
            refresh=grafana.VariableRefresh.ON_TIME_RANGE_CHANGED,
            sort=grafana.VariableSort.ALPHABETICAL_ASC,
        )


_ENVIRONMENT = Variable("environment", EVERY_UP, "Environment")
_NAMESPACE = Variable("namespace", EVERY_UP, "Namespace", ('environment=~"$environment"',))
_FIRST = (_ENVIRONMENT, _NAMESPACE)
"""At the top of each dashboard that asks Prometheus: it may store several environments together."""


@dataclass(frozen=True)
class Dashboard:
    """One dashboard; ``uid`` is part of its address and must never change."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: Sequence[Variable] = field(default=())

    def without(self, missing: frozenset[str]) -> "Dashboard":
        """Return the dashboard with the rows, panels, queries and variables whose series exist."""
        rows = (
            Row(
                row.title, tuple(panel for panel in (p.without(missing) for p in row.panels) if panel.queries)
            )
            for row in self.rows
        )
        variables = (v for v in self.variables if v.family.name not in missing)
        return replace(self, rows=tuple(row for row in rows if row.panels), variables=tuple(variables))

    def to_json(self) -> str:
        """Return the dashboard as Grafana reads it, indented so that changes to it can be reviewed."""
        asks = any(isinstance(query, PromQl) for row in self.rows for p in row.panels for query in p.queries)
        variables = [*(_FIRST if asks else ()), *self.variables]
        model = grafana.Dashboard(
            uid=self.uid,
            title=self.title,
            description=self.description,
            tags=[TAG],
            editable=False,
            graph_tooltip=grafana.DashboardCursorSync.CROSSHAIR,
            time=grafana.DashboardDashboardTime("now-6h", "now"),
            refresh="1m",
            panels=list(_placed(self.rows)),
            templating=grafana.DashboardDashboardTemplating([v.model() for v in variables]),
            annotations=grafana.AnnotationContainer([_CRITICAL_ALERTS, _ROLLOUTS]),
            links=[_OTHER_DASHBOARDS],
        )
        return to_json(model, indent=1, fallback=lambda value: value.to_json()).decode() + "\n"


_CRITICAL_ALERTS = grafana.AnnotationQuery(
    name="Critical alerts",
    datasource=PROMETHEUS,
    icon_color=_RED,
    expr=ALERTS.where('alertstate="firing"', 'severity="critical"'),
)
_OF_THE_API = POD_OWNER.where('owner_kind="ReplicaSet"', 'owner_name=~"traversion-app-.+"')
_PODS = f"count by (owner_name) ({_OF_THE_API}"
_ROLLOUTS = grafana.AnnotationQuery(
    name="Deployments",
    datasource=PROMETHEUS,
    icon_color="blue",
    # Each rollout makes a ReplicaSet: pods of one that had none five minutes ago.
    expr=chosen(f"{_PODS}) unless {_PODS} offset 5m)"),
)
_OTHER_DASHBOARDS = grafana.DashboardLink(
    title="Traversion",
    type_val=grafana.DashboardLinkType.DASHBOARDS,
    icon="external link",
    tags=[TAG],
    keep_time=True,
)


def _placed(rows: Iterable[Row]) -> Iterator[grafana.RowPanel | grafana.Panel]:
    number, y = 0, 0
    for row in rows:
        number += 1
        yield grafana.RowPanel(
            title=row.title, id_val=number, panels=[], grid_pos=grafana.GridPos(1, _COLUMNS, 0, y)
        )
        x, y, tallest = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > _COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            yield panel.model(number, x, y)
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
