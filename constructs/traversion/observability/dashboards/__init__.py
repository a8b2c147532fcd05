"""The dashboards of Grafana: the service at a glance, and one for each part that an alert can be about."""

from functools import cache

from traversion.observability.dashboards import (
    api,
    backups,
    causality,
    overview,
    prometheus,
    redis,
    resources,
    timescaledb,
    websocket,
)
from traversion.observability.rules import Subject, unavailable

_ALL = (overview, api, causality, websocket, timescaledb, backups, redis, resources, prometheus)


@cache
def dashboards(subject: Subject) -> dict[str, str]:
    """Return file names and JSON texts of the dashboards.

    Panels that need a metric which the image does not export, or which comes from an unwatched scrape
    job, are left out, and so are rows and dashboards without panels. The data sources must have the uids
    "prometheus" and "timescaledb".
    """
    missing = unavailable(subject) | subject.unwatched
    boards = (module.DASHBOARD.without(missing) for module in _ALL)
    return {f"{board.uid}.json": board.to_json() for board in boards if board.rows}
