"""Notations are read as Kubernetes, Prometheus and cron read them, whatever the number."""

import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from traversion import values
from traversion.values import (
    bytes_of,
    format_bytes,
    format_millicores,
    millicores_of,
    seconds_of,
)

# Written out by hand: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
BYTES = {
    "k": 1_000,
    "M": 1_000_000,
    "G": 1_000_000_000,
    "T": 1_000_000_000_000,
    "Ki": 1_024,
    "Mi": 1_048_576,
    "Gi": 1_073_741_824,
    "Ti": 1_099_511_627_776,
}
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}

# A domain of values is found quickly; time is for the synthesis.
quick = settings(deadline=None, max_examples=60)


def accepts(kind: Any, text: object) -> bool:  # noqa: ANN401 # an annotation
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True


@quick
@given(st.decimals(min_value=1, max_value=10_000, places=3), st.sampled_from(sorted(BYTES)))
def test_sizes_are_exact(number: object, unit: str) -> None:
    assert bytes_of(f"{number}{unit}") == int(Fraction(str(number)) * BYTES[unit])


@quick
@given(st.integers(min_value=1, max_value=2**50))
def test_bytes_survive_a_round_trip(number: int) -> None:
    text = format_bytes(number)
    digits, unit = re.fullmatch(r"(\d+)(\D*)", text).groups()  # type: ignore[union-attr] # fails the test
    assert int(digits) * BYTES.get(unit, 1) == number
    assert unit == "Ti" or int(digits) % 1024, f"{text} fits a larger unit"


@quick
@given(st.integers(min_value=1, max_value=10**7))
def test_millicores_survive_a_round_trip(number: int) -> None:
    assert millicores_of(format_millicores(number)) == number
    assert accepts(values.CpuAmount, format_millicores(number))


@quick
@given(st.decimals(min_value="0.001", max_value=1000, places=3))
def test_cores_are_thousandths(number: object) -> None:
    assert millicores_of(str(number)) == Fraction(str(number)) * 1000


@quick
@given(st.integers(min_value=1, max_value=10**6), st.sampled_from(sorted(SECONDS)))
def test_periods_are_seconds(number: int, unit: str) -> None:
    century = 100 * SECONDS["y"]
    assert accepts(values.Period, f"{number}{unit}") is (number * SECONDS[unit] <= century)
    assert seconds_of(f"{number}{unit}") == number * SECONDS[unit]


@quick
@given(st.text(max_size=12))
def test_whatever_is_accepted_can_be_calculated_with(text: str) -> None:
    """No text passes a check and then breaks the synthesis, or means something else to Kubernetes."""
    for kind, measure in (
        (values.MemorySize, bytes_of),
        (values.StorageSize, bytes_of),
        (values.CpuAmount, millicores_of),
        (values.Period, seconds_of),
    ):
        if accepts(kind, text):
            assert measure(text) > 0
            assert text.isascii()


@pytest.mark.parametrize(
    ("kind", "unit"), [("MemorySize", "Gi"), ("StorageSize", "Gi"), ("CpuAmount", "m"), ("Period", "d")]
)
def test_only_the_digits_of_ascii_are_digits(kind: str, unit: str) -> None:
    assert accepts(getattr(values, kind), f"7{unit}")
    assert not accepts(getattr(values, kind), f"\N{ARABIC-INDIC DIGIT SEVEN}{unit}")


@quick
@given(st.from_regex(r"\A[a-z0-9.-]{1,80}\Z"))
def test_accepted_domains_are_host_names(text: str) -> None:
    """Against the rules of RFC 1123, label by label."""
    labels = text.split(".")
    fine = len(labels) > 1 and all(
        1 <= len(label) <= 63 and label[0] != "-" and label[-1] != "-" for label in labels
    )
    if accepts(values.DomainName, text):
        assert fine
    elif fine:
        assert not labels[-1][0].isalpha() or len(labels[-1]) < 2 or len(text) > 240


@quick
@given(st.from_regex(r"\A[A-Za-z0-9.-]{0,70}\Z"))
def test_accepted_labels_are_labels(text: str) -> None:
    fine = (
        bool(text) and len(text) <= 63 and text.replace("-", "").isalnum() and text.islower() | text.isdigit()
    )
    fine = fine and text == text.lower() and text[0] != "-" and text[-1] != "-"
    assert not accepts(values.DnsLabel, text) or (fine or not re.search("[a-z]", text))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("0 2 * * *", True),
        ("*/5 * * * *", True),
        ("0 0 1 JAN *", True),
        ("0 0 * * SUN", True),
        ("0 0 * * 0-6", True),
        ("15,45 8-18/2 * * MON-FRI", True),
        ("0 0 * * 7", False),
        ("60 0 * * *", False),
        ("0 0 0 * *", False),
        ("0 0 * 13 *", False),
        ("0 0 ? * *", False),
        ("@hourly", False),
        ("TZ=UTC 0 0 * * *", False),
        ("", False),
    ],
)
def test_schedules_are_those_of_kubernetes(text: str, right: bool) -> None:  # noqa: FBT001 # a table
    assert accepts(values.CronSchedule, text) is right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("registry.company.com/team/app", True),
        ("registry.company.com:5000/app", True),
        ("app", True),
        ("registry.company.com/app:1.0", False),
        ("app:1", False),
        ("registry.company.com:5000", False),
        ("Registry/App", False),
        ("registry//app", False),
        ("registry/app/", False),
        ("app@sha256:abc", False),
        ("-app", False),
        ("", False),
    ],
)
def test_repositories_can_be_followed_by_a_tag(text: str, right: bool) -> None:  # noqa: FBT001 # a table
    assert accepts(values.ImageRepository, text) is right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("https://app.company.com", True),
        ("https://app.company.com:8443", True),
        ("http://app.company.com", False),
        ("https://app.company.com/", False),
        ("https://app.company.com,https://evil.com", False),
        ("https://*.company.com", False),
        ("https://", False),
        ("https://.", False),
        ("https://app.company.com:99999", False),
        ("null", False),
    ],
)
def test_origins_are_single_sites(text: str, right: bool) -> None:  # noqa: FBT001 # a table
    assert accepts(values.HttpsOrigin, text) is right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("sre@company.com", True),
        ("sre+alerts@mail.company.co.uk", True),
        ("SRE@company.com", True),
        ("sre", False),
        ("sre@company", False),
        ("sre@@company.com", False),
        ("a@company.com,b@company.com", False),
        ("a,b@company.com", False),
        ("sre@example.com", False),
        ("sre@.com", False),
        ("", False),
    ],
)
def test_mailboxes_are_single_and_real(text: str, right: bool) -> None:  # noqa: FBT001 # a table
    assert accepts(values.EmailAddress, text) is right
