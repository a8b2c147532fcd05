"""The way in through ingress-nginx: one Ingress for each site, and no snippets.

Limits, log-in and timeouts are annotations, which hold for a whole Ingress. Every one is known to the
controller's last release, 1.15, and of risk ``Medium`` or lower; snippets it refuses by default.
"""

from collections.abc import Iterable

from cdk8s_plus_27 import k8s
from constructs import Construct

from imports.io.cert_manager import IssuerSpecAcmeSolversHttp01, IssuerSpecAcmeSolversHttp01Ingress
from traversion.platform.certificates import TLS_CIPHERS, TLS_PROTOCOLS, ServingCertificate
from traversion.platform.component import Component
from traversion.platform.volumes import ConfigFiles
from traversion.secure_ingress.sites import (
    CORS_HEADERS,
    CORS_METHODS,
    CORS_SECONDS,
    Limit,
    Site,
)
from traversion.settings import NginxSettings
from traversion.tls_proxy import SECURITY_HEADERS

_PREFIX = "nginx.ingress.kubernetes.io"
_HEADERS = "traversion-response-headers"


class NginxFront:
    """Ingresses for ingress-nginx."""

    def __init__(self, scope: Construct, owner: Component, class_name: str, settings: NginxSettings) -> None:
        """Serve the IngressClass ``class_name``."""
        self._scope = scope
        self._owner = owner
        self._class_name = class_name
        self._settings = settings

    def http01(self) -> IssuerSpecAcmeSolversHttp01:
        """Return how challenges reach cert-manager's solvers: by an Ingress that it creates."""
        return IssuerSpecAcmeSolversHttp01(
            ingress=IssuerSpecAcmeSolversHttp01Ingress(
                ingress_class_name=self._class_name,
                service_type="ClusterIP",  # the default, NodePort, is refused by the quota
            )
        )

    def open(self, sites: Iterable[Site]) -> None:
        """Create an Ingress for each site."""
        if self._settings.security_headers:
            ConfigFiles("headers", _HEADERS, SECURITY_HEADERS).create(self._scope, self._owner)
        for site in sites:
            self._ingress(site)

    def _ingress(self, site: Site) -> None:
        name = ingress_name(site.name)
        annotations = {f"{_PREFIX}/{option}": value for option, value in self._options(site).items()}
        port = k8s.ServiceBackendPort(name=site.backend.port_name)
        backend = k8s.IngressBackend(service=k8s.IngressServiceBackend(name=site.backend.service, port=port))
        path = k8s.HttpIngressPath(path=site.path, path_type="Prefix", backend=backend)
        k8s.KubeIngress(
            self._scope,
            name,
            metadata=self._owner.metadata(name, annotations),
            spec=k8s.IngressSpec(
                ingress_class_name=self._class_name,
                tls=[k8s.IngressTls(hosts=[site.host], secret_name=site.certificate)],
                rules=[k8s.IngressRule(host=site.host, http=k8s.HttpIngressRuleValue(paths=[path]))],
            ),
        )

    def _options(self, site: Site) -> dict[str, str]:
        options = {
            "force-ssl-redirect": "true",
            "ssl-ciphers": TLS_CIPHERS,
            "ssl-prefer-server-ciphers": "true",
        }
        if site.limit:
            options |= _limits(site.limit)
        if site.allowlist:
            options["allowlist-source-range"] = ",".join(site.allowlist)
        if site.body_size:
            options["proxy-body-size"] = site.body_size
        if site.origins:
            options |= _cors(site.origins)
        if site.log_in_with:
            options |= {
                "auth-type": "basic",
                "auth-secret": site.log_in_with,
                "auth-secret-type": "auth-file",
                "auth-realm": "Traversion monitoring",
            }
        if site.sticky:
            options["affinity"] = "cookie"
        if self._settings.security_headers:
            options["custom-headers"] = f"{self._owner.namespace}/{_HEADERS}"
        if site.backend.certificate:
            options |= _verified(self._owner.namespace, site.backend.certificate)
        timeout = str(self._settings.websocket_timeout_seconds) if site.websocket else "60"
        return options | {
            "proxy-connect-timeout": "5",
            "proxy-read-timeout": timeout,
            "proxy-send-timeout": timeout,
        }


def ingress_name(site: str) -> str:
    """Return the name of a site's Ingress; the API's is the one that operators type."""
    return "traversion-ingress" if site == "api" else f"traversion-{site}-ingress"


def _limits(limit: Limit) -> dict[str, str]:
    return {
        "limit-rps" if limit.per == "second" else "limit-rpm": str(limit.requests),
        "limit-burst-multiplier": str(limit.burst),
        "limit-connections": str(limit.connections),
    }


def _cors(origins: Iterable[str]) -> dict[str, str]:
    return {
        "enable-cors": "true",
        "cors-allow-origin": ",".join(origins),
        "cors-allow-methods": ", ".join(CORS_METHODS),
        "cors-allow-headers": ", ".join(CORS_HEADERS),
        "cors-allow-credentials": "true",
        "cors-max-age": str(CORS_SECONDS),
    }


def _verified(namespace: str, certificate: ServingCertificate) -> dict[str, str]:
    """Return what makes the controller speak TLS to the pods, and verify authority and name."""
    return {
        "backend-protocol": "HTTPS",
        "proxy-ssl-secret": f"{namespace}/{certificate.trust_secret}",
        "proxy-ssl-verify": "on",
        "proxy-ssl-verify-depth": "2",
        "proxy-ssl-name": certificate.name,
        "proxy-ssl-server-name": "on",
        "proxy-ssl-protocols": TLS_PROTOCOLS,
    }
