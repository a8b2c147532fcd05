"""The operator's command line.

cdk8s takes half a second to load; only the commands that synthesize do.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from traversion.refusal import SettingsRefused
from traversion.verify import command as verify

if TYPE_CHECKING:
    from traversion.settings import Environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except SettingsRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="traversion", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    secrets = commands.add_parser(
        "secrets",
        help="print the Secrets of an environment, ready for kubectl",
        description="Prints the Secrets that an environment needs, with strong random values, for "
        "`kubectl apply --server-side --filename -`. What is left to supply is said on standard error.",
    )
    secrets.add_argument("environment", help="name of the environment, e.g. production")
    secrets.add_argument(
        "--current",
        metavar="FILE",
        help="what `kubectl get secrets --output yaml` prints (- for standard input): values there are kept",
    )
    secrets.add_argument(
        "--supply",
        metavar="SECRET/KEY=FILE",
        action="append",
        default=[],
        help="take a value that only you know from a file; may be repeated",
    )
    secrets.set_defaults(run=_secrets)
    _describe_restore(
        commands.add_parser(
            "restore",
            help="print what restores the database of an environment, ready for kubectl",
            description="Prints the objects that restore the database, for `kubectl apply --server-side "
            "--filename -`. Nothing that runs is changed by applying them, except with --in-place.",
        )
    )
    verify.describe(
        commands.add_parser(
            "verify",
            help="check manifests, of this program or any other, as one graph",
            description="Checks a set of Kubernetes manifests against each other. Exit code 0: clean, "
            "1: findings, 2: unusable input.",
        )
    )
    docs = commands.add_parser("docs", help="write the generated parts of README.md and docs/")
    docs.set_defaults(run=_docs)
    return parser


def _describe_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", help="name of the environment, e.g. production")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--beside", action="store_true", help="start a server of its own, timescaledb-restored"
    )
    where.add_argument(
        "--in-place",
        action="store_true",
        help="refill the volume of timescaledb, which must be scaled to 0; the old data is put aside on it",
    )
    where.add_argument(
        "--dump",
        metavar="NAME",
        help='restore a dump of the archive, or the "latest", into the new database traversion_restored',
    )
    parser.add_argument(
        "--time",
        help='restore this moment, e.g. "2026-11-25 14:30:00+00:00"; without it all that was archived',
    )
    parser.add_argument(
        "--repository", choices=("primary", "offsite", "archive"), help="where to restore from"
    )
    parser.add_argument(
        "--backups",
        metavar="FILE",
        help="what `pgbackrest --output=json info` prints (- for standard input): checked against --time",
    )
    parser.set_defaults(run=_restore)


def _restore(options: argparse.Namespace) -> int:
    from traversion.restoring import REPOSITORIES, check_covered, dump_name, moment, restore_manifests
    from traversion.timescaledb.restore import Restore

    environment = _environment(options.environment)
    # A shell variable that is not set makes an empty argument: that is a mistake, and not no argument.
    dump = options.dump is not None
    if dump and (options.time is not None or options.repository not in {None, "archive"}):
        raise SettingsRefused(
            "--dump: a dump is of one moment, and in the archive: leave --time and --repository out"
        )
    restore = Restore(
        "dump" if dump else "in-place" if options.in_place else "beside",
        repository=REPOSITORIES[options.repository or ("archive" if dump else "primary")],
        time=None if options.time is None else moment(options.time),
        dump=dump_name(options.dump) if dump else "latest",
    )
    if options.backups is not None:
        check_covered(restore, _read(options.backups), options.backups)
    manifests = restore_manifests(environment, restore)
    yaml.dump_all(manifests, sys.stdout, Dumper=yaml.CSafeDumper, sort_keys=False)
    return 0


def _secrets(options: argparse.Namespace) -> int:
    from cdk8s import App

    from traversion.chart import TraversionChart
    from traversion.secret_values import Values, make_secrets, read_secrets

    environment = _environment(options.environment)
    supplied: dict[str, dict[str, str]] = {}
    for argument in options.supply:
        name, separator, file = argument.partition("=")
        secret, slash, key = name.partition("/")
        if not separator or not slash:
            raise SettingsRefused(f"--supply {argument}: write SECRET/KEY=FILE")
        supplied.setdefault(secret, {})[key] = _read(file).strip()

    platform = TraversionChart(App(), environment).platform
    declared = platform.credentials.supplied
    current: Values = {}
    if options.current:
        names = {credential.secret for credential in declared}
        text = _read(options.current)
        current = read_secrets(text, options.current, namespace=environment.namespace, names=names)
    made = make_secrets(declared, current=current, supplied=supplied)
    yaml.dump_all(made.manifests, sys.stdout, Dumper=yaml.CSafeDumper, sort_keys=False)
    for name, what in made.missing.items():
        print(f"To supply: {what}.\n  Add --supply {name}=FILE", file=sys.stderr)
    if not declared:
        print(f"{environment.name} takes its Secrets from an external store.", file=sys.stderr)
    for name in sorted(platform.pull_secrets):
        print(f"To supply: the image pull Secret {name}.", file=sys.stderr)
    return 0


def _docs(_options: argparse.Namespace) -> int:
    from traversion.reference import generated
    from traversion.synthesis import load_environments

    for file, text in generated(load_environments()).items():
        file.write_text(text, encoding="utf-8")
    return 0


def _environment(name: str) -> "Environment":
    """Return the one environment of this name."""
    from traversion.synthesis import load_environments

    environments = load_environments()
    if name not in environments:
        raise SettingsRefused(
            f"ENVIRONMENT = {name!r}: no environment has this name; name one of {', '.join(environments)}"
        )
    return environments[name]


def _read(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"{file}: cannot be read: {error}") from error
