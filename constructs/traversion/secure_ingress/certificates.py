"""Public certificates: who signs them, and how it is proven that the hosts are ours."""

from constructs import Construct

from imports.io.cert_manager import (
    Certificate,
    CertificateSpec,
    CertificateSpecIssuerRef,
    CertificateSpecPrivateKey,
    CertificateSpecPrivateKeyAlgorithm,
    CertificateSpecPrivateKeyRotationPolicy,
    CertificateSpecUsages,
    Issuer,
    IssuerSpec,
    IssuerSpecAcme,
    IssuerSpecAcmePrivateKeySecretRef,
    IssuerSpecAcmeSolvers,
    IssuerSpecAcmeSolversDns01,
    IssuerSpecAcmeSolversDns01AzureDns,
    IssuerSpecAcmeSolversDns01AzureDnsClientSecretSecretRef,
    IssuerSpecAcmeSolversDns01CloudDns,
    IssuerSpecAcmeSolversDns01CloudDnsServiceAccountSecretRef,
    IssuerSpecAcmeSolversDns01Cloudflare,
    IssuerSpecAcmeSolversDns01CloudflareApiTokenSecretRef,
    IssuerSpecAcmeSolversDns01Route53,
    IssuerSpecAcmeSolversDns01Route53SecretAccessKeySecretRef,
    IssuerSpecAcmeSolversHttp01,
    IssuerSpecSelfSigned,
)
from traversion.platform import Platform
from traversion.platform.component import Component
from traversion.platform.credentials import SecretKey, Supplied
from traversion.platform.flows import ACME_SOLVER, Endpoint
from traversion.settings import (
    AzureDns,
    CloudDns,
    Cloudflare,
    IngressSettings,
    Route53,
    SecretReference,
)

_ACME_DIRECTORIES = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
_SOLVER_PORT = 8089


class PublicCertificates:
    """The issuer and the certificates of the public hosts: one for each, or a wildcard for all.

    The Certificates are objects of ours and not cert-manager's answer to an annotation: they are the same
    whatever carries the traffic, and cert-manager needs no Gateway support for them.
    """

    def __init__(
        self, scope: Construct, platform: Platform, settings: IngressSettings, owner: Component
    ) -> None:
        """Prepare; nothing is created before `issue` and `certificate` are called."""
        self._scope = scope
        self._platform = platform
        self._settings = settings
        self._owner = owner
        self._secrets: dict[str, str] = {}

    def issue(self, front: Endpoint, http01: IssuerSpecAcmeSolversHttp01) -> None:
        """Create the issuer; ``http01`` is how challenges get in through ``front``, where they do."""
        settings = self._settings
        if settings.issuer == "self-signed":
            spec = IssuerSpec(self_signed=IssuerSpecSelfSigned())
        else:
            if settings.dns01:
                solver = IssuerSpecAcmeSolvers(dns01=self._dns01(settings.dns01))
            else:
                solver = IssuerSpecAcmeSolvers(http01=http01)
                self._platform.network.allow(
                    front,
                    ACME_SOLVER,
                    _SOLVER_PORT,
                    because="answer the certificate authority's challenge",
                )
            spec = IssuerSpec(
                acme=IssuerSpecAcme(
                    server=_ACME_DIRECTORIES[settings.issuer],
                    email=settings.acme_email,
                    private_key_secret_ref=IssuerSpecAcmePrivateKeySecretRef(
                        name=f"{settings.issuer}-account"
                    ),
                    solvers=[solver],
                )
            )
        Issuer(self._scope, "issuer", metadata=self._owner.resource_metadata(settings.issuer), spec=spec)

    def certificate(self, host: str, name: str) -> str:
        """Create the certificate of a host, called ``name``, unless it has one; return its Secret."""
        covered = f"*.{host.partition('.')[2]}" if self._settings.wildcard else host
        if covered not in self._secrets:
            self._secrets[covered] = f"{'traversion-wildcard' if self._settings.wildcard else name}-tls"
            self._create(self._secrets[covered], covered)
        return self._secrets[covered]

    def _create(self, secret: str, host: str) -> None:
        Certificate(
            self._scope,
            secret,
            metadata=self._owner.resource_metadata(secret),
            spec=CertificateSpec(
                secret_name=secret,
                dns_names=[host],
                usages=[CertificateSpecUsages.DIGITAL_SIGNATURE, CertificateSpecUsages.SERVER_AUTH],
                private_key=CertificateSpecPrivateKey(
                    algorithm=CertificateSpecPrivateKeyAlgorithm.ECDSA,
                    size=256,
                    rotation_policy=CertificateSpecPrivateKeyRotationPolicy.ALWAYS,
                ),
                issuer_ref=CertificateSpecIssuerRef(name=self._settings.issuer, kind="Issuer"),
            ),
        )

    def _dns01(self, provider: Route53 | CloudDns | AzureDns | Cloudflare) -> IssuerSpecAcmeSolversDns01:
        match provider:
            case Route53():
                key = self._supplied(provider.secret_access_key, "secret access key of Route 53")
                return IssuerSpecAcmeSolversDns01(
                    route53=IssuerSpecAcmeSolversDns01Route53(
                        region=provider.region,
                        hosted_zone_id=provider.hosted_zone_id,
                        access_key_id=provider.access_key_id,
                        secret_access_key_secret_ref=IssuerSpecAcmeSolversDns01Route53SecretAccessKeySecretRef(
                            name=key.secret, key=key.key
                        ),
                    )
                )
            case CloudDns():
                key = self._supplied(provider.service_account, "JSON key of a service account for Cloud DNS")
                return IssuerSpecAcmeSolversDns01(
                    cloud_dns=IssuerSpecAcmeSolversDns01CloudDns(
                        project=provider.project,
                        service_account_secret_ref=IssuerSpecAcmeSolversDns01CloudDnsServiceAccountSecretRef(
                            name=key.secret, key=key.key
                        ),
                    )
                )
            case AzureDns():
                key = self._supplied(provider.client_secret, "password of a service principal for Azure DNS")
                return IssuerSpecAcmeSolversDns01(
                    azure_dns=IssuerSpecAcmeSolversDns01AzureDns(
                        subscription_id=provider.subscription_id,
                        tenant_id=provider.tenant_id,
                        client_id=provider.client_id,
                        client_secret_secret_ref=IssuerSpecAcmeSolversDns01AzureDnsClientSecretSecretRef(
                            name=key.secret, key=key.key
                        ),
                        resource_group_name=provider.resource_group,
                        hosted_zone_name=provider.hosted_zone,
                    )
                )
            case Cloudflare():
                key = self._supplied(provider.api_token, "API token of Cloudflare that may edit the zone")
                return IssuerSpecAcmeSolversDns01(
                    cloudflare=IssuerSpecAcmeSolversDns01Cloudflare(
                        api_token_secret_ref=IssuerSpecAcmeSolversDns01CloudflareApiTokenSecretRef(
                            name=key.secret, key=key.key
                        )
                    )
                )

    def _supplied(self, reference: SecretReference, what: str) -> SecretKey:
        return self._platform.credentials.declare(
            self._owner,
            reference.name,
            "proof to the certificate authority that the domain is ours",
            {reference.key: Supplied(what)},
        ).key(reference.key)
