"""The environment's own certificate authority, and how it is replaced."""

import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from traversion.settings.base import Settings, refuse

_CERTIFICATE = r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+\n-----END CERTIFICATE-----"


class AuthoritySettings(Settings):
    """The internal certificate authority; docs/operations/certificates.md says how these replace it."""

    generation: Annotated[int, Field(ge=1, le=999)] = 1
    """Which authority signs: each generation has a key of its own."""
    successor: bool = False
    """Create the next generation beside it, which signs nothing yet."""
    trusted: str = ""
    """Certificates of all authorities that clients trust meanwhile, in PEM; they are no secret. Empty: each
    client trusts the one that signed its server's certificate. A change rolls every client's pods."""

    @model_validator(mode="after")
    def _certificates_only(self) -> Self:
        rest = re.sub(_CERTIFICATE, "", self.trusted).strip()
        if rest:
            shown = "a private key" if "PRIVATE KEY" in rest else rest[:40]
            raise refuse(
                "trusted", shown, "must be certificates in PEM and nothing else: tls.crt, not tls.key"
            )
        return self
