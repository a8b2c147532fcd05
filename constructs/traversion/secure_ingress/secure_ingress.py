"""The way in: which hosts there are, what holds for each, and what carries the traffic."""

from dataclasses import replace
from typing import TYPE_CHECKING

from constructs import Construct

from traversion.api import TraversionApi
from traversion.observability import Alertmanager, Grafana, ObservabilityStack, Prometheus
from traversion.platform import Platform
from traversion.platform.component import Component
from traversion.platform.flows import Addresses, Endpoint, Pods
from traversion.secure_ingress.basic_auth import basic_auth_users
from traversion.secure_ingress.certificates import PublicCertificates
from traversion.secure_ingress.nginx import NginxFront, ingress_name
from traversion.secure_ingress.oauth2_proxy import OAuth2Proxy
from traversion.secure_ingress.sites import Backend, Limit, Site
from traversion.settings import Hosts, IngressSettings, NginxSettings

if TYPE_CHECKING:
    from traversion.secure_ingress.gateway import GatewayFront


class SecureIngress(Construct):
    """Four hosts, each with a certificate that cert-manager renews, behind ingress-nginx or a Gateway.

    A site is a path of a host with limits of its own: ``api``, ``login`` and ``websocket``; ``monitoring``
    and ``alertmanager``, both behind a log-in; ``grafana`` and ``grafana-login``, which has its own. Mode
    ``nginx`` creates an Ingress for each, mode ``gateway`` the Gateway ``traversion-gateway`` and an
    HTTPRoute for each. Both create the issuer, the certificates and the flows.
    """

    def __init__(
        self,
        platform: Platform,
        settings: IngressSettings,
        *,
        hosts: Hosts,
        api: TraversionApi,
        observability: ObservabilityStack,
    ) -> None:
        """Create the way in to the API and to what watches it."""
        super().__init__(platform, "ingress")
        self._settings = settings
        self._platform = platform
        self._hosts = hosts
        self.component = platform.make_component("traversion-ingress", "ingress")
        self._carrier = self._who_carries_traffic()
        self._certificates = PublicCertificates(self, platform, settings, self.component)
        front = self._front()
        self._certificates.issue(self._carrier, front.http01())
        sites = self._api(api)
        # Where the cluster's operator watches, it has its own ways in.
        if observability.prometheus and observability.alertmanager:
            sites += self._monitoring(observability.prometheus, observability.alertmanager)
        if observability.grafana:
            sites += self._grafana(observability.grafana)
        front.open(sites)

    def _who_carries_traffic(self) -> Endpoint:
        settings = self._settings
        if settings.controller_cidrs:
            return Addresses("load-balancers", settings.controller_cidrs)
        name = "gateway" if settings.gateway else "ingress-nginx"
        return Pods(name, settings.front.labels, settings.front.namespace)

    def _front(self) -> "NginxFront | GatewayFront":
        settings = self._settings
        if settings.gateway is None:
            nginx = settings.nginx or NginxSettings()
            return NginxFront(self, self.component, settings.front.class_name, nginx)
        from traversion.secure_ingress.gateway import GatewayFront  # noqa: PLC0415 # only this mode needs it

        return GatewayFront(self, self.component, settings.front.class_name, settings.gateway.implementation)

    def _api(self, api: TraversionApi) -> list[Site]:
        settings, hosts = self._settings, self._hosts
        self._admit(api.component, *api.request_ports)
        http = Backend(api.host, api.http_port, "http", api.certificate)
        site = self._site("api", hosts.api, "/", http, self._request_limit())
        site = replace(
            site,
            allowlist=settings.allowlist,
            origins=[f"https://{hosts.api}", *settings.cors_origins],
            body_size=settings.body_size,
        )
        websocket = Backend(api.host, api.websocket_port, "websocket", api.certificate)
        path = api.contract.websocket_path
        return [
            site,
            replace(site, name="login", path=api.contract.login_path, limit=self._login_limit()),
            replace(
                self._site("websocket", hosts.websocket, path, websocket, self._websocket_limit()),
                allowlist=settings.allowlist,
                websocket=True,
            ),
        ]

    def _monitoring(self, prometheus: Prometheus, alertmanager: Alertmanager) -> list[Site]:
        access, host = self._settings.monitoring, self._hosts.monitoring
        if access.oidc:
            proxy = OAuth2Proxy(
                self,
                self._platform,
                access.oidc,
                public_host=host,
                upstreams={"/": prometheus, f"{alertmanager.path}/": alertmanager},
            )
            self._admit(proxy.component, proxy.port)
            site = self._site("monitoring", host, "/", proxy.backend, self._request_limit())
            return [replace(site, allowlist=access.allowlist)]
        users = basic_auth_users(self._platform, self.component)
        sites = []
        for name, path, watched in (
            ("monitoring", "/", prometheus),
            ("alertmanager", alertmanager.path, alertmanager),
        ):
            site = self._site(name, host, path, self._encrypted(watched), self._request_limit())
            sites.append(
                replace(site, allowlist=access.allowlist, log_in_with=users, sticky=prometheus.replicated)
            )
        return sites

    def _grafana(self, grafana: Grafana) -> list[Site]:
        backend = self._encrypted(grafana)
        site = self._site("grafana", self._hosts.grafana, "/", backend, self._request_limit())
        site = replace(site, allowlist=self._settings.monitoring.allowlist)
        return [site, replace(site, name="grafana-login", path="/login", limit=self._login_limit())]

    def _encrypted(self, server: Prometheus | Alertmanager | Grafana) -> Backend:
        """Open what people get of it: TLS, and not the plain port beside it."""
        self._admit(server.component, server.https_port)
        return Backend(server.host, server.https_port, "https", server.certificate)

    def _site(self, name: str, host: str, path: str, backend: Backend, limit: Limit | None) -> Site:
        certificate = self._certificates.certificate(host, ingress_name(name))
        return Site(name, host, path, backend, certificate, limit)

    def _admit(self, component: Component, *ports: int) -> None:
        self._platform.network.allow(self._carrier, component, *ports, because="serve requests from outside")

    def _request_limit(self) -> Limit | None:
        limits = self._settings.limits
        if limits is None:
            return None
        return Limit(limits.requests_per_second, "second", limits.connections, limits.burst)

    def _websocket_limit(self) -> Limit | None:
        limits = self._settings.limits
        if limits is None:
            return None
        return Limit(
            limits.websocket_handshakes_per_second, "second", limits.websocket_connections, limits.burst
        )

    def _login_limit(self) -> Limit | None:
        """Return the limit of where passwords are sent: at once no more than in a minute."""
        limits = self._settings.limits
        if limits is None:
            return None
        return Limit(limits.logins_per_minute, "minute", limits.connections, burst=1)
