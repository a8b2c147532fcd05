"""The way in through a Gateway: the Gateway API's standard channel, and nothing that is one maker's own.

Loaded in mode ``gateway`` only: the typed classes cost a tenth of a second.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from constructs import Construct

from imports.io.cert_manager import (
    IssuerSpecAcmeSolversHttp01,
    IssuerSpecAcmeSolversHttp01GatewayHttpRoute,
    IssuerSpecAcmeSolversHttp01GatewayHttpRouteParentRefs,
)
from imports.io.k8s.networking.gateway import (
    BackendTlsPolicy,
    BackendTlsPolicySpec,
    BackendTlsPolicySpecTargetRefs,
    BackendTlsPolicySpecValidation,
    BackendTlsPolicySpecValidationCaCertificateRefs,
    Gateway,
    GatewaySpec,
    GatewaySpecListeners,
    GatewaySpecListenersTls,
    GatewaySpecListenersTlsCertificateRefs,
    GatewaySpecListenersTlsMode,
    HttpRoute,
    HttpRouteSpec,
    HttpRouteSpecParentRefs,
    HttpRouteSpecRules,
    HttpRouteSpecRulesBackendRefs,
    HttpRouteSpecRulesFilters,
    HttpRouteSpecRulesFiltersCors,
    HttpRouteSpecRulesFiltersCorsAllowMethods,
    HttpRouteSpecRulesFiltersExtensionRef,
    HttpRouteSpecRulesFiltersRequestRedirect,
    HttpRouteSpecRulesFiltersRequestRedirectScheme,
    HttpRouteSpecRulesFiltersRequestRedirectStatusCode,
    HttpRouteSpecRulesFiltersResponseHeaderModifier,
    HttpRouteSpecRulesFiltersResponseHeaderModifierSet,
    HttpRouteSpecRulesFiltersType,
    HttpRouteSpecRulesMatches,
    HttpRouteSpecRulesMatchesPath,
    HttpRouteSpecRulesMatchesPathType,
    HttpRouteSpecRulesTimeouts,
)
from traversion.platform.component import Component
from traversion.secure_ingress.sites import (
    CORS_HEADERS,
    CORS_METHODS,
    CORS_SECONDS,
    STRICT_TRANSPORT_SECURITY,
    Backend,
    Site,
)
from traversion.secure_ingress.traefik import Middlewares, Reference
from traversion.tls_proxy import SECURITY_HEADERS

GATEWAY = "traversion-gateway"
_HTTP = "http"


class GatewayFront:
    """A Gateway with a listener for each host, and a route for each site."""

    def __init__(self, scope: Construct, owner: Component, class_name: str, implementation: str) -> None:
        """Have the GatewayClass ``class_name`` serve; ``implementation`` may add to the standard."""
        self._scope = scope
        self._owner = owner
        self._class_name = class_name
        self._middlewares = Middlewares(scope, owner) if implementation == "traefik" else None

    def http01(self) -> IssuerSpecAcmeSolversHttp01:
        """Return how challenges reach cert-manager's solvers: by a route that it attaches to port 80."""
        return IssuerSpecAcmeSolversHttp01(
            gateway_http_route=IssuerSpecAcmeSolversHttp01GatewayHttpRoute(
                service_type="ClusterIP",  # the default, NodePort, is refused by the quota
                parent_refs=[
                    IssuerSpecAcmeSolversHttp01GatewayHttpRouteParentRefs(name=GATEWAY, section_name=_HTTP)
                ],
            )
        )

    def open(self, sites: Sequence[Site]) -> None:
        """Create the Gateway, a redirect to HTTPS, a route for each site, and what verifies the pods."""
        certificates = {site.host: site.certificate for site in sites}
        Gateway(
            self._scope,
            "gateway",
            metadata=self._owner.resource_metadata(GATEWAY),
            spec=GatewaySpec(
                gateway_class_name=self._class_name,
                listeners=[
                    GatewaySpecListeners(name=_HTTP, port=80, protocol="HTTP"),
                    *(_listener(host, secret) for host, secret in certificates.items()),
                ],
            ),
        )
        self._redirect(list(certificates))
        for site in sites:
            self._route(site)
        backends = sorted({site.backend for site in sites if site.backend.certificate}, key=_service)
        for service, ports in groupby(backends, key=_service):
            self._verify(service, list(ports))

    def _redirect(self, hosts: Sequence[str]) -> None:
        redirect = HttpRouteSpecRulesFilters(
            type=HttpRouteSpecRulesFiltersType.REQUEST_REDIRECT,
            request_redirect=HttpRouteSpecRulesFiltersRequestRedirect(
                scheme=HttpRouteSpecRulesFiltersRequestRedirectScheme.HTTPS,
                status_code=HttpRouteSpecRulesFiltersRequestRedirectStatusCode.VALUE_301,
            ),
        )
        self._http_route("traversion-https-redirect", hosts, _HTTP, HttpRouteSpecRules(filters=[redirect]))

    def _route(self, site: Site) -> None:
        filters = [_set_headers({**SECURITY_HEADERS, "Strict-Transport-Security": STRICT_TRANSPORT_SECURITY})]
        if self._middlewares:
            filters += [_extension(reference) for reference in self._middlewares.of(site)]
        elif site.origins:
            filters.append(_cors(site.origins))
        prefix = HttpRouteSpecRulesMatchesPath(
            type=HttpRouteSpecRulesMatchesPathType.PATH_PREFIX, value=site.path
        )
        rule = HttpRouteSpecRules(
            matches=[HttpRouteSpecRulesMatches(path=prefix)],
            filters=filters,
            backend_refs=[HttpRouteSpecRulesBackendRefs(name=site.backend.service, port=site.backend.port)],
            # 0s is for ever: a WebSocket is one request.
            timeouts=HttpRouteSpecRulesTimeouts(request="0s" if site.websocket else "300s"),
        )
        self._http_route(f"traversion-{site.name}", [site.host], _section(site.host), rule)

    def _http_route(self, name: str, hosts: Sequence[str], section: str, rule: HttpRouteSpecRules) -> None:
        HttpRoute(
            self._scope,
            name,
            metadata=self._owner.resource_metadata(name),
            spec=HttpRouteSpec(
                parent_refs=[HttpRouteSpecParentRefs(name=GATEWAY, section_name=section)],
                hostnames=hosts,
                rules=[rule],
            ),
        )

    def _verify(self, service: str, backends: Sequence[Backend]) -> None:
        """Have the gateway speak TLS to the pods behind a Service, and verify authority and name."""
        for certificate in dict.fromkeys(backend.certificate for backend in backends):
            if certificate is None:
                continue
            BackendTlsPolicy(
                self._scope,
                f"{service}-tls",
                metadata=self._owner.resource_metadata(service),
                spec=BackendTlsPolicySpec(
                    target_refs=[
                        BackendTlsPolicySpecTargetRefs(
                            group="", kind="Service", name=service, section_name=port
                        )
                        for port in sorted({backend.port_name for backend in backends})
                    ],
                    validation=BackendTlsPolicySpecValidation(
                        hostname=certificate.name,
                        # The standard only promises ConfigMaps, which cert-manager cannot write.
                        ca_certificate_refs=[
                            BackendTlsPolicySpecValidationCaCertificateRefs(
                                group="", kind="Secret", name=certificate.trust_secret
                            )
                        ],
                    ),
                ),
            )


