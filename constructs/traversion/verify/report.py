"""Findings for people and for programs."""

import json
from collections.abc import Sequence
from itertools import groupby

from traversion.verify.check import CHECKS, Check, Finding
from traversion.verify.model import Resource

_COLOURS = {"error": "\033[31m", "warning": "\033[33m", "name": "\033[1m", "faint": "\033[2m"}
_PLAIN = "\033[0m"


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings as a JSON list."""
    return json.dumps([finding.to_dict() for finding in findings], indent=2)


def as_text(findings: Sequence[Finding], objects: int, *, colour: bool) -> str:
    """Return the findings by object, or one line when there are none."""

    def paint(name: str, words: str) -> str:
        return f"{_COLOURS[name]}{words}{_PLAIN}" if colour else words

    if not findings:
        return f"{objects} objects, nothing wrong"
    lines = []
    by_object = sorted(findings, key=lambda each: each.problem.resource.source.order)
    for resource, group in groupby(by_object, key=lambda each: each.problem.resource):
        lines.append(f"{paint('name', resource.reference)}{paint('faint', _place(resource))}")
        for finding in group:
            problem = finding.problem
            lines += [
                f"  {paint(finding.severity, finding.severity)} {finding.check.id} {problem.path}".rstrip(),
                f"    {problem.wrong}",
                f"    {paint('faint', finding.check.why)}",
                f"    -> {problem.remedy}",
            ]
        lines.append("")
    errors = sum(finding.severity == "error" for finding in findings)
    lines.append(f"{objects} objects, {errors} errors, {len(findings) - errors} warnings")
    return "\n".join(lines)


def catalogue() -> str:
    """Return every check with its severity, by subject."""
    lines = []
    for group, members in groupby(CHECKS.values(), key=lambda each: each.group):
        lines.append(group)
        lines += [f"  {each.id:34} {each.severity:8} {each.what}" for each in members]
    return "\n".join(lines)


def explanation(each: Check) -> str:
    """Return the documentation of one check."""
    return (
        f"{each.id} ({each.severity})\n\n{each.what}\n{each.why}\n\n"
        f"Wrong:\n{_indented(each.wrong)}\n\nRight:\n{_indented(each.right)}"
    )


def _indented(manifest: str) -> str:
    return "\n".join(f"  {line}" for line in manifest.splitlines())


def _place(resource: Resource) -> str:
    source = resource.source
    return f"  {source.file}:{source.line}" if source.file else ""
