"""Each alert has its page, each page its alert, and what a page tells people to type names what exists.

The kubectl commands of all pages are checked in tests/test_docs.py, those for the database and Redis against
real servers in tests/integration/test_runbook_commands.py.
"""

import re
from pathlib import Path

import pytest

from tests.manifests import REPOSITORY
from traversion.contract import TRAVERSION
from traversion.observability.metrics import demand
from traversion.observability.rules import Place, Subject, rule_groups

FOLDER = REPOSITORY / "docs/runbooks"
PAGES = sorted(FOLDER.glob("*.md"))
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation"]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def test_each_alert_has_a_page_and_each_page_an_alert() -> None:
    groups = rule_groups(Subject(TRAVERSION), Place("", "", ""))
    alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    assert {page.stem for page in PAGES} == alerts


@every_page
def test_a_page_answers_every_question(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    for section in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]:
        assert len(section.split()) > 1 or section.strip() == "None.", page.name
    diagnosis = text.partition("## Diagnosis")[2].partition("## Mitigation")[0]
    assert "```sh\n" in diagnosis
    assert "\n- " in diagnosis


@every_page
def test_queries_of_prometheus_ask_for_what_exists(page: Path) -> None:
    for query in re.findall(r"^promql '(.*)'$", page.read_text(encoding="utf-8"), re.MULTILINE):
        demand(query)


@every_page
def test_what_a_page_uses_it_has_loaded(page: Path) -> None:
    (script,) = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    uses = bool(re.search(r"^(sql|redis|promql) ", script, re.MULTILINE))
    assert script.startswith(". docs/runbooks/tools.sh traversion-system\n") == uses
    for line in re.sub(r"<<'SQL'\n.*?^SQL$", "", script, flags=re.DOTALL | re.MULTILINE).splitlines():
        assert line.split()[0] in {".", "kubectl", "sql", "redis", "promql"}, line
