"""What is not in the catalogue of metrics cannot be asked for: the import fails, nothing is synthesized."""

import pytest

from traversion.observability.dashboards.queries import PromQl, chosen
from traversion.observability.metrics import CATALOGUE, JOBS, PG_UP, demand
from traversion.observability.rules.rule import Alert, Recording


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("pg_upp == 0", "pg_upp is not in the catalogue"),
        ("rate(redis_evicted_total[5m])", "redis_evicted_total is not in the catalogue"),
        ("traversion:http_request:rate5m > 1", "traversion:http_request:rate5m is not in the catalogue"),
        ('pg_up{database="x"}', "pg_up has no label database"),
        ("sum by (colour) (pg_up)", "no series has the label colour"),
        ("pg_up and on (tenant_id) redis_up", "no series has the label tenant_id"),
        ("rate(pg_up[5m)", "pg_up"),
    ],
)
def test_a_query_for_what_nobody_exports_is_refused(query: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        demand(query)
    for make in (
        lambda: PromQl(query),
        lambda: Alert("Example", "api", query, "summary", "description."),
        lambda: Recording("api:example:sum", query),
    ):
        with pytest.raises(ValueError, match=complaint):
            make()


def test_a_legend_names_labels_that_the_series_have() -> None:
    PromQl("sum by (db) (redis_db_keys)", "{{db}}")
    with pytest.raises(ValueError, match="no series has the label database"):
        PromQl("sum by (db) (redis_db_keys)", "{{database}}")


def test_a_selector_has_the_labels_of_its_family() -> None:
    assert PG_UP.where('pod="a"') == 'pg_up{job="timescaledb",pod="a"}'
    with pytest.raises(ValueError, match="pg_up has no label 'colour'"):
        PG_UP.where('colour="red"')


def test_everybody_who_exports_is_named() -> None:
    names = [family.name for family in CATALOGUE]
    assert len(names) == len(set(names))
    assert {family.job for family in CATALOGUE} <= {job.name for job in JOBS} | {""}
    assert all(family.help for family in CATALOGUE)
    assert all(job.exporter for job in JOBS)


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        (
            f"{PG_UP}",
            'pg_up{environment=~"$environment",namespace=~"$namespace",job="timescaledb"}',
        ),
        (
            'sum(prometheus_tsdb_head_series{job="prometheus"})',
            'sum(prometheus_tsdb_head_series{environment=~"$environment",job="prometheus"})',
        ),
        (
            'traversion:events:rate5m / (redis:memory_used:ratio{x="a:b"} > 0)',
            (
                'traversion:events:rate5m{environment=~"$environment"} '
                '/ (redis:memory_used:ratio{environment=~"$environment",x="a:b"} > 0)'
            ),
        ),
        ("vector(1)", "vector(1)"),
    ],
)
def test_dashboards_ask_for_what_is_chosen(query: str, sent: str) -> None:
    assert chosen(query) == sent
