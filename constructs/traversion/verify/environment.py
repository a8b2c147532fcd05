"""What a container finds in its environment, and how its commands are expanded."""

import re
from collections.abc import Iterator, Mapping

from traversion.verify.graph import Graph
from traversion.verify.model import Container, dig, items, mapping, text

Variables = Mapping[str, str | None]
"""Values by name; None for one that only the cluster knows."""

# As k8s.io/kubernetes/third_party/forked/golang/expansion reads it: $$ is a dollar, $(NAME) a reference.
_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHELLS = {"sh", "bash", "ash", "dash", "zsh", "ksh", "busybox", "cmd", "cmd.exe", "powershell", "pwsh"}
# They start what follows them, which may be a shell.
_WRAPPERS = {
    "env",
    "tini",
    "dumb-init",
    "timeout",
    "exec",
    "nice",
    "su",
    "gosu",
    "su-exec",
    "sudo",
    "nsenter",
    "chroot",
}


PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def containers(graph: Graph) -> Iterator[Container]:
    """Yield the containers of all pods."""
    for pods in graph.pod_templates:
        yield from pods.containers


def references(words: str) -> Iterator[str]:
    """Yield the names in $(NAME), without those that $$ escapes."""
    for match in _REFERENCE.finditer(words):
        if match[1] is not None and IDENTIFIER.fullmatch(match[1]):
            yield match[1]


def is_shell(command: list[str]) -> bool:
    """Tell whether a shell reads the command, so that $ and $(...) are its own."""
    for word in command:
        program = word.rpartition("/")[2].lower()
        if program in _SHELLS or word in ("-c", "-ec", "-lc", "-exc", "-xc", "-euc"):
            return True
        if program not in _WRAPPERS and not word.startswith("-"):
            break
    return any(word in ("-c", "-ec", "-lc", "-exc", "-euc", "-xec", "-ce") for word in command)


def words_of(value: object) -> list[str]:
    """Return the texts in a list."""
    return [word for word in items(value) if isinstance(word, str)]


def variables(graph: Graph, container: Container) -> Variables:
    """Return the variables that the container's own fields set; env wins over envFrom."""
    found: dict[str, str | None] = {}
    for source in items(container.data.get("envFrom")):
        prefix = text(dig(source, "prefix"))
        for key, value in _content(graph, container, source).items():
            found[prefix + key] = value
    for _, variable in container.environment():
        name = text(variable.get("name"))
        if name:
            found[name] = _value(graph, container, variable)
    return found


def is_complete(graph: Graph, container: Container) -> bool:
    """Tell whether every source of the environment stands in the set."""
    return all(
        _source(graph, container, source) is not None for source in items(container.data.get("envFrom"))
    )


def _value(graph: Graph, container: Container, variable: Mapping[str, object]) -> str | None:
    if variable.get("value") is not None:
        return text(variable["value"])
    reference = mapping(dig(variable, "valueFrom", "configMapKeyRef"))
    config = graph.find("ConfigMap", container.pods.namespace, text(reference.get("name")))
    value = mapping(config.data.get("data")).get(text(reference.get("key"))) if config else None
    return value if isinstance(value, str) else None


def _source(graph: Graph, container: Container, source: object) -> Mapping[str, str | None] | None:
    for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        name = text(dig(source, field, "name"))
        found = graph.find(kind, container.pods.namespace, name) if name else None
        if found is not None:
            if kind == "ConfigMap":
                return {key: text(value) for key, value in _entries(found.data.get("data"))}
            keys = [*_entries(found.data.get("data")), *_entries(found.data.get("stringData"))]
            return {key: None for key, _ in keys}
    return None


def _entries(value: object) -> Iterator[tuple[str, object]]:
    for key, content in mapping(value).items():
        if isinstance(key, str):
            yield key, content


def _content(graph: Graph, container: Container, source: object) -> Mapping[str, str | None]:
    return _source(graph, container, source) or {}
