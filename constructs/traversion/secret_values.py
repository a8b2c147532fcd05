"""Makes the Secrets that an environment declares, of what exists, what is supplied and new random values."""

import base64
import binascii
import secrets
import string
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from traversion.platform.credentials import Credential, Derived, Fixed, Random, Supplied
from traversion.refusal import SettingsRefused

_ALPHABET = string.ascii_letters + string.digits

Values = Mapping[str, Mapping[str, str]]
"""Secret name -> key -> value."""


@dataclass
class SecretManifests:
    """Secrets to apply, and what is still to be supplied: "secret/key" with its description."""

    manifests: list[Mapping[str, Any]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


def make_secrets(credentials: Iterable[Credential], *, current: Values, supplied: Values) -> SecretManifests:
    """Return every declared Secret; a value that exists is kept, so that running it again changes nothing.

    Raises ``SettingsRefused`` for a supplied key that is not declared as one to supply.
    """
    credentials = list(credentials)
    _check_supplied(credentials, supplied)
    result = SecretManifests()
    for credential in credentials:
        existing = current.get(credential.secret, {})
        values = dict(existing)
        for key, source in credential.sources.items():
            value = _value(source, existing.get(key), supplied.get(credential.secret, {}).get(key))
            if value is not None:
                values[key] = value
            elif isinstance(source, Supplied):
                result.missing[f"{credential.secret}/{key}"] = source.what
        _derive(credential, values)
        if values:
            result.manifests.append(_manifest(credential, values))
    return result


def read_secrets(text: str, source: str, *, namespace: str, names: Collection[str]) -> Values:
    """Read the named Secrets from what ``kubectl get secrets -o yaml`` (or ``-o json``) printed.

    Those of other namespaces, and others of this one, are passed over.
    Raises ``SettingsRefused`` for text that is not that.
    """
    try:
        documents = [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]
        listed = [item for document in documents for item in document.get("items", [document])]
        return {
            item["metadata"]["name"]: _decoded(item)
            for item in listed
            if item["kind"] == "Secret"
            and item["metadata"]["name"] in names
            and item["metadata"].get("namespace", namespace) == namespace
        }
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise SettingsRefused(
            f"--current {source}: is not a list of Secrets ({type(error).__name__}: {error}); "
            "give what `kubectl get secrets --output yaml` prints"
        ) from error


def _check_supplied(credentials: Iterable[Credential], supplied: Values) -> None:
    known = {
        f"{credential.secret}/{key}"
        for credential in credentials
        for key, source in credential.sources.items()
        if isinstance(source, Supplied)
    }
    for name in (f"{secret}/{key}" for secret, keys in supplied.items() for key in keys):
        if name not in known:
            raise SettingsRefused(
                f"--supply {name}: is not for the operator to supply here; "
                f"{'these are: ' + ', '.join(sorted(known)) if known else 'nothing is'}"
            )


def _value(source: object, existing: str | None, supplied: str | None) -> str | None:
    if isinstance(source, Fixed):
        return source.value
    if isinstance(source, Random):
        return existing or "".join(secrets.choice(_ALPHABET) for _ in range(source.length))
    return supplied or existing


def _derive(credential: Credential, values: dict[str, str]) -> None:
    """Compute what follows from other keys, unless it is there and still does."""
    for key, source in credential.sources.items():
        if isinstance(source, Derived) and not (key in values and source.holds(values, values[key])):
            values[key] = source.compute(values)


def _manifest(credential: Credential, values: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": credential.secret,
            "namespace": credential.owner.namespace,
            "labels": credential.owner.lasting_labels,
            "annotations": {"traversion.io/purpose": credential.purpose},
        },
        "type": "Opaque",
        "stringData": dict(values),
    }


def _decoded(secret: Mapping[str, Any]) -> dict[str, str]:
    data = {
        key: base64.b64decode(value, validate=True).decode()
        for key, value in (secret.get("data") or {}).items()
    }
    return data | (secret.get("stringData") or {})
