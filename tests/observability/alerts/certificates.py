"""Certificates that are not renewed, about to expire, not ready, or not watched."""

from tests.observability.alerts.case import Case
from tests.observability.alerts.series import KSM, KSM_LABELS, ONCE, up

_DAY = 24 * 3600
_NAME = 'certificate="timescaledb-tls"'
_LABELS = ({**KSM_LABELS, "certificate": "timescaledb-tls"},)
_EXPIRES = f"kube_certificate_expiration_timestamp_seconds{{{KSM},{_NAME}}}"
_READY = f'kube_certificate_condition{{{KSM},{_NAME},condition="Ready"}}'
_KSM_UP = up("ksm", "kube-state-metrics")

CASES = (
    Case(
        "CertificateExpiresSoon",
        "ten days after it should have been renewed",
        {_EXPIRES: f"{20 * _DAY - 1}x300"},
        {"1h": _LABELS},
        silent=("30s", "59m45s"),
    ),
    Case(
        "CertificateExpiresSoon",
        "it is renewed in time",
        {_EXPIRES: f"{22 * _DAY}x300"},
        {},
        silent=("1h5m",),
        shows="below",
    ),
    Case(
        "CertificateAboutToExpire",
        "less than three days are left",
        {_EXPIRES: f"{3 * _DAY - 1}x60"},
        {"5m": _LABELS},
        silent=("30s", "4m45s"),
    ),
    Case(
        "CertificateAboutToExpire",
        "it has expired already",
        {_EXPIRES: "-60x60"},
        {"5m": _LABELS},
    ),
    Case(
        "CertificateAboutToExpire",
        "three days and an hour are left",
        {_EXPIRES: f"{3 * _DAY + 3600}x60"},
        {},
        silent=("10m",),
        shows="below",
    ),
    Case(
        "CertificateNotReady",
        "for a quarter of an hour",
        {_READY: "0x80"},
        {"15m": ({**_LABELS[0], "condition": "Ready"},)},
        silent=("30s", "14m45s"),
    ),
    Case(
        "CertificateNotReady",
        "another one is being issued beside it",
        {_READY: "1x80", _READY.replace('"Ready"', '"Issuing"'): "0x80"},
        {},
        silent=("16m",),
        shows="below",
    ),
    Case(
        "CertificatesUnwatched",
        "kube-state-metrics may not read them",
        {_KSM_UP: "1x80"},
        {"15m": ONCE},
        silent=("14m45s",),
    ),
    Case(
        "CertificatesUnwatched",
        "it may",
        {_KSM_UP: "1x80", _EXPIRES: f"{60 * _DAY}x80"},
        {},
        silent=("16m",),
        shows="below",
    ),
)
