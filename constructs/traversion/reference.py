"""The generated parts of the documentation: `make docs` writes them, a test tells when they are out of date.

Settings are read from the source of ``settings/`` and ``values/``, where each has its description below
it; the picture and the table of network flows come from the environments.
"""

import ast
import inspect
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from cdk8s import App

from traversion import settings, values
from traversion.chart import TraversionChart
from traversion.contract import TRAVERSION
from traversion.observability.metrics import CATALOGUE, JOBS, Job
from traversion.observability.rules import Place, Subject, rule_groups
from traversion.platform.component import Component
from traversion.platform.flows import ACME_SOLVER, Addresses, Endpoint, Flow, Pods
from traversion.settings import Environment
from traversion.verify import CHECKS

ROOT = Path(__file__).parents[2]
_NOTE = "Written by `make docs`, do not edit."
_PICTURE = re.compile(
    r"(?<=<!-- written by make docs -->\n).*?(?=<!-- end of what make docs wrote -->)", re.DOTALL
)
_CARRIERS = ("ingress-nginx", "gateway", "load-balancers")
"""What `SecureIngress` calls the ends that bring in requests, one in each environment."""
_GROUPS = {
    "Ingress": (*_CARRIERS, "login", ACME_SOLVER.name),
    "Application": ("api",),
    "Data": ("database", "cache", "migration", "backup"),
}
"""Of the picture: names of ends, or roles of components. The other components observe."""


def generated(environments: Mapping[str, Environment]) -> dict[Path, str]:
    """Return every generated file with its content; the pictures show ``production``."""
    flows = {
        name: TraversionChart(App(), environment).platform.network.flows
        for name, environment in environments.items()
    }
    readme, picture = ROOT / "README.md", _picture(flows["production"])
    return {
        readme: _PICTURE.sub(lambda _: picture, readme.read_text(encoding="utf-8")),
        ROOT / "docs/settings.md": _settings_page(),
        ROOT / "docs/network-flows.md": _flows_page(flows),
        ROOT / "docs/checks.md": _checks_page(),
        ROOT / "docs/metrics.md": _metrics_page(),
    }


def _picture(flows: Iterable[Flow], *, scrapes: bool = False) -> str:
    edges: dict[tuple[str, str, str], set[int]] = {}
    groups: dict[str, dict[str, str]] = {}
    for flow in flows:
        scrape = flow.reason.startswith("scrape")
        if flow.reason == "look up names" or (scrape and not scrapes):
            continue
        for end in (flow.source, flow.destination):
            groups.setdefault(_group(end), {})[end.name] = _node(end)
        arrow = "-.->" if scrape else "-->"
        edges.setdefault((flow.source.name, arrow, flow.destination.name), set()).update(flow.ports)
    (carrier,) = {source for source, _, _ in edges if source in _CARRIERS}
    lines = ["flowchart LR", f"    clients([browsers and agents]) -->|443| {carrier}"]
    for group in (*_GROUPS, "Observability", "Outside"):
        lines += [f"    subgraph {group}", *(f"        {node}" for node in groups[group].values()), "    end"]
    for (source, arrow, destination), ports in edges.items():
        lines.append(f"    {source} {arrow}|{', '.join(map(str, sorted(ports)))}| {destination}")
    return "\n".join(["```mermaid", *lines, "```", ""])


def _group(end: Endpoint) -> str:
    key, rest = (end.role, "Observability") if isinstance(end, Component) else (end.name, "Outside")
    return next((group for group, members in _GROUPS.items() if key in members), rest)


def _node(end: Endpoint) -> str:
    keeps_data = isinstance(end, Component) and end.role in {"database", "cache"}
    return f"{end.name}[({end.name})]" if keeps_data else f"{end.name}[{end.name}]"


