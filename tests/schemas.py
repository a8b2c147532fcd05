"""Schemas of Kubernetes and of custom resources, strict: what a schema does not know is an error.

`kubernetes_validate.validate` reads two megabytes of definitions for each object; here each version is
read once. The custom resources' schemas lie beside the repository.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types
from referencing import Registry, Resource

from tests.manifests import REPOSITORY, Json, Manifest

CRDS = REPOSITORY.parent / "shared" / "crds"
_SCHEMAS = files("kubernetes_validate") / "kubernetes-json-schema"


def errors_of(manifest: Manifest, version: str) -> list[str]:
    """Return what an API server of this version would refuse about an object of its own."""
    return _errors(_validator(version, manifest["apiVersion"], manifest["kind"]), manifest)


def errors_of_custom(manifest: Manifest) -> list[str]:
    """Return what the resource's definition refuses about it."""
    schemas = _custom_schemas()
    identity = (manifest["apiVersion"], manifest["kind"])
    assert identity in schemas, f"{identity} is in none of {CRDS}"
    return _errors(schemas[identity], manifest)


def is_custom(manifest: Manifest) -> bool:
    """Say whether an operator, and not Kubernetes itself, defines this kind."""
    group = manifest["apiVersion"].partition("/")[0]
    operators = {"autoscaling.k8s.io", "gateway.networking.k8s.io"}
    return ("." in group and not group.endswith(".k8s.io")) or group in operators


def _errors(validator: Draft202012Validator, manifest: Manifest) -> list[str]:
    errors: Iterable[Any] = validator.iter_errors(manifest)  # pyright: ignore[reportUnknownMemberType]
    return [f"{error.json_path}: {error.message}" for error in errors]


@cache
def _registry(version: str) -> Registry[Any]:
    text = (_SCHEMAS / f"v{version}.0-local-strict" / "_definitions.json").read_text(encoding="utf-8")
    definitions: Resource[Any] = Resource.from_contents(json.loads(text))
    registry: Registry[Any] = Registry()
    return (definitions @ registry).crawl()


@cache
def _validator(version: str, api_version: str, kind: str) -> Draft202012Validator:
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    file = _SCHEMAS / f"v{version}.0-local-strict" / f"{kind.lower()}-{group}.json"
    assert file.is_file(), f"Kubernetes {version} has no {kind} of {api_version}"
    schema = json.loads(file.read_text(encoding="utf-8"))
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ _registry(version))


@cache
def _custom_schemas() -> dict[tuple[str, str], Draft202012Validator]:
    found: dict[tuple[str, str], Draft202012Validator] = {}
    for file in sorted(CRDS.glob("*.yaml")):
        for definition in _definitions(file.read_text(encoding="utf-8")):
            spec = definition["spec"]
            for version in spec["versions"]:
                schema = cast("Manifest", _closed(version["schema"]["openAPIV3Schema"]))
                schema["properties"]["metadata"] = {"type": "object"}
                schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = Draft202012Validator(
                    schema
                )
    return found


def _definitions(text: str) -> Iterable[Manifest]:
    documents: list[Manifest] = [each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each]
    for document in documents:
        items: list[Manifest] = document.get("items", [document])
        yield from (item for item in items if item["kind"] == "CustomResourceDefinition")


def _closed(schema: Json) -> Json:
    """Close every object that names its properties: the API server drops others silently."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(closed.get("properties"), dict) and "type" in closed:
        keeps = closed.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in closed
        if not keeps:
            closed["additionalProperties"] = False
    if closed.pop("nullable", False) and "type" in closed:
        closed["type"] = [closed["type"], "null"]
    return closed
