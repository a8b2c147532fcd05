"""Runs the checks on small YAML texts."""

import yaml

from traversion.verify import Finding, from_objects, verify


def findings(manifests: str) -> list[Finding]:
    """Return what is found in a YAML text of one or more documents."""
    return verify(from_objects(list(yaml.safe_load_all(manifests))))


def found(manifests: str) -> set[str]:
    """Return the ids of the checks that fire on a YAML text."""
    return {finding.check.id for finding in findings(manifests)}


def errors(manifests: str) -> set[str]:
    """Return the ids of the checks that report an error."""
    return {finding.check.id for finding in findings(manifests) if finding.severity == "error"}
