from decimal import Decimal

import pytest

from traversion.verify.quantity import brief, quantity, shown


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("250m", "0.25"),
        ("1.5Gi", "1610612736"),
        ("2e3", "2000"),
        ("1E", "1e18"),
        ("1E3", "1000"),
        ("12M", "12000000"),
        (".5", "0.5"),
        ("-1", "-1"),
        ("0", "0"),
        (2, "2"),
        (0.5, "0.5"),
    ],
)
def test_reads_what_the_api_server_reads(written: object, amount: str) -> None:
    assert quantity(written) == Decimal(amount)


@pytest.mark.parametrize(
    "written",
    [
        *("512MB", "1 Gi", "1Gib", "2cores", "", "Gi", "1e999", "9" * 50, "k"),
        *(None, True, [], {}, float("nan"), float("inf"), 10**400, -(10**40)),
    ],
)
def test_reads_nothing_else(written: object) -> None:
    assert quantity(written) is None


@pytest.mark.parametrize(
    ("amount", "resource", "text"),
    [
        ("0.25", "requests.cpu", "250m"),
        ("85.05", "cpu", "85.05"),
        ("20", "limits.cpu", "20"),
        ("1610612736", "memory", "1.5Gi"),
        ("0", "requests.storage", "0"),
        ("21", "pods", "21"),
    ],
)
def test_writes_as_people_do(amount: str, resource: str, text: str) -> None:
    assert shown(Decimal(amount), resource) == text


def test_shows_any_value() -> None:
    assert brief("x" * 100) == "'" + "x" * 39
    assert brief(16**5000) == "a huge number"