def _flows_page(flows: Mapping[str, Iterable[Flow]]) -> str:
    where: dict[tuple[str, str, str, str], list[str]] = {}
    ends: dict[str, Endpoint] = {}
    for name, declared in flows.items():
        for flow in declared:
            ends |= {end.name: end for end in (flow.source, flow.destination)}
            ports = f"{', '.join(map(str, flow.ports))} {'/'.join(flow.protocols)}"
            where.setdefault((flow.source.name, flow.destination.name, ports, flow.reason), []).append(name)
    rows: dict[tuple[str, ...], list[str]] = {}
    for (source, *rest), names in where.items():
        rows.setdefault((*rest, "all" if len(names) == len(flows) else ", ".join(names)), []).append(source)
    connections = ((", ".join(sources), *rest) for rest, sources in rows.items())
    others = ((end.name, _outside(end)) for end in ends.values() if not isinstance(end, Component))
    return f"""# Network flows

{_NOTE} These connections are allowed; the NetworkPolicy `default-deny` refuses all others, in and out.

{_table(("From", "To", "Ports", "In order to", "Environments"), connections)}
Ends that are no component of the environment:

{_table(("Name", "What it is"), others)}
## Picture of production

Dashed: metrics are scraped. Left out: names are looked up.

{_picture(flows["production"], scrapes=True)}"""


def _outside(end: Pods | Addresses) -> str:
    if isinstance(end, Addresses):
        return ", ".join(end.cidrs) + (f" except {', '.join(end.exceptions)}" if end.exceptions else "")
    labels = ", ".join(f"`{key}: {value}`" for key, value in end.labels.items())
    return f"pods with {labels} in " + (
        f"the namespace `{end.namespace}`" if end.namespace else "this namespace"
    )


_Described: TypeAlias = tuple[str, ast.expr | None, ast.expr | None, str]
"""A name in a source file with its annotation, its value, and the text below it."""


def _described(body: Sequence[ast.stmt]) -> Iterator[_Described]:
    for statement, below in pairwise(body):
        match statement, below:
            case ast.AnnAssign(ast.Name(name), annotation, value), ast.Expr(ast.Constant(str(text))):
                yield name, annotation, value, _text(text)
            case ast.Assign([ast.Name(name)], value), ast.Expr(ast.Constant(str(text))):
                yield name, None, value, _text(text)


