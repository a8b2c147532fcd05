"""Runs the checks and takes the exceptions that objects declare."""

from collections.abc import Collection, Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules

from traversion.verify import checks
from traversion.verify.check import CHECKS, Check, Finding, Problem, check
from traversion.verify.graph import Graph
from traversion.verify.keyed import SUPPLIED
from traversion.verify.model import Resource

EXCEPTION_PREFIX = "verify.traversion.io/"
"""An annotation of this name and a check's id excepts the object from the check; its value is the reason."""

for _module in iter_modules(checks.__path__):
    import_module(f"{checks.__name__}.{_module.name}")


def verify(resources: Iterable[Resource], *, ignored: Collection[str] = ()) -> list[Finding]:
    """Return what is wrong with a set of manifests, errors first, in the order of the objects."""
    graph = Graph(resources)
    findings = [
        Finding(each, problem.severity or each.severity, problem)
        for each in CHECKS.values()
        if each.id not in ignored
        for problem in each.find(graph)
    ]
    kept = [finding for finding in findings if not _excepted(finding)]
    kept += _unused_exceptions(graph, findings, ignored)
    return sorted(kept, key=lambda each: (each.severity, each.problem.resource.source.order, each.check.id))


def _excepted(finding: Finding) -> bool:
    return bool(finding.problem.resource.annotations.get(EXCEPTION_PREFIX + finding.check.id, "").strip())


def _unused_exceptions(graph: Graph, findings: list[Finding], ignored: Collection[str]) -> Iterator[Finding]:
    if "exception-unused" in ignored:
        return
    found = {(id(finding.problem.resource), finding.check.id) for finding in findings}
    unused: Check = CHECKS["exception-unused"]
    for resource in graph.resources:
        for identifier in _exceptions(resource):
            if identifier in CHECKS and identifier not in ignored and (id(resource), identifier) not in found:
                yield Finding(
                    unused,
                    unused.severity,
                    Problem(
                        resource,
                        f"metadata.annotations[{EXCEPTION_PREFIX}{identifier}]",
                        f"excepts the object from {identifier}, which finds nothing here",
                        "remove the annotation",
                    ),
                )


def _exceptions(resource: Resource) -> list[str]:
    return [
        key.removeprefix(EXCEPTION_PREFIX)
        for key in resource.annotations
        if key.startswith(EXCEPTION_PREFIX) and key != SUPPLIED
    ]


@check(
    "exception-unused",
    "warning",
    what="An annotation excepts an object from a check that finds nothing there.",
    why="The exception would hide a fault that comes later.",
    wrong="metadata: {annotations: {verify.traversion.io/image-mutable: pinned}}  # image: redis:7.4.11",
    right="metadata: {}",
)
def _none_by_itself(graph: Graph) -> Iterator[Problem]:
    """Found in `verify`, after all other checks."""
    del graph
    yield from ()


@check(
    "exception-invalid",
    "error",
    what="An annotation excepts an object from a check without a reason, or from one that does not exist.",
    why="Nobody will know why the fault was accepted, or none was.",
    wrong='metadata: {annotations: {verify.traversion.io/image-mutable: ""}}',
    right="metadata: {annotations: {verify.traversion.io/image-mutable: our mirror never overwrites}}",
)
def exceptions_give_reasons(graph: Graph) -> Iterator[Problem]:
    """Demand a known check and a reason."""
    for resource in graph.resources:
        for identifier in _exceptions(resource):
            path = f"metadata.annotations[{EXCEPTION_PREFIX}{identifier}]"
            if identifier not in CHECKS:
                yield Problem(resource, path, f"names no check: {identifier}", "see traversion verify --list")
            elif not resource.annotations[EXCEPTION_PREFIX + identifier].strip():
                yield Problem(resource, path, "gives no reason", "write the reason as the annotation's value")
