"""The way in: hosts, public certificates, limits, and who must log in where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from traversion.settings.api import TlsProxySettings
from traversion.settings.base import SMALL, Image, Resources, Settings, refuse
from traversion.values import (
    AzureId,
    BodySize,
    Cidr,
    DnsLabel,
    DomainName,
    EmailAddress,
    HttpsOrigin,
    IssuerUrl,
    LabelKey,
    LabelValue,
    ObjectName,
    OneWord,
    SecretKeyName,
)


class SecretReference(Settings):
    """One key of a Secret in the environment's namespace; its value is the operator's to supply."""

    name: ObjectName
    """The Secret."""
    key: SecretKeyName
    """The key in it."""


class Route53(Settings):
    """DNS-01 at AWS Route 53."""

    region: OneWord
    """Region of the API, e.g. "eu-central-1"."""
    hosted_zone_id: OneWord | None = None
    """The zone; None: found by its name, which the key must then be allowed to look up."""
    access_key_id: OneWord
    """The access key of an IAM user that may change the zone's records."""
    secret_access_key: SecretReference
    """Its secret."""


class CloudDns(Settings):
    """DNS-01 at Google Cloud DNS."""

    project: OneWord
    """The project that the zone is in."""
    service_account: SecretReference
    """JSON key of a service account with the role dns.admin."""


class AzureDns(Settings):
    """DNS-01 at Azure DNS, as a service principal that may change the zone."""

    subscription_id: AzureId
    """Subscription of the zone."""
    tenant_id: AzureId
    """Directory of the service principal."""
    client_id: AzureId
    """The service principal."""
    client_secret: SecretReference
    """Its password."""
    resource_group: OneWord
    """Resource group of the zone."""
    hosted_zone: DomainName
    """The zone, e.g. "company.com"."""


class Cloudflare(Settings):
    """DNS-01 at Cloudflare."""

    api_token: SecretReference
    """A token that may edit the zone's DNS."""


class ClientLimits(Settings):
    """What one client address may do, for each replica of the controller."""

    requests_per_second: Annotated[int, Field(ge=1, le=10000)] = 50
    """Requests per second to the API, and as many to each of Grafana, Prometheus and Alertmanager."""
    connections: Annotated[int, Field(ge=1, le=10000)] = 50
    """Connections, or with HTTP/2 requests, at once."""
    websocket_handshakes_per_second: Annotated[int, Field(ge=1, le=10000)] = 5
    """New WebSockets per second."""
    websocket_connections: Annotated[int, Field(ge=1, le=10000)] = 20
    """WebSockets open at once."""
    logins_per_minute: Annotated[int, Field(ge=1, le=10000)] = 20
    """Requests per minute to where passwords are sent: the API's log-in path and Grafana's."""
    burst: Annotated[int, Field(ge=1, le=100)] = 5
    """How many times a rate may be exceeded for a moment."""


class NginxSettings(Settings):
    """What only ingress-nginx does."""

    websocket_timeout_seconds: Annotated[int, Field(ge=300, le=86400)] = 3600
    """Seconds without a frame after which a WebSocket is closed; at least 300."""
    security_headers: bool = False
    """Have the controller set the security headers too. Its ConfigMap must then name them in
    ``global-allowed-response-headers``, or every page is a 503."""


class GatewaySettings(Settings):
    """A Gateway of the Kubernetes Gateway API: its standard channel, as of 1.5 or newer."""

    implementation: Literal["envoy-gateway", "traefik", "other"]
    """Whose pods carry the traffic: decides the defaults of ``ingress.controller_*`` and ``class_name``, and
    what can be had beyond the standard: Traefik limits clients. ``other`` must read the authority of a
    BackendTLSPolicy from a Secret, and know the CORS filter."""


