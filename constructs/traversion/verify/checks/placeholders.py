"""Values that somebody meant to fill in, or a shell to expand."""

import re
from collections.abc import Iterator

from traversion.verify.check import Problem, check
from traversion.verify.environment import is_shell, words_of
from traversion.verify.graph import Graph
from traversion.verify.model import Container, Resource, mapping
from traversion.verify.texts import Value, content_of_secret, is_comment, placeholder, texts

# A command substitution: something with a blank or a path in it, which no name of a variable has.
_SUBSTITUTION = re.compile(r"\$\([^()$]{0,200}[\s/][^()]{0,500}\)")
_SHELL_VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)(?::?[-=?+][^{}]*)?\}")

# Their texts describe fields, and are not values.
_DESCRIPTIONS = {"CustomResourceDefinition"}


@check(
    "placeholder",
    "error",
    what="A value was never filled in.",
    why="The application runs with a password that everybody can read in the repository, or not at all.",
    wrong="""
apiVersion: v1
kind: Secret
metadata: {name: example}
stringData: {password: REPLACE_WITH_SECURE_PASSWORD}
""",
    right="""
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: example}
spec: {data: [{secretKey: password, remoteRef: {key: example}}]}
""",
)
def values_are_filled_in(graph: Graph) -> Iterator[Problem]:
    """Read every text of every object; comments in files may say what to replace."""
    for resource in graph.resources:
        if resource.kind in _DESCRIPTIONS:
            continue
        for path, value in _values(resource):
            match = placeholder(value)
            if match and not is_comment(value, match.start()):
                wrong = f"contains the placeholder {match[0][:60]}"
                yield Problem(resource, path, wrong, "fill it in, outside of git where it is a secret")


@check(
    "shell-unexpanded",
    "error",
    what="A value contains $(a command) or ${VARIABLE} where no shell will read it.",
    why="Kubernetes copies it as it stands: every installation gets the same, known text.",
    wrong="""
apiVersion: v1
kind: Secret
metadata: {name: example}
stringData: {token: $(openssl rand -hex 32)}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", command: [sh, -c, "TOKEN=$(openssl rand -hex 32) app"]}]
""",
)
def shells_read_shell(graph: Graph) -> Iterator[Problem]:
    """Look where no shell can be; a variable may be expanded by the program, or before the apply."""
    remedy = "write the value, or have a shell or an init container make it"
    for resource in graph.resources:
        for path, value in _unread(resource):
            command = _SUBSTITUTION.search(value)
            if command:
                yield Problem(resource, path, f"{command[0][:60]} is no command here, but text", remedy)
        for path, value in _variables_unread(resource):
            variable = _SHELL_VARIABLE.search(value)
            if variable:
                wrong = f"{variable[0][:60]} is not replaced by Kubernetes"
                yield Problem(
                    resource, path, wrong, "use $(NAME) with a variable of the container", "warning"
                )


def _unread(resource: Resource) -> Iterator[Value]:
    if resource.kind == "Secret":
        yield from content_of_secret(resource)
    elif resource.kind == "ConfigMap":
        # A file may be a script; one line is a value.
        yield from (each for each in texts(mapping(resource.data.get("data")), "data") if "\n" not in each[1])
    elif resource.kind == "Kustomization":
        yield from texts(resource.data.get("configMapGenerator"), "configMapGenerator")
        yield from texts(resource.data.get("secretGenerator"), "secretGenerator")
    for container in resource.pods.containers if resource.pods else ():
        yield from _literals(container)
        yield from _arguments(container)


def _variables_unread(resource: Resource) -> Iterator[Value]:
    for container in resource.pods.containers if resource.pods else ():
        yield from _literals(container)
    if resource.kind == "Secret":
        for path, value in content_of_secret(resource):
            if _SHELL_VARIABLE.fullmatch(value.strip()):
                yield path, value


def _literals(container: Container) -> Iterator[Value]:
    for index, variable in container.environment():
        if isinstance(variable.get("value"), str):
            yield container.path("env", index, "value"), variable["value"]


def _arguments(container: Container) -> Iterator[Value]:
    """Yield command and arguments that no shell reads."""
    command, arguments = words_of(container.data.get("command")), words_of(container.data.get("args"))
    if is_shell([*command, *arguments]):
        return
    for field, words in (("command", command), ("args", arguments)):
        for word in words:
            # What has several lines is a script for whatever interpreter this is.
            if "\n" not in word:
                yield container.path(field), word


def _values(resource: Resource) -> Iterator[Value]:
    if resource.kind == "Secret":
        yield from content_of_secret(resource)
    for key, value in resource.data.items():
        if key not in ("metadata", "status") and (
            resource.kind != "Secret" or key not in ("data", "stringData")
        ):
            yield from texts(value, str(key))
    for key, note in resource.annotations.items():
        if key != "kubectl.kubernetes.io/last-applied-configuration":
            yield f"metadata.annotations[{key}]", note
