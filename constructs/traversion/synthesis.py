"""From environment files to ``dist/``: load, check together, synthesize aside, then replace file by file."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from cdk8s import App
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from traversion.chart import TraversionChart
from traversion.refusal import SettingsRefused, refusal
from traversion.settings import Environment, Image
from traversion.verify import read_manifests, verify

_SUFFIX = ".k8s.yaml"


def load_environments(package: str = "environments") -> dict[str, Environment]:
    """Return every environment in the package, by name; each file defines one ``environment``."""
    folder = import_module(package).__path__
    environments = {}
    # A module that begins with an underscore is shared by the others.
    for name in sorted(module.name for module in iter_modules(folder) if not module.name.startswith("_")):
        environment = _load(package, name)
        if environment.name != name:
            raise SettingsRefused(
                f"{name}: name = {environment.name!r}: must be {name!r} like its file, or rename "
                f"environments/{name}.py to {environment.name}.py"
            )
        environments[name] = environment
    if not environments:
        raise SettingsRefused(f"{package}/ holds no environment: add a file such as {package}/production.py")
    _check_together(environments.values())
    return environments


def _load(package: str, name: str) -> Environment:
    try:
        module = import_module(f"{package}.{name}")
    except (ValidationError, PydanticCustomError) as error:
        raise refusal(name, error) from error
    except Exception as error:  # an operator's file may fail in any way
        raise SettingsRefused(
            f"{name}: environments/{name}.py cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    environment = getattr(module, "environment", None)
    if not isinstance(environment, Environment):
        raise SettingsRefused(f"{name}: environments/{name}.py must define environment = Environment(...)")
    return environment


def choose(
    environments: Mapping[str, Environment],
    *,
    names: str = "",
    image_tag: str = "",
    asked_by: str = "TRAVERSION_ENV",
) -> list[Environment]:
    """Return the environments with these comma-separated names, or all; with another API tag if given."""
    wanted = dict.fromkeys(name.strip() for name in names.split(",") if name.strip()) or environments
    for name in wanted:
        if name not in environments:
            raise SettingsRefused(
                f"{asked_by} = {name!r}: no environment has this name; there are {', '.join(environments)}"
            )
    return [_with_tag(environments[name], image_tag) for name in wanted]


def synthesize(environments: Iterable[Environment], output: Path, known: Iterable[str]) -> list[Path]:
    """Write one file for each environment and remove those of environments that are not ``known`` any more.

    Nothing in ``output`` changes unless all of them synthesize; each file is replaced at once.
    Raises ``SettingsRefused`` for settings that only the whole environment shows to be impossible.
    """
    output = output.resolve()  # behind a link, files are replaced where they are
    output.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        app = App(outdir=str(aside))
        for environment in environments:
            try:
                # Judged below as files, all together: that is quicker than asking Node for every object.
                TraversionChart(app, environment, validated=False)
            except PydanticCustomError as error:
                raise refusal(environment.name, error) from error
        app.synth()
        _verify(aside)
        return _replace(aside, output, {f"{name}{_SUFFIX}" for name in known})
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _verify(aside: Path) -> None:
    errors = [finding for finding in verify(read_manifests([str(aside)])) if finding.severity == "error"]
    if errors:
        raise SettingsRefused("\n".join(str(error) for error in errors))


def _replace(aside: Path, output: Path, known: set[str]) -> list[Path]:
    output.mkdir(exist_ok=True)
    written = []
    for file in sorted(aside.iterdir()):
        os.replace(file, output / file.name)  # noqa: PTH105 # says what it does: atomically
        written.append(output / file.name)
    for file in output.glob(f"*{_SUFFIX}"):
        if file.name not in known:
            file.unlink()
    return written


def _with_tag(environment: Environment, tag: str) -> Environment:
    if not tag:
        return environment
    try:
        image = Image(**{**dict(environment.api.image), "tag": tag})
        api = environment.api.model_copy(update={"image": image})
        return Environment.model_validate({**dict(environment), "api": api})
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise SettingsRefused(
            f"TRAVERSION_IMAGE_TAG = {tag!r}: {environment.name}: api.image.tag: {problem}"
        ) from error


def _check_together(environments: Iterable[Environment]) -> None:
    """Refuse environments that could not share one cluster."""
    seen: dict[tuple[str, str], str] = {}
    for environment in environments:
        claims = {"namespace": environment.namespace, "domain": environment.domain}
        for setting, value in claims.items():
            other = seen.setdefault((setting, value), environment.name)
            if other != environment.name:
                raise SettingsRefused(
                    f"{environment.name}: {setting} = {value!r}: is taken by environment {other!r}; "
                    "name another"
                )
        if environment.api.scales_on_requests:
            other = seen.setdefault(("custom metrics API", ""), environment.name)
            if other != environment.name:
                asked = environment.api.autoscaling.requests_per_second
                raise SettingsRefused(
                    f"{environment.name}: api.autoscaling.requests_per_second = {asked}: environment "
                    f"{other!r} asks as well, and a cluster has one custom metrics API: "
                    "set it to None in one of them"
                )