class ProxyOidcSettings(Settings):
    """Log-in to Prometheus and Alertmanager at an OpenID Connect provider, through oauth2-proxy."""

    issuer_url: IssuerUrl
    """The provider, as its discovery document names it, e.g. "https://login.company.com/realms/sre"."""
    client_id: OneWord
    """The client that is registered there, with the redirect URL ``https://monitoring.DOMAIN/oauth2/callback``."""
    client_secret: SecretReference | None = None
    """The client's secret; required."""
    email_domains: Annotated[Sequence[DomainName], Field(min_length=1)]
    """Who may log in: people whose verified address is in one of these domains."""
    groups: Sequence[OneWord] = ()
    """And who is in one of these groups of the provider; empty: no group is asked for."""
    provider_cidrs: Sequence[Cidr] = ()
    """Addresses of a provider that is not on the Internet."""
    image: Image = Image(repository="quay.io/oauth2-proxy/oauth2-proxy", tag="v7.15.6")
    """oauth2-proxy."""
    resources: Resources = SMALL
    """CPU and memory."""
    tls_proxy: TlsProxySettings = TlsProxySettings()
    """What encrypts the connections to it."""

    @model_validator(mode="after")
    def _has_a_secret(self) -> Self:
        if self.client_secret is None:
            raise refuse(
                "client_secret",
                None,
                "is required: name the Secret and the key that hold it, "
                'e.g. SecretReference(name="monitoring-oidc", key="client-secret")',
            )
        return self


class MonitoringAccess(Settings):
    """Who sees Prometheus, Alertmanager and Grafana."""

    allowlist: Sequence[Cidr] = ()
    """Client networks that may ask at all, e.g. ("203.0.113.0/24",); empty: all."""
    oidc: ProxyOidcSettings | None = None
    """Log-in to Prometheus and Alertmanager; None: one user with a generated password (basic
    authentication, by ingress-nginx). Grafana always has its own log-in."""


@dataclass(frozen=True)
class Front:
    """What carries the traffic into the namespace."""

    class_name: str
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)


NGINX_FRONT = Front(
    class_name="nginx",
    namespace="ingress-nginx",
    labels={"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"},
)
GATEWAY_FRONTS: Mapping[str, Front] = {
    # Where its controller starts the proxies of every Gateway, and what it labels them with.
    "envoy-gateway": Front(
        class_name="eg",
        namespace="envoy-gateway-system",
        labels={"app.kubernetes.io/name": "envoy", "app.kubernetes.io/component": "proxy"},
    ),
    # Of its Helm chart; proxy and controller are one.
    "traefik": Front(class_name="traefik", namespace="traefik", labels={"app.kubernetes.io/name": "traefik"}),
}