def _statements(package: ModuleType) -> list[ast.stmt]:
    """Return what stands in all modules of a package."""
    folder = Path(inspect.getfile(package)).parent
    sources = (file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py")))
    return [statement for source in sources for statement in ast.parse(source).body]


def _settings_page() -> str:
    module = _statements(settings)
    groups = {node.name: node for node in module if isinstance(node, ast.ClassDef)}
    shared = {ast.unparse(node.targets[0]): node.value for node in module if isinstance(node, ast.Assign)}
    places: dict[str, list[str]] = {}
    found = [("Environment", "")]
    for group, path in found:  # grows while it is walked
        places.setdefault(group, []).append(path)
        for name, annotation, _, _ in _described(groups[group].body):
            words = re.findall(r"\w+", ast.unparse(annotation)) if annotation else []
            found += [(word, f"{path}.{name}".strip(".")) for word in words if word in groups]
    page = [f"# Settings\n\n{_NOTE} What `environments/*.py` may say, group by group.\n"]
    for group, paths in places.items():
        at = f"At {', '.join(f'`{path}`' for path in paths)}. " if any(paths) else ""
        page.append(f"## {group}\n\n{at}{_text(ast.get_docstring(groups[group]) or '')}\n")
        rows = []
        for name, annotation, value, text in _described(groups[group].body):
            default = shared.get(value.id, value) if isinstance(value, ast.Name) else value
            written = f"`{ast.unparse(default)}`".replace("'", '"') if default else "required"
            rows.append((f"`{name}`", _kind(annotation, groups), written, text))
        page.append(_table(("Setting", "Value", "Default", "Meaning"), rows))
    described = _described(_statements(values))
    kinds = [(f"`{name}`", text) for name, _, _, text in described if name in values.__all__]
    return "\n".join([*page, "## Kinds of value\n", _table(("Kind", "What it is"), kinds)])


def _kind(annotation: ast.expr | None, groups: Container[str]) -> str:
    kind = f"`{ast.unparse(annotation)}`" if annotation else ""
    match annotation:
        case ast.BinOp(left=left, right=ast.Constant(None)):
            kind = f"{_kind(left, groups)}, or `None`"
        case ast.BinOp(left=left, right=right):
            kind = f"{_kind(left, groups)}, {_kind(right, groups)}"
        case ast.Subscript(ast.Name("Annotated"), ast.Tuple([inner, ast.Call(keywords=bounds)])):
            words = {
                "ge": "from",
                "le": "to",
                "lt": "to below",
                "min_length": "at least",
                "pattern": "matching",
            }
            limits = (f"{words[b.arg or '']} `{ast.literal_eval(b.value)}`" for b in bounds)
            kind = f"{_kind(inner, groups)} {' '.join(limits)}"
        case ast.Subscript(ast.Name("Literal"), ast.Tuple(choices)):
            kind = " or ".join(f'`"{ast.literal_eval(choice)}"`' for choice in choices)
        case ast.Subscript(ast.Name("Sequence"), inner):
            kind = f"list of {_kind(inner, groups)}"
        case ast.Name(name) if name in groups:
            kind = f"[{name}](#{name.lower()})"
        case ast.Name(name) if hasattr(values, name):
            kind = f"[{name}](#kinds-of-value)"
    return kind


def _text(docstring: str) -> str:
    return " ".join(docstring.split()).replace("``", "`")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def _checks_page() -> str:
    lines = [
        "# Checks",
        "",
        _NOTE,
        "",
        "What `traversion verify` looks for; [verify.md](verify.md) tells how it is used.",
        "`traversion verify --explain ID` shows each check wrong and right.",
    ]
    for group, members in groupby(CHECKS.values(), key=lambda each: each.group):
        title = group.replace("_", " ").capitalize()
        lines += [
            "",
            f"## {title}",
            "",
            "| Check | Severity | Finds | In a cluster |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| `{each.id}` | {each.severity} | {_cell(each.what)} | {_cell(each.why)} |" for each in members
        ]
    return "\n".join(lines) + "\n"


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("<", "&lt;")


_UNITS = {"1": "", "true": "1 when so"}
_METRICS = """# Metrics

{note}

Everything that a rule, a dashboard or the autoscaler may ask for. A name or label that is not here is
refused when the rule or panel is made (`constructs/traversion/observability/metrics.py`).

{jobs}
## Recorded

{recorded}
## Alerts

{alerts}"""


def _metrics_page() -> str:
    of_every_job = Job("", "Prometheus itself", ())
    jobs = [_exported(job) for job in (*JOBS, of_every_job) if any(f.job == job.name for f in CATALOGUE)]
    groups = rule_groups(Subject(TRAVERSION), Place("", "", ""))
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = [(f"`{rule['record']}`", f"`{_text(rule['expr'])}`") for rule in rules if "record" in rule]
    alerts = [
        (
            f"[{rule['alert']}](runbooks/{rule['alert']}.md)",
            rule["labels"]["severity"],
            rule["labels"]["component"],
            "at once" if rule["for"] == "0m" else rule["for"],
            rule["annotations"]["summary"],
        )
        for rule in rules
        if "alert" in rule
    ]
    return _METRICS.format(
        note=_NOTE,
        jobs="\n".join(jobs),
        recorded=_table(("Series", "Made of"), recorded),
        alerts=_table(("Alert", "Severity", "Component", "After", "Says"), alerts),
    )


def _exported(job: Job) -> str:
    title = f"Job `{job.name}`: {job.exporter}" if job.name else f"Every job: {job.exporter}"
    labels = ", ".join(f"`{label}`" for label in job.target_labels)
    rows = [
        (
            f"`{family.name}`",
            family.kind,
            ", ".join(f"`{label}`" for label in family.labels if label not in job.target_labels),
            _UNITS.get(family.unit, family.unit),
            family.help,
        )
        for family in CATALOGUE
        if family.job == job.name
    ]
    each = f"Each series also has {labels}.\n\n" if labels else ""
    return f"## {title}\n\n{each}{_table(('Metric', 'Type', 'Labels', 'Unit', 'What it is'), rows)}"
