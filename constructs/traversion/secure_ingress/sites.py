"""What the way in offers, whatever carries it: which path of which host leads where, and what holds there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from traversion.platform.certificates import ServingCertificate

CORS_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CORS_HEADERS = ("Authorization", "Content-Type", "X-Request-ID")
CORS_SECONDS = 7200

STRICT_TRANSPORT_SECURITY = "max-age=31536000; includeSubDomains"
"""A year of HTTPS only. It is what ingress-nginx sends unless its ConfigMap says otherwise."""


@dataclass(frozen=True)
class Backend:
    """A port of a Service; with a certificate, it is spoken to in TLS only, and verified."""

    service: str
    port: int
    port_name: str
    certificate: ServingCertificate | None = None


@dataclass(frozen=True)
class Limit:
    """What one client address may do, for each replica of the controller."""

    requests: int
    per: Literal["second", "minute"]
    connections: int
    burst: int


@dataclass(frozen=True)
class Site:
    """A path of a host, with all below it."""

    name: str
    """What it is for, in a word; objects are named after it."""
    host: str
    path: str
    backend: Backend
    certificate: str
    """The Secret with the host's public certificate."""
    limit: Limit | None
    allowlist: Sequence[str] = ()
    """Networks of clients that may ask; empty: all."""
    origins: Sequence[str] = ()
    """Web origins whose pages may call it; empty: its own only."""
    body_size: str | None = None
    websocket: bool = False
    log_in_with: str | None = None
    """The Secret with the users of basic authentication, in its key ``auth``."""
    sticky: bool = False
    """Whether a person stays with one replica; what passes the Service by has to see to it."""