class IngressSettings(Settings):
    """The way in."""

    mode: Literal["nginx", "gateway"] = "nginx"
    """``nginx``: Ingresses for ingress-nginx. ``gateway``: Gateway API."""
    class_name: DnsLabel | None = None
    """IngressClass or GatewayClass. None: the usual one, ``nginx``, ``eg`` (Envoy Gateway) or ``traefik``."""
    controller_namespace: DnsLabel | None = None
    """Namespace of the pods that carry the traffic; only they may reach the API, Grafana and Prometheus.
    None: the usual one, ``ingress-nginx``, ``envoy-gateway-system`` or ``traefik``."""
    controller_labels: Mapping[LabelKey, LabelValue] = {}
    """Labels of these pods; empty: the usual ones."""
    controller_cidrs: Sequence[Cidr] = ()
    """Addresses from which traffic comes instead, where no pods carry it: load balancers of a cloud, or nodes
    whose network the proxies share."""
    nginx: NginxSettings | None = None
    """What only ingress-nginx does; refused in mode ``gateway``."""
    gateway: GatewaySettings | None = None
    """The Gateway; required in mode ``gateway``, refused in mode ``nginx``."""
    issuer: Literal["self-signed", "letsencrypt-staging", "letsencrypt"] = "letsencrypt"
    """Who signs the public certificates. Let's Encrypt needs ``acme_email``."""
    acme_email: EmailAddress | None = None
    """Mailbox that the certificate authority warns."""
    dns01: Route53 | CloudDns | AzureDns | Cloudflare | None = None
    """Prove the domain by DNS records (DNS-01) at this provider; None: by HTTP on port 80 (HTTP-01)."""
    wildcard: bool = False
    """One certificate for all hosts below the domain instead of one for each. Needs ``dns01``."""
    cors_origins: Sequence[HttpsOrigin] = ()
    """Web origins besides the API's own that browsers may call it from."""
    limits: ClientLimits | None = ClientLimits()
    """Limits for each client; None: somebody in front of the cluster limits them."""
    body_size: BodySize = "50m"
    """Largest request body to the API in nginx notation ("50m" is 50 MiB)."""
    allowlist: Sequence[Cidr] = ()
    """Client networks that may use the API and its WebSockets; empty: all."""
    monitoring: MonitoringAccess = MonitoringAccess()
    """Who sees Prometheus, Alertmanager and Grafana."""

    @property
    def front(self) -> Front:
        """What carries the traffic: the usual for mode and implementation, where nothing else is said."""
        usual = NGINX_FRONT
        if self.gateway:
            usual = GATEWAY_FRONTS.get(self.gateway.implementation, Front(class_name="gateway"))
        return Front(
            class_name=self.class_name or usual.class_name,
            namespace=self.controller_namespace or usual.namespace,
            labels=self.controller_labels or usual.labels,
        )

    @model_validator(mode="after")
    def _acme_can_prove_the_hosts(self) -> Self:
        if self.issuer == "self-signed":
            if self.dns01:
                raise refuse(
                    "dns01",
                    type(self.dns01).__name__,
                    'nobody asks for a proof with issuer = "self-signed": remove it, or change the issuer',
                )
            return self
        if self.acme_email is None:
            raise refuse(
                "acme_email",
                None,
                f'is required for issuer = "{self.issuer}": write the mailbox of the on-call team',
            )
        if self.wildcard and self.dns01 is None:
            raise refuse(
                "wildcard",
                value=True,
                remedy="a wildcard is proven by DNS only: set dns01, e.g. to Cloudflare(...), or remove it",
            )
        return self

    @model_validator(mode="after")
    def _mode_has_its_own_settings(self) -> Self:
        if self.mode == "nginx" and self.gateway:
            raise refuse(
                "gateway",
                f'GatewaySettings(implementation="{self.gateway.implementation}")',
                'is for mode = "gateway" only: set the mode, or remove it',
            )
        if self.mode == "gateway" and self.nginx:
            raise refuse(
                "nginx",
                "NginxSettings(...)",
                'only ingress-nginx does what is set there: remove it, or set mode = "nginx"',
            )
        if self.mode == "gateway" and self.gateway is None:
            raise refuse(
                "gateway",
                None,
                'is required for mode = "gateway": write GatewaySettings(implementation="envoy-gateway"), '
                '"traefik" or "other"',
            )
        return self

    @model_validator(mode="after")
    def _controller_is_known(self) -> Self:
        if self.controller_cidrs and (self.controller_namespace or self.controller_labels):
            raise refuse(
                "controller_cidrs",
                self.controller_cidrs,
                "traffic comes from addresses or from pods: remove it, or controller_namespace and "
                "controller_labels",
            )
        if not self.gateway or self.gateway.implementation != "other":
            return self
        if self.class_name is None:
            raise refuse(
                "class_name",
                None,
                'is required for gateway.implementation = "other": name the GatewayClass (kubectl get '
                "gatewayclass)",
            )
        if not self.controller_cidrs and not (self.controller_namespace and self.controller_labels):
            raise refuse(
                "controller_namespace",
                self.controller_namespace,
                'with gateway.implementation = "other" nobody knows its pods: set controller_namespace and '
                "controller_labels, or controller_cidrs",
            )
        return self

    @model_validator(mode="after")
    def _gateway_keeps_what_is_promised(self) -> Self:
        """Refuse what the Gateway API has no words for, unless the implementation's own resources do."""
        if self.gateway is None:
            return self
        if self.monitoring.oidc is None:
            raise refuse(
                "monitoring.oidc",
                None,
                'is required for mode = "gateway", which knows no basic authentication: write '
                "ProxyOidcSettings(...)",
            )
        if self.gateway.implementation == "traefik":
            return self
        promised = {
            "limits": (
                self.limits,
                "no limits for a client: set it to None once something in front of the cluster has them",
            ),
            "allowlist": (
                self.allowlist,
                "no allow-list: remove it, and let the load balancer's firewall keep others out",
            ),
            "monitoring.allowlist": (
                self.monitoring.allowlist,
                "no allow-list: remove it, and let the load balancer's firewall keep others out",
            ),
        }
        for setting, (value, remedy) in promised.items():
            if value:
                shown = "ClientLimits(...)" if isinstance(value, ClientLimits) else value
                raise refuse(
                    setting,
                    shown,
                    f'Gateway API has {remedy}; gateway.implementation = "traefik" and mode = "nginx" can '
                    "keep it",
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
