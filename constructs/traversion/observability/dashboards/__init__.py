"""The dashboards of Grafana: the service at a glance, what it is for, its data, its resources."""

from functools import cache

from traversion.contract import Contract
from traversion.observability.dashboards import causality, data, overview, resources
from traversion.observability.rules import unavailable


@cache
def dashboards(contract: Contract, unwatched: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return file names and JSON texts of the dashboards for an image with this contract.

    Panels that need a metric which the image does not export, or which comes from an ``unwatched`` scrape
    job, are left out, and so are rows and dashboards without panels. The data sources must have the uids
    "prometheus" and "timescaledb".
    """
    missing = unavailable(contract, unwatched)
    boards = (module.DASHBOARD.without(missing) for module in (overview, causality, data, resources))
    return {f"{board.uid}.json": board.to_json() for board in boards if board.rows}
