"""Texts that end up in a configuration file, a header or a query, and must not be misread there."""

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from traversion.values.checking import matching, refusal, unlike


def _check_expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise refusal("a pattern of metric names", f"correct the regular expression ({error})") from error
    return pattern


PemCertificate: TypeAlias = Annotated[
    str,
    matching(
        r"(\s*-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+",
        "a certificate",
        'paste the PEM of the authority, from "-----BEGIN CERTIFICATE-----" to "-----END CERTIFICATE-----"',
        longest=100_000,
    ),
]
"""One or more certificates in PEM. They are public: no key belongs here."""

MetricLabel: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z_][A-Za-z0-9_]*",
        "a label of metrics",
        'use letters, digits and "_", e.g. "cluster"',
        longest=63,
    ),
    unlike("__.*", "a label to set", "Prometheus keeps names that begin with two underscores for itself"),
]
"""The name of a label in Prometheus."""

PlainText: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z0-9 ._:/@+=-]+",
        "plain text",
        "use letters, digits, spaces and . _ : / @ + = - only",
        longest=128,
    ),
]
"""A short text that no configuration file, template or shell misreads."""

MetricPattern: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z0-9_:.*+?|()\[\]-]+",
        "a pattern of metric names",
        'write a regular expression of whole names, e.g. "traversion_.*|up"',
        longest=1000,
    ),
    AfterValidator(_check_expression),
]
"""A regular expression that the whole name of a metric matches."""

HeaderName: TypeAlias = Annotated[
    str,
    matching(r"[A-Za-z][A-Za-z0-9-]*", "an HTTP header", 'write its name, e.g. "X-Scope-OrgID"'),
    unlike(
        "(?i)authorization|cookie|host|content-.*|x-prometheus-remote-write-version|user-agent",
        "a header to set",
        "Prometheus sets it; credentials come from the Secret",
    ),
]
"""The name of an HTTP header that may be added."""
