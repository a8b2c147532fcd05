"""Fixtures for all tests: the environments, synthesized once, and the real programs that check them."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

# The program comes first: it chooses the Node that cdk8s starts.
from tests.checkout import Checkout
from tests.manifests import Manifest, Synthesis, synthesize_environment
from tests.variants import variant
from traversion.settings import Environment
from traversion.synthesis import load_environments

_POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
NGINX_STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # not on everybody's PATH


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-snapshots", action="store_true", help="accept what is synthesized as tests/snapshots/"
    )


@pytest.fixture(scope="session", autouse=True)
def _plain_surroundings() -> Iterator[None]:
    """What the caller exported for `make synth` must not choose what the tests synthesize."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TRAVERSION_ENV", "TRAVERSION_IMAGE_TAG", "CDK8S_OUTDIR"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def environments() -> dict[str, Environment]:
    return load_environments()


@pytest.fixture(scope="session")
def syntheses(environments: dict[str, Environment]) -> dict[str, Synthesis]:
    return {name: synthesize_environment(environment) for name, environment in environments.items()}


@pytest.fixture(scope="session")
def manifests(syntheses: dict[str, Synthesis]) -> dict[str, list[Manifest]]:
    return {name: synthesis.manifests for name, synthesis in syntheses.items()}


@pytest.fixture(scope="session")
def dev(manifests: dict[str, list[Manifest]]) -> list[Manifest]:
    return manifests["dev"]


@pytest.fixture(scope="session")
def staging(manifests: dict[str, list[Manifest]]) -> list[Manifest]:
    return manifests["staging"]


@pytest.fixture(scope="session")
def production(manifests: dict[str, list[Manifest]]) -> list[Manifest]:
    return manifests["production"]


Program = Callable[[str], str]


@pytest.fixture(scope="session")
def program() -> Program:
    """Finds a program by name. What is missing skips the test here, and fails it where CI=true."""

    def find(name: str) -> str:
        path = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
        return shutil.which(name, path=path) or _unavailable(f"{name} is not installed")

    return find


Unavailable = Callable[[str], NoReturn]


@pytest.fixture(scope="session")
def unavailable() -> Unavailable:
    """Tells that this machine lacks something: skips the test here, and fails it where CI=true."""
    return _unavailable


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def promtool(program: Program) -> str:
    return program("promtool")


@pytest.fixture(scope="session")
def amtool(program: Program) -> str:
    return program("amtool")


@pytest.fixture(scope="session")
def prometheus(program: Program) -> str:
    return program("prometheus")


@pytest.fixture(scope="session")
def alertmanager(program: Program) -> str:
    return program("prometheus-alertmanager")


@pytest.fixture(scope="session")
def redis_server(program: Program) -> str:
    return program("redis-server")


@pytest.fixture(scope="session")
def redis_cli(program: Program) -> str:
    return program("redis-cli")


@pytest.fixture(scope="session")
def nginx(program: Program) -> str:
    """With the module that Debian packs apart, and the deployed image has built in."""
    found = program("nginx")
    return found if NGINX_STREAM_MODULE.exists() else _unavailable("libnginx-mod-stream is not installed")


@pytest.fixture(scope="session")
def postgres_bin() -> str:
    """The folder of PostgreSQL 15's programs, the version that is deployed."""
    if not (_POSTGRES_BIN / "postgres").exists():
        _unavailable("PostgreSQL 15 is not installed")
    return str(_POSTGRES_BIN)


@pytest.fixture(scope="session")
def variants(environments: dict[str, Environment]) -> Callable[[str], Synthesis]:
    """Synthesizes a variant by name, once."""

    @cache
    def synthesized(name: str) -> Synthesis:
        return synthesize_environment(variant(environments, name))

    return synthesized


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A copy of the program's surroundings, to edit and to break."""
    return Checkout.create(tmp_path, monkeypatch)
