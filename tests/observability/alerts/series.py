"""What the scenarios of several subjects share: the notation of some series."""

from collections.abc import Sequence

from tests.observability.alerts.case import Labels

ONCE: Sequence[Labels] = ({},)
"""One alert without labels of its own."""

KSM = 'job="kube-state-metrics",namespace="n",instance="ksm"'
KSM_LABELS = {"job": "kube-state-metrics", "namespace": "n", "instance": "ksm"}


def up(pod: str, job: str = "traversion") -> str:
    """Return the series that tells whether the scrape of a pod succeeded."""
    return f'up{{job="{job}",instance="{pod}:9090",namespace="n",pod="{pod}"}}'


def histogram(name: str, labels: str, **per_scrape: int) -> dict[str, str]:
    """Return buckets that grow: ``le2=90`` is 90 observations of up to 2 with each scrape."""
    return {
        f'{name}_bucket{{job="traversion",{labels},le="{_bound(le)}"}}': f"0+{count}x80"
        for le, count in per_scrape.items()
    }


def _bound(keyword: str) -> str:
    return {"inf": "+Inf"}.get(keyword, keyword.removeprefix("le").replace("_", "."))
