"""The way in: hosts, public certificates, limits, and who must log in where."""

from collections.abc import Mapping

from cdk8s_plus_27 import k8s
from constructs import Construct

from imports.io.cert_manager import (
    Issuer,
    IssuerSpec,
    IssuerSpecAcme,
    IssuerSpecAcmePrivateKeySecretRef,
    IssuerSpecAcmeSolvers,
    IssuerSpecAcmeSolversHttp01,
    IssuerSpecAcmeSolversHttp01Ingress,
    IssuerSpecSelfSigned,
)
from traversion.api import TraversionApi
from traversion.observability import Alertmanager, Grafana, ObservabilityStack, Prometheus
from traversion.platform import Platform
from traversion.platform.component import Component
from traversion.platform.credentials import Derived, Fixed, Random
from traversion.platform.flows import ACME_SOLVER, Pods
from traversion.settings import Hosts, IngressSettings

_NGINX = "nginx.ingress.kubernetes.io"
_ACME_DIRECTORIES = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
_SOLVER_PORT = 8089
# For TLS 1.2; forward secrecy and authenticated encryption only. TLS 1.3 brings its own.
_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
    ":ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)

Backends = Mapping[str, tuple[str, str]]
"""Paths of a host, each with the Service and the port's name behind it."""


class SecureIngress(Construct):
    """Four hosts behind ingress-nginx, each with a certificate that cert-manager renews.

    Creates one Ingress for each, since ingress-nginx sets limits and log-in for a whole Ingress:
    ``traversion-ingress`` (api.), ``traversion-websocket-ingress`` (ws.),
    ``traversion-monitoring-ingress`` (monitoring., behind basic authentication) and
    ``traversion-grafana-ingress`` (grafana., which has a log-in of its own); and the issuer that signs.
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
        self._controller = Pods(
            "ingress-nginx",
            {
                "app.kubernetes.io/name": "ingress-nginx",
                "app.kubernetes.io/component": "controller",
            },
            settings.controller_namespace,
        )
        self._issuer()
        self._api(api)
        self._websocket(api)
        # Where the cluster's operator watches, it has its own ways in.
        if observability.prometheus and observability.alertmanager:
            self._monitoring(observability.prometheus, observability.alertmanager)
        if observability.grafana:
            self._grafana(observability.grafana)

    def _issuer(self) -> None:
        settings = self._settings
        if settings.issuer == "self-signed":
            spec = IssuerSpec(self_signed=IssuerSpecSelfSigned())
        else:
            solver = IssuerSpecAcmeSolversHttp01Ingress(
                ingress_class_name=settings.class_name,
                service_type="ClusterIP",  # the default, NodePort, is refused by the quota
            )
            spec = IssuerSpec(
                acme=IssuerSpecAcme(
                    server=_ACME_DIRECTORIES[settings.issuer],
                    email=settings.acme_email,
                    private_key_secret_ref=IssuerSpecAcmePrivateKeySecretRef(
                        name=f"{settings.issuer}-account"
                    ),
                    solvers=[IssuerSpecAcmeSolvers(http01=IssuerSpecAcmeSolversHttp01(ingress=solver))],
                )
            )
            self._platform.network.allow(
                self._controller,
                ACME_SOLVER,
                _SOLVER_PORT,
                because="answer the certificate authority's challenge",
            )
        Issuer(self, "issuer", metadata=self.component.resource_metadata(settings.issuer), spec=spec)

    def _api(self, api: TraversionApi) -> None:
        origins = ",".join([f"https://{self._hosts.api}", *self._settings.cors_origins])
        self._ingress(
            "traversion-ingress",
            self._hosts.api,
            {"/": (api.host, "http")},
            {
                **self._client_limits(),
                **_verified_backend(api),
                "proxy-body-size": self._settings.body_size,
                "proxy-connect-timeout": "5",
                "proxy-read-timeout": "60",
                "proxy-send-timeout": "60",
                "enable-cors": "true",
                "cors-allow-origin": origins,
                "cors-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
                "cors-allow-headers": "Authorization, Content-Type, X-Request-ID",
                "cors-allow-credentials": "true",
                "cors-max-age": "7200",
            },
        )
        self._admit(api.component, *api.request_ports)

    def _websocket(self, api: TraversionApi) -> None:
        timeout = str(self._settings.websocket_timeout_seconds)
        self._ingress(
            "traversion-websocket-ingress",
            self._hosts.websocket,
            {api.contract.websocket_path: (api.host, "websocket")},
            {
                **self._client_limits(),
                **_verified_backend(api),
                "proxy-connect-timeout": "5",
                "proxy-read-timeout": timeout,
                "proxy-send-timeout": timeout,
            },
        )

    def _monitoring(self, prometheus: Prometheus, alertmanager: Alertmanager) -> None:
        credential = self._platform.credentials.declare(
            self.component,
            "monitoring-basic-auth",
            "log-in to Prometheus and Alertmanager",
            {"username": Fixed("admin"), "password": Random(), "auth": Derived(_htpasswd, _htpasswd_holds)},
        )
        self._ingress(
            "traversion-monitoring-ingress",
            self._hosts.monitoring,
            {
                "/": (prometheus.host, "http"),
                alertmanager.path: (alertmanager.host, "http"),
            },
            {
                **self._client_limits(),
                "auth-type": "basic",
                "auth-secret": credential.secret,
                "auth-secret-type": "auth-file",
                "auth-realm": "Traversion monitoring",
                # The controller passes the Service by; see there why a person stays with one replica.
                **({"affinity": "cookie"} if prometheus.replicated else {}),
            },
        )
        self._admit(prometheus.component, prometheus.port)
        self._admit(alertmanager.component, alertmanager.port)

    def _grafana(self, grafana: Grafana) -> None:
        self._ingress(
            "traversion-grafana-ingress",
            self._hosts.grafana,
            {"/": (grafana.host, "http")},
            self._client_limits(),
        )
        self._admit(grafana.component, grafana.port)

    def _admit(self, component: Component, *ports: int) -> None:
        self._platform.network.allow(
            self._controller, component, *ports, because="serve requests from outside"
        )

    def _client_limits(self) -> dict[str, str]:
        return {
            "limit-rps": str(self._settings.requests_per_second),
            "limit-burst-multiplier": "5",
            "limit-connections": str(self._settings.connections),
        }

    def _ingress(self, name: str, host: str, backends: Backends, options: Mapping[str, str]) -> None:
        annotations = {
            "cert-manager.io/issuer": self._settings.issuer,
            "cert-manager.io/private-key-algorithm": "ECDSA",
            "cert-manager.io/private-key-rotation-policy": "Always",
            f"{_NGINX}/force-ssl-redirect": "true",
            f"{_NGINX}/ssl-ciphers": _CIPHERS,
            f"{_NGINX}/ssl-prefer-server-ciphers": "true",
        } | {f"{_NGINX}/{option}": value for option, value in options.items()}
        k8s.KubeIngress(
            self,
            name,
            metadata=self.component.metadata(name, annotations),
            spec=k8s.IngressSpec(
                ingress_class_name=self._settings.class_name,
                tls=[k8s.IngressTls(hosts=[host], secret_name=f"{name}-tls")],
                rules=[
                    k8s.IngressRule(
                        host=host,
                        http=k8s.HttpIngressRuleValue(
                            paths=[
                                k8s.HttpIngressPath(path=path, path_type="Prefix", backend=_backend(*backend))
                                for path, backend in backends.items()
                            ]
                        ),
                    )
                ],
            ),
        )


def _verified_backend(api: TraversionApi) -> dict[str, str]:
    """Return what makes the controller speak TLS to the pods, and verify authority and name."""
    return {
        "backend-protocol": "HTTPS",
        "proxy-ssl-secret": f"{api.component.namespace}/{api.certificate.trust_secret}",
        "proxy-ssl-verify": "on",
        "proxy-ssl-verify-depth": "2",
        "proxy-ssl-name": api.certificate.name,
        "proxy-ssl-server-name": "on",
        "proxy-ssl-protocols": "TLSv1.2 TLSv1.3",
    }


def _backend(service: str, port_name: str) -> k8s.IngressBackend:
    port = k8s.ServiceBackendPort(name=port_name)
    return k8s.IngressBackend(service=k8s.IngressServiceBackend(name=service, port=port))


def _htpasswd(values: Mapping[str, str]) -> str:
    """Return the line of an htpasswd file, hashed with bcrypt."""
    import bcrypt  # noqa: PLC0415 # only generating secrets needs it, not every synthesis

    hashed = bcrypt.hashpw(values["password"].encode(), bcrypt.gensalt(rounds=10)).decode()
    return f"{values['username']}:{hashed}"


def _htpasswd_holds(values: Mapping[str, str], line: str) -> bool:
    """Tell whether a line of an htpasswd file is for this user and password."""
    import bcrypt  # noqa: PLC0415 # as above

    user, _, hashed = line.partition(":")
    try:
        return user == values["username"] and bcrypt.checkpw(values["password"].encode(), hashed.encode())
    except ValueError:  # hashed in another way
        return False
