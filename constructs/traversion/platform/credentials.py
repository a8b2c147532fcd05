"""Secret values: which there are, how each comes to be, and typed references to them.

No value is ever synthesized. ``traversion secrets`` makes the Secrets out of these declarations, or
ExternalSecrets copy them from a store.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from constructs import Construct

from traversion.platform.component import Component
from traversion.settings import CredentialSettings
from traversion.values import seconds_of


@dataclass(frozen=True)
class Fixed:
    """A value that is no secret but belongs beside one, such as a user name."""

    value: str


@dataclass(frozen=True)
class Random:
    """Letters and digits from the system's random source, which no URL, shell or template misreads."""

    length: int = 40


@dataclass(frozen=True)
class Derived:
    """Computed from the other keys of the same Secret, such as a password hash."""

    compute: Callable[[Mapping[str, str]], str]
    holds: Callable[[Mapping[str, str], str], bool]
    """Whether a value that exists still belongs to the other keys."""


@dataclass(frozen=True)
class Supplied:
    """Only the operator knows it."""

    what: str


Source: TypeAlias = Fixed | Random | Derived | Supplied


@dataclass(frozen=True)
class SecretKey:
    """One key of one Secret, as a container refers to it."""

    secret: str
    key: str


@dataclass(frozen=True)
class Credential:
    """A Secret, what it is for, and the keys it has."""

    secret: str
    purpose: str
    sources: Mapping[str, Source]
    owner: Component

    def key(self, name: str) -> SecretKey:
        """Refer to one key; raises ``KeyError`` for a key that was never declared."""
        if name not in self.sources:
            message = f"Secret {self.secret} declares no key {name!r}, only {sorted(self.sources)}"
            raise KeyError(message)
        return SecretKey(self.secret, name)


@dataclass
class Credentials:
    """The credentials of one environment."""

    settings: CredentialSettings
    declared: list[Credential] = field(default_factory=list)

    def declare(
        self, owner: Component, secret: str, purpose: str, sources: Mapping[str, Source]
    ) -> Credential:
        """Declare a Secret; its keys may be referred to from then on."""
        credential = Credential(secret, purpose, sources, owner)
        self.declared.append(credential)
        return credential

    @property
    def supplied(self) -> list[Credential]:
        """The credentials whose Secrets are not among the manifests."""
        return self.declared if self.settings.source == "generated" else []

    def write_external_secrets(self, scope: Construct) -> None:
        """Create one ExternalSecret for each credential, if that is where they come from."""
        if self.settings.source != "external-secrets":
            return
        from imports.io.external_secrets import (  # noqa: PLC0415 # most environments need none of it
            ExternalSecret,
            ExternalSecretSpec,
            ExternalSecretSpecData,
            ExternalSecretSpecDataRemoteRef,
            ExternalSecretSpecSecretStoreRef,
            ExternalSecretSpecSecretStoreRefKind,
            ExternalSecretSpecTarget,
        )

        for credential in self.declared:
            ExternalSecret(
                scope,
                credential.secret,
                metadata=credential.owner.resource_metadata(credential.secret),
                spec=ExternalSecretSpec(
                    refresh_interval=f"{seconds_of(self.settings.refresh)}s",  # the operator knows no days
                    secret_store_ref=ExternalSecretSpecSecretStoreRef(
                        name=self.settings.store,
                        kind=ExternalSecretSpecSecretStoreRefKind.CLUSTER_SECRET_STORE,
                    ),
                    target=ExternalSecretSpecTarget(name=credential.secret),
                    data=[
                        ExternalSecretSpecData(
                            secret_key=key,
                            remote_ref=ExternalSecretSpecDataRemoteRef(
                                key=f"{self.settings.prefix}{credential.secret}", property=key
                            ),
                        )
                        for key in credential.sources
                    ],
                ),
            )
