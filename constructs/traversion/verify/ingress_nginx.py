"""The annotations of ingress-nginx and the form of their values.

For controller v1.15.1, the project's last release (2026-03-19), from kubernetes/ingress-nginx:
docs/user-guide/nginx-configuration/annotations{,-risk}.md and the validators in internal/ingress/annotations.
"""

import re
from collections.abc import Callable, Mapping

PREFIX = "nginx.ingress.kubernetes.io/"

_TEXTS = """
affinity-mode app-root auth-cache-duration auth-cache-key auth-method auth-proxy-set-headers auth-realm
auth-request-redirect auth-response-headers auth-secret auth-signin auth-signin-redirect-param
auth-tls-error-page auth-tls-match-cn auth-tls-secret auth-tls-verify-client auth-url canary-by-cookie
canary-by-header canary-by-header-pattern canary-by-header-value connection-proxy-header cors-allow-headers
cors-allow-methods cors-allow-origin cors-expose-headers custom-headers custom-http-errors default-backend
fastcgi-index fastcgi-params-configmap load-balance mirror-host mirror-request-body mirror-target
modsecurity-transaction-id opentelemetry-operation-name permanent-redirect proxy-cookie-domain
proxy-cookie-path proxy-next-upstream proxy-redirect-from proxy-redirect-to proxy-ssl-ciphers proxy-ssl-name
proxy-ssl-protocols proxy-ssl-secret rewrite-target server-alias session-cookie-domain session-cookie-expires
session-cookie-max-age session-cookie-name session-cookie-path session-cookie-samesite ssl-ciphers
temporal-redirect upstream-hash-by upstream-vhost x-forwarded-prefix
"""
_BOOLEANS = """
auth-always-set-cookie auth-keepalive-share-vars auth-tls-pass-certificate-to-upstream canary
cors-allow-credentials disable-proxy-intercept-errors enable-access-log enable-cors enable-global-auth
enable-modsecurity enable-opentelemetry enable-owasp-core-rules enable-rewrite-log force-ssl-redirect
from-to-www-redirect http2-push-preload opentelemetry-trust-incoming-span preserve-trailing-slash
relative-redirects service-upstream session-cookie-change-on-failure
session-cookie-conditional-samesite-none session-cookie-partitioned session-cookie-secure ssl-passthrough
ssl-prefer-server-ciphers ssl-redirect upstream-hash-by-subset use-port-in-redirects use-regex
"""
_NUMBERS = """
auth-keepalive auth-keepalive-requests auth-keepalive-timeout auth-tls-verify-depth canary-weight
canary-weight-total cors-max-age limit-burst-multiplier limit-connections limit-rate limit-rate-after
limit-rpm limit-rps permanent-redirect-code proxy-buffers-number proxy-connect-timeout
proxy-next-upstream-timeout proxy-next-upstream-tries proxy-read-timeout proxy-send-timeout
proxy-ssl-verify-depth temporal-redirect-code upstream-hash-by-subset-size
"""
_SIZES = """
client-body-buffer-size proxy-body-size proxy-buffer-size proxy-busy-buffers-size proxy-max-temp-file-size
"""
_SWITCHES = "proxy-buffering proxy-request-buffering proxy-ssl-server-name proxy-ssl-verify"
_RANGES = """
allowlist-source-range denylist-source-range limit-allowlist limit-whitelist whitelist-source-range
"""
_OPTIONS = {
    "affinity": ("cookie",),
    "affinity-canary-behavior": ("sticky", "legacy"),
    "auth-secret-type": ("auth-file", "auth-map"),
    "auth-type": ("basic", "digest"),
    "backend-protocol": ("HTTP", "HTTPS", "AUTO_HTTP", "GRPC", "GRPCS", "AJP", "FCGI"),
    "proxy-http-version": ("1.0", "1.1"),
    "satisfy": ("any", "all"),
}

SNIPPETS = frozenset(
    {"auth-snippet", "configuration-snippet", "modsecurity-snippet", "server-snippet", "stream-snippet"}
)
"""Of critical risk: refused unless the administrator allows snippets (1.9) and that risk (1.12)."""

_REMOVED_IN_1_12: tuple[str, ...] = (
    *("enable-opentracing", "opentracing-trust-incoming-span", "opentracing-operation-name"),
    *("global-rate-limit", "global-rate-limit-window", "global-rate-limit-key"),
    "global-rate-limit-ignored-cidrs",
)
_REMOVED_IN_1_9: tuple[str, ...] = (
    *("enable-influxdb", "influxdb-host", "influxdb-measurement", "influxdb-port"),
    "influxdb-server-name",
)
REMOVED: Mapping[str, str] = {
    **dict.fromkeys(_REMOVED_IN_1_12, "removed from the controller in 1.12"),
    **dict.fromkeys(_REMOVED_IN_1_9, "removed from the controller in 1.9"),
}
"""Annotations of older releases."""

MEANT: Mapping[str, str] = {
    "cors-allow-method": "write cors-allow-methods",
    "cors-origin": "write cors-allow-origin",
    "proxy-timeout": "write proxy-read-timeout and proxy-send-timeout",
    "rate-limit": "write limit-rps (requests per second of a client) or limit-rpm (per minute)",
    "rate-limit-burst": "write limit-burst-multiplier",
    "rate-limit-window": "write limit-rps (requests per second of a client) or limit-rpm (per minute)",
    "secure-backends": 'write backend-protocol: "HTTPS"',
    "websocket-services": "remove it: WebSockets need only long proxy-read-timeout and proxy-send-timeout",
}
"""What people write instead, as other controllers have it, and what it should be."""


def _is_range(value: str) -> bool:
    parts = [part.strip() for part in value.split(",")]
    return all(re.fullmatch(r"[0-9a-fA-F.:]+(/\d{1,3})?", part) for part in parts)


# strconv.ParseBool, strconv.Atoi, SizeRegex, the on/off options, ParseCIDRs.
_FORMS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    _BOOLEANS: (
        {"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"}.__contains__,
        '"true" or "false"',
    ),
    _NUMBERS: (lambda value: bool(re.fullmatch(r"[+-]?\d+", value)), "a whole number without a unit"),
    _SIZES: (
        lambda value: bool(re.fullmatch(r"\d+[bkmgBKMG]?", value.replace(" ", ""))),
        'a number with k, m or g, such as "8m"',
    ),
    _SWITCHES: (lambda value: value.strip() in {"on", "off"}, '"on" or "off"'),
    _RANGES: (_is_range, "addresses or ranges such as 10.0.0.0/8, separated by commas"),
}
_KNOWN = {name: form for names, form in _FORMS.items() for name in names.split()}


def is_known(name: str) -> bool:
    """Tell whether the controller reads an annotation."""
    return name in _KNOWN or name in _OPTIONS or name in SNIPPETS or name in _PLAIN


def fault(name: str, value: str) -> str:
    """Return what an annotation's value must be; empty when it is. The controller takes empty values."""
    if not value:
        return ""
    if name in _OPTIONS:
        options = _OPTIONS[name]
        given = value.strip().upper() if name == "backend-protocol" else value.strip()
        return "" if given in options else "one of " + ", ".join(options)
    if name in _KNOWN:
        is_right, form = _KNOWN[name]
        return "" if is_right(value) else form
    return ""


_PLAIN = frozenset(_TEXTS.split())
