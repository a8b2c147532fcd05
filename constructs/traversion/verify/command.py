"""The command `traversion verify`: manifests in, findings out."""

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches

from traversion.verify.check import CHECKS, Check
from traversion.verify.graph import Graph
from traversion.verify.model import Resource
from traversion.verify.reachability import FORMATS, connections
from traversion.verify.reading import UnusableInput, read_manifests
from traversion.verify.report import as_json, as_text, catalogue, explanation
from traversion.verify.run import verify

_UNUSABLE = 2


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "paths", nargs="*", metavar="DIR|FILE|-", help="manifests; a folder is read as kubectl does"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--severity",
        choices=("error", "warning"),
        default="warning",
        help="the least that is reported and fails",
    )
    parser.add_argument(
        "--ignore", metavar="ID", action="append", default=[], help="leave a check out; may be repeated"
    )
    parser.add_argument(
        "--explain", metavar="ID", help="tell what a check looks for, why, and how it is done right"
    )
    parser.add_argument("--list", action="store_true", help="list the checks")
    parser.add_argument(
        "--reachability", choices=tuple(FORMATS), help="print who may talk to whom instead of findings"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Verify and report; return 0 when clean, 1 with findings, 2 for unusable input."""
    try:
        if options.list or options.explain:
            print(explanation(_known(options.explain)) if options.explain else catalogue())
            return 0
        for name in options.ignore:
            _known(name)
        return _judge(options, _manifests(options.paths))
    except UnusableInput as error:
        print(f"traversion verify: {error}", file=sys.stderr)
        return _UNUSABLE


def _known(name: str) -> Check:
    if name not in CHECKS:
        close = get_close_matches(name, CHECKS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "see --list"
        raise UnusableInput(f"no check is called {name!r}; {hint}")
    return CHECKS[name]


def _manifests(paths: Sequence[str]) -> list[Resource]:
    if not paths:
        raise UnusableInput("name a folder, a file or - for standard input")
    return read_manifests(paths)


def _judge(options: argparse.Namespace, resources: Sequence[Resource]) -> int:
    if options.reachability:
        print(FORMATS[options.reachability](connections(Graph(resources))))
        return 0
    findings = [
        finding
        for finding in verify(resources, ignored=options.ignore)
        if options.severity == "warning" or finding.severity == "error"
    ]
    if options.format == "json":
        print(as_json(findings))
    else:
        print(as_text(findings, len(resources), colour=sys.stdout.isatty()))
    return 1 if findings else 0