def _service(backend: Backend) -> str:
    return backend.service


def _section(host: str) -> str:
    """Return the name of a host's listener: api.company.com has ``https-api``."""
    return f"https-{host.partition('.')[0]}"


def _listener(host: str, secret: str) -> GatewaySpecListeners:
    return GatewaySpecListeners(
        name=_section(host),
        hostname=host,
        port=443,
        protocol="HTTPS",
        tls=GatewaySpecListenersTls(
            mode=GatewaySpecListenersTlsMode.TERMINATE,
            certificate_refs=[GatewaySpecListenersTlsCertificateRefs(name=secret)],
        ),
    )


def _set_headers(headers: dict[str, str]) -> HttpRouteSpecRulesFilters:
    return HttpRouteSpecRulesFilters(
        type=HttpRouteSpecRulesFiltersType.RESPONSE_HEADER_MODIFIER,
        response_header_modifier=HttpRouteSpecRulesFiltersResponseHeaderModifier(
            set=[
                HttpRouteSpecRulesFiltersResponseHeaderModifierSet(name=name, value=value)
                for name, value in headers.items()
            ]
        ),
    )


def _cors(origins: Iterable[str]) -> HttpRouteSpecRulesFilters:
    return HttpRouteSpecRulesFilters(
        type=HttpRouteSpecRulesFiltersType.CORS,
        cors=HttpRouteSpecRulesFiltersCors(
            allow_origins=list(origins),
            allow_methods=[HttpRouteSpecRulesFiltersCorsAllowMethods[method] for method in CORS_METHODS],
            allow_headers=list(CORS_HEADERS),
            allow_credentials=True,
            max_age=CORS_SECONDS,
        ),
    )


def _extension(reference: Reference) -> HttpRouteSpecRulesFilters:
    return HttpRouteSpecRulesFilters(
        type=HttpRouteSpecRulesFiltersType.EXTENSION_REF,
        extension_ref=HttpRouteSpecRulesFiltersExtensionRef(
            group=reference.group, kind=reference.kind, name=reference.name
        ),
    )
