"""What runbooks tell people to ask the database and Redis, asked of real ones through docs/runbooks/tools.sh.

A stand-in for kubectl checks pod, container and namespace against production's manifests and runs what is
behind ``--`` on this machine. TimescaleDB's views are stand-ins: tables with the columns that are documented.
"""

import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.integration.cache import Redis
from tests.integration.conftest import MakePostgres, apply_schema
from tests.integration.kubelet import Secrets
from tests.integration.processes import USER, as_user, complete, free_port
from tests.manifests import REPOSITORY, Manifest, of_kind

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

PAGES = sorted((REPOSITORY / "docs/runbooks").glob("*.md"))
VIEWS = """
CREATE SCHEMA timescaledb_information;
CREATE TABLE timescaledb_information.jobs (job_id int, proc_name name, hypertable_name name,
    schedule_interval interval, scheduled bool);
CREATE TABLE timescaledb_information.job_stats (job_id int, last_run_status text, job_status text,
    last_successful_finish timestamptz, next_start timestamptz, total_runs bigint, total_failures bigint);
"""
KUBECTL = """#!/bin/sh
# kubectl exec [-i] POD -c CONTAINER -n NAMESPACE -- COMMAND...
[ "$1" = exec ] && shift
[ "$1" = -i ] && shift
echo "$1/$3/$5" >>"$SEEN"
shift 6
exec "$@"
"""


def commands(name: str) -> Iterator[tuple[str, str]]:
    """Yield page and input of each use of a tool: the words behind it, or the SQL below it."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for script in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            if name == "sql":
                yield from (
                    (page.stem, found) for found in re.findall(r"<<'SQL'\n(.*?)\nSQL", script, re.DOTALL)
                )
            else:
                yield from (
                    (page.stem, found) for found in re.findall(rf"^{name} (.*)$", script, re.MULTILINE)
                )


def ask(
    tools: Path, script: str, environment: dict[str, str], user: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script as an operator's shell does, with the stand-in for kubectl."""
    seen = tools / "seen"
    seen.touch()
    seen.chmod(0o666)
    path = f"{tools}:{environment.get('PATH', '')}"
    variables = complete({**environment, "PATH": path, "SEEN": str(seen)})
    program = f". {REPOSITORY / 'docs/runbooks/tools.sh'} traversion-system\n{script}"
    return subprocess.run(
        as_user(["sh", "-c", program], user),
        env=variables,
        cwd=tools,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def tools(host: Path) -> Path:
    folder = host / "tools"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "kubectl").write_text(KUBECTL, encoding="utf-8")
    (folder / "kubectl").chmod(0o755)
    return folder


def containers(manifests: Sequence[Manifest]) -> set[str]:
    return {
        f"{each['metadata']['name']}-0/{container['name']}/{each['metadata']['namespace']}"
        for each in of_kind(manifests, "StatefulSet")
        for container in each["spec"]["template"]["spec"]["containers"]
    }


def test_every_question_to_the_database_is_answered(
    make_postgres: MakePostgres, host: Path, tools: Path, production: Sequence[Manifest]
) -> None:
    questions = list(commands("sql"))
    assert len(questions) > 20
    postgres = make_postgres()
    with postgres.running():
        done = apply_schema(postgres, host / "schema")
        assert done.returncode == 0, done.stderr
        assert postgres.superuser(VIEWS).returncode == 0
        # One shell for all; psql stops at the first error, and says whose question it was.
        script = "\n".join(
            f"echo {page} >&2; sql -v ON_ERROR_STOP=1 <<'SQL' || exit 1\n{text}\nSQL"
            for page, text in questions
        )
        answered = ask(tools, script, postgres.local, USER)
    assert answered.returncode == 0, answered.stderr.splitlines()[-3:]
    assert set((tools / "seen").read_text(encoding="utf-8").split()) <= containers(production)


def test_every_question_to_redis_is_answered(  # noqa: PLR0917 # fixtures
    redis_server: str,
    redis_cli: str,
    production: Sequence[Manifest],
    secrets: Secrets,
    host: Path,
    tools: Path,
) -> None:
    assert redis_server
    assert redis_cli
    questions = sorted({text for _, text in commands("redis")})
    assert len(questions) > 8
    server = Redis(production, host / "redis", secrets=secrets, port=free_port())
    # The pod's socket is a file of this machine.
    socket = server.pod.path("/run/redis/redis.sock")
    passed_on = f'[ "$1 $2" = "-s /run/redis/redis.sock" ] && shift 2\nexec {redis_cli} -s {socket} "$@"'
    (tools / "redis-cli").write_text(f"#!/bin/sh\n{passed_on}\n", encoding="utf-8")
    (tools / "redis-cli").chmod(0o755)
    with server.running():
        for question in questions:
            environment = server.pod.environment("redis")
            answered = ask(tools, f"redis {question}", environment)
            assert answered.returncode == 0, question
            assert answered.stdout.strip(), question
            assert not re.match(r"ERR|NOPERM|NOAUTH|WRONGPASS", answered.stdout), (question, answered.stdout)
    assert set((tools / "seen").read_text(encoding="utf-8").split()) <= containers(production)


def test_the_stand_in_takes_apart_what_the_tools_pass_on() -> None:
    text = (REPOSITORY / "docs/runbooks/tools.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip().startswith("kubectl exec")]
    assert len(lines) == 3
    for line in lines:
        words = [word for word in shlex.split(line) if word != "-i"]
        assert words[:2] == ["kubectl", "exec"]
        assert (words[3], words[5], words[7]) == ("-c", "-n", "--")
