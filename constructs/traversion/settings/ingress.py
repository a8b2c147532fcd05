"""The way in: hosts, public certificates, limits."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from traversion.settings.base import Settings, refuse
from traversion.values import BodySize, DnsLabel, EmailAddress, HttpsOrigin


class IngressSettings(Settings):
    """The way in."""

    class_name: DnsLabel = "nginx"
    """IngressClass of the ingress-nginx controller."""
    controller_namespace: DnsLabel = "ingress-nginx"
    """Namespace the controller's pods run in; only they may reach the API, Grafana and Prometheus."""
    issuer: Literal["self-signed", "letsencrypt-staging", "letsencrypt"] = "letsencrypt"
    """Who signs the public certificates. Let's Encrypt needs ``acme_email``."""
    acme_email: EmailAddress | None = None
    """Mailbox that the certificate authority warns."""
    cors_origins: Sequence[HttpsOrigin] = ()
    """Web origins besides the API's own that browsers may call it from."""
    requests_per_second: Annotated[int, Field(ge=1, le=10000)] = 50
    """Requests per second and client address, per controller replica; five times that in a burst."""
    connections: Annotated[int, Field(ge=1, le=10000)] = 50
    """Connections at once per client address, per controller replica."""
    body_size: BodySize = "50m"
    """Largest request body in nginx notation ("50m" is 50 MiB)."""
    websocket_timeout_seconds: Annotated[int, Field(ge=300, le=86400)] = 3600
    """Seconds without a frame after which a WebSocket is closed; at least 300."""

    @model_validator(mode="after")
    def _acme_has_a_mailbox(self) -> Self:
        if self.issuer != "self-signed" and self.acme_email is None:
            raise refuse(
                "acme_email",
                None,
                f'is required for issuer = "{self.issuer}": write the mailbox of the on-call team',
            )
        return self


class Hosts(Settings):
    """The public host names of one environment."""

    api: str
    websocket: str
    monitoring: str
    grafana: str

    @classmethod
    def under(cls, domain: str) -> Self:
        """Name the hosts below a domain."""
        return cls(
            api=f"api.{domain}",
            websocket=f"ws.{domain}",
            monitoring=f"monitoring.{domain}",
            grafana=f"grafana.{domain}",
        )
