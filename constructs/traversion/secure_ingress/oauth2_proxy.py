"""oauth2-proxy: whoever wants to see Prometheus or Alertmanager logs in at an OpenID Connect provider."""

from collections.abc import Mapping

from constructs import Construct

from traversion.observability import Alertmanager, Prometheus
from traversion.platform import Platform
from traversion.platform.credentials import Random, Supplied
from traversion.platform.flows import INTERNET, Addresses
from traversion.platform.pods import Container, Pod, http_probe
from traversion.platform.workloads import deployment, disruption_budget, service
from traversion.secure_ingress.sites import Backend
from traversion.settings import ProxyOidcSettings
from traversion.tls_proxy import SECURITY_HEADERS, Inlet, Outlet, TlsProxy

_PLAIN_PORT = 4180
_UID = 65532  # "nonroot" of the image
_NAME = "oauth2-proxy"


class OAuth2Proxy:
    """A reverse proxy that asks for a log-in first, and so needs nothing of what carries the traffic.

    Creates the Deployment ``oauth2-proxy`` and the Service ``oauth2-proxy-service``. Sessions are encrypted
    cookies; a restart logs nobody out. It would read its certificate only when it starts, and can verify an
    upstream by public authorities only, so the proxy that the API has encrypts for it too, both ways.
    """

    port = 8443
    host = "oauth2-proxy-service"

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: ProxyOidcSettings,
        *,
        public_host: str,
        upstreams: Mapping[str, Prometheus | Alertmanager],
    ) -> None:
        """Create the proxy of ``https://public_host``; it passes a path on to its upstream."""
        self._scope = Construct(scope, _NAME)
        self._settings = settings
        component = platform.make_component(_NAME, "login", settings.image.tag)
        certificate = platform.certificates.serving(component, [self.host])
        inlets = {"https": Inlet(self.port, _PLAIN_PORT, headers=SECURITY_HEADERS)}
        outlets = {
            each.component.name: Outlet(each.port, each.host, each.https_port, each.certificate)
            for each in upstreams.values()
        }
        self._tls_proxy = TlsProxy(settings.tls_proxy, certificate, inlets, outlets)
        self.component = component.with_ports(**self._tls_proxy.ports)
        self.backend = Backend(self.host, self.port, "https", certificate)
        self._provider(platform)
        for each in upstreams.values():
            because = "show it to who has logged in"
            platform.network.allow(self.component, each.component, each.https_port, because=because)
        self._pods(
            platform, public_host, [f"http://127.0.0.1:{each.port}{path}" for path, each in upstreams.items()]
        )
        service(self._scope, self.component, self.host, {"https": (self.port, "https")}, app_protocol="https")
        disruption_budget(self._scope, self.component, _NAME)

    def _provider(self, platform: Platform) -> None:
        settings = self._settings
        assert settings.client_secret, "the settings refuse this"  # noqa: S101
        reference = settings.client_secret
        self._client = platform.credentials.declare(
            self.component,
            reference.name,
            "log-in of people to Prometheus and Alertmanager",
            {reference.key: Supplied(f"secret of the client {settings.client_id} at {settings.issuer_url}")},
        ).key(reference.key)
        self._cookies = platform.credentials.declare(
            self.component, _NAME, "key of the session cookies of oauth2-proxy", {"cookie-secret": Random(32)}
        ).key("cookie-secret")
        provider = (
            Addresses("identity-provider", settings.provider_cidrs, by_name=True)
            if settings.provider_cidrs
            else INTERNET
        )
        platform.network.allow(self.component, provider, 443, because="have people log in")

    def _pods(self, platform: Platform, public_host: str, upstreams: list[str]) -> None:
        settings = self._settings
        proxy = Container(
            name=_NAME,
            image=settings.image,
            resources=settings.resources,
            args=[
                # Not loopback alone, for the kubelet; policies open the proxy's port only.
                f"--http-address=0.0.0.0:{_PLAIN_PORT}",
                "--provider=oidc",
                f"--oidc-issuer-url={settings.issuer_url}",
                f"--client-id={settings.client_id}",
                "--scope=openid email profile" + (" groups" if settings.groups else ""),
                "--code-challenge-method=S256",
                "--insecure-oidc-skip-nonce=false",  # its default does not look at the nonce
                f"--redirect-url=https://{public_host}/oauth2/callback",
                *(f"--email-domain={domain}" for domain in settings.email_domains),
                *(f"--allowed-group={group}" for group in settings.groups),
                *(f"--upstream={url}" for url in upstreams),
                # The prefix binds the cookie to this host, to HTTPS and to all paths.
                "--cookie-name=__Host-monitoring",
                "--cookie-secure=true",
                "--cookie-httponly=true",
                "--cookie-samesite=lax",
                "--cookie-expire=8h",
                "--session-cookie-minimal=true",
                "--skip-provider-button=true",
                # Who is behind it asks nobody's name.
                "--pass-basic-auth=false",
                "--pass-user-headers=false",
                "--pass-host-header=false",
                "--silence-ping-logging=true",
            ],
            ports={"http": _PLAIN_PORT},
            environment={
                "OAUTH2_PROXY_CLIENT_SECRET": self._client,
                "OAUTH2_PROXY_COOKIE_SECRET": self._cookies,
            },
            readiness=http_probe("/ready", "http"),
            liveness=http_probe("/ping", "http", timeout=5, failures=6),
        )
        tls_proxy = self._tls_proxy.create(self._scope, self.component)
        pod = Pod([proxy, tls_proxy], uid=_UID, gid=_UID, priority_class=platform.monitoring_priority)
        deployment(self._scope, platform, self.component, _NAME, pod)
