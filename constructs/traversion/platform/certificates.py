"""Certificates between components: the environment's own authority, signed and renewed by cert-manager.

The authority lives in the namespace, so a certificate of one environment is worth nothing in another.
Leaf certificates are valid for 90 days and renewed after 60; whoever serves one must pick up the new
files without a restart.

An authority is replaced by its next generation. Between the two, clients trust both: a bundle that the
settings hold takes the place of the ``ca.crt`` beside each server's certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
    IssuerSpecCa,
    IssuerSpecSelfSigned,
)
from traversion.platform.component import Component
from traversion.platform.credentials import Credentials, Fixed
from traversion.platform.volumes import ConfigFiles, SecretFiles
from traversion.settings import AuthoritySettings

_LEAF_LIFETIME, _LEAF_RENEWAL = "2160h", "720h"  # 90 days, renewed 30 days before the end.
_AUTHORITY_LIFETIME, _AUTHORITY_RENEWAL = (
    "43800h",
    "8760h",
)  # 5 years, renewed 1 year before the end.
_BOOTSTRAP, _AUTHORITY, _BUNDLE = "internal-ca-bootstrap", "internal-ca", "internal-ca-trust"

TLS_PROTOCOLS = "TLSv1.2 TLSv1.3"
TLS_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
    ":ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
"""For TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 brings its own."""


@dataclass(frozen=True)
class ServingCertificate:
    """A certificate and its key, in a Secret that cert-manager keeps up to date."""

    secret: str
    name: str
    """A name that it bears; who connects by another one, or to an address, has to expect this one."""
    bundle: str = ""
    """The authorities to trust while one takes over from another; else the one that signed."""

    @property
    def files(self) -> SecretFiles:
        """``tls.crt``, ``tls.key`` and ``ca.crt``, for the server."""
        return SecretFiles("certificate", self.secret)

    @property
    def trust(self) -> SecretFiles | ConfigFiles:
        """Only ``ca.crt``, for clients."""
        return self.trust_of("trust")

    def trust_of(self, volume: str) -> SecretFiles | ConfigFiles:
        """Return the same as a volume of another name, for pods that trust several servers."""
        if self.bundle:
            return ConfigFiles(volume, _BUNDLE, {"ca.crt": self.bundle})
        return SecretFiles(volume, self.secret, keys=("ca.crt",))

    @property
    def trust_secret(self) -> str:
        """A Secret with ``ca.crt``, for ingress controllers, which mount nothing."""
        return _BUNDLE if self.bundle else self.secret


class Certificates:
    """The certificate authority of one environment."""

    def __init__(
        self, scope: Construct, owner: Component, settings: AuthoritySettings, credentials: Credentials
    ) -> None:
        """Create the authority: a self-signed root, and the issuer that signs with it."""
        self._scope = scope
        self._signer = _authority(settings.generation)
        self._bundle = settings.trusted
        Issuer(
            scope,
            _BOOTSTRAP,
            metadata=owner.resource_metadata(_BOOTSTRAP),
            spec=IssuerSpec(self_signed=IssuerSpecSelfSigned()),
        )
        self._create(owner, self._signer)
        if settings.successor:
            self._create(owner, _authority(settings.generation + 1))
        if self._bundle:
            ConfigFiles("trust", _BUNDLE, {"ca.crt": self._bundle}).create(scope, owner)
            purpose = "authorities that the ingress controller trusts while one takes over from another"
            credentials.declare(owner, _BUNDLE, purpose, {"ca.crt": Fixed(self._bundle)})

    def _create(self, owner: Component, name: str) -> None:
        Certificate(
            self._scope,
            f"{name}-root",
            metadata=owner.resource_metadata(name),
            spec=CertificateSpec(
                is_ca=True,
                common_name=f"{owner.instance} {name.replace(_AUTHORITY, 'internal CA')}",
                secret_name=name,
                duration=_AUTHORITY_LIFETIME,
                renew_before=_AUTHORITY_RENEWAL,
                private_key=CertificateSpecPrivateKey(
                    algorithm=CertificateSpecPrivateKeyAlgorithm.ECDSA,
                    size=256,
                    # The key outlives renewals, so leaves signed before one still verify after it.
                    rotation_policy=CertificateSpecPrivateKeyRotationPolicy.NEVER,
                ),
                issuer_ref=CertificateSpecIssuerRef(name=_BOOTSTRAP, kind="Issuer"),
            ),
        )
        Issuer(
            self._scope,
            name,
            metadata=owner.resource_metadata(name),
            spec=IssuerSpec(ca=IssuerSpecCa(secret_name=name)),
        )

    def serving(self, owner: Component, services: Sequence[str]) -> ServingCertificate:
        """Create a serving certificate that bears every name of these Services."""
        secret = f"{owner.name}-tls"
        names = [name for service in services for name in _names(service, owner.namespace)]
        self._leaf(owner, secret, CertificateSpecUsages.SERVER_AUTH, dns_names=names)
        return ServingCertificate(secret, names[0], self._bundle)

    def client(self, owner: Component) -> ServingCertificate:
        """Create a certificate that says who a client is: its common name is the component's."""
        secret = f"{owner.name}-tls"
        self._leaf(owner, secret, CertificateSpecUsages.CLIENT_AUTH, common_name=owner.name)
        return ServingCertificate(secret, owner.name, self._bundle)

    def _leaf(
        self,
        owner: Component,
        secret: str,
        usage: CertificateSpecUsages,
        *,
        common_name: str | None = None,
        dns_names: Sequence[str] | None = None,
    ) -> None:
        Certificate(
            self._scope,
            secret,
            metadata=owner.resource_metadata(secret),
            spec=CertificateSpec(
                secret_name=secret,
                common_name=common_name,
                dns_names=dns_names,
                usages=[CertificateSpecUsages.DIGITAL_SIGNATURE, usage],
                duration=_LEAF_LIFETIME,
                renew_before=_LEAF_RENEWAL,
                private_key=CertificateSpecPrivateKey(
                    algorithm=CertificateSpecPrivateKeyAlgorithm.ECDSA,
                    size=256,
                    rotation_policy=CertificateSpecPrivateKeyRotationPolicy.ALWAYS,
                ),
                issuer_ref=CertificateSpecIssuerRef(name=self._signer, kind="Issuer"),
            ),
        )


def _authority(generation: int) -> str:
    return _AUTHORITY if generation == 1 else f"{_AUTHORITY}-{generation}"


def _names(service: str, namespace: str) -> list[str]:
    return [
        service,
        f"{service}.{namespace}",
        f"{service}.{namespace}.svc",
        f"{service}.{namespace}.svc.cluster.local",
    ]
