"""Variables: where Kubernetes replaces them, and which ones it sets itself."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from traversion.verify.check import Problem, check
from traversion.verify.environment import (
    PROBES,
    containers,
    is_complete,
    is_shell,
    references,
    variables,
    words_of,
)
from traversion.verify.graph import Graph
from traversion.verify.model import Container, Step, dig, mapping, text

_HOOKS = (("lifecycle", "postStart"), ("lifecycle", "preStop"))
_SHELL_VARIABLE = re.compile(r"\$(?:\{)?([A-Za-z_][A-Za-z0-9_]*)")


@check(
    "probe-variable",
    "error",
    what="The command of a probe or hook uses $(VARIABLE), which is not replaced there.",
    why="In probes the kubelet knows only values that stand in the pod: others become nothing or stay as is."
    " In hooks it replaces none. The probe asks the wrong thing, or always fails.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: redis
      image: redis:7.4.11
      env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: example, key: password}}}]
      livenessProbe: {exec: {command: [redis-cli, -a, $(PASSWORD), ping]}}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: redis
      image: redis:7.4.11
      env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: example, key: password}}}]
      livenessProbe: {exec: {command: [sh, -c, 'redis-cli -a "$PASSWORD" ping']}}
""",
)
def probes_use_no_variables(graph: Graph) -> Iterator[Problem]:
    """As ExpandContainerCommandOnlyStatic does; in a shell $(name) may be a command of its own."""
    remedy = "use a shell: [sh, -c, '... \"$NAME\"']"
    for container in containers(graph):
        for steps in (*((probe,) for probe in PROBES), *_HOOKS):
            command = words_of(dig(container.data, *steps, "exec", "command"))
            used = sorted({name for word in command for name in references(word)})
            known = variables(graph, container) if used else {}
            wrong = [
                _unreplaced(container, steps, name, known=name in known, shell=is_shell(command))
                for name in used
            ]
            if any(wrong):
                path = container.path(*steps, "exec", "command")
                yield Problem(container.owner, path, "; ".join(filter(None, wrong)), remedy)


def _unreplaced(container: Container, steps: tuple[Step, ...], name: str, *, known: bool, shell: bool) -> str:
    own = {text(variable.get("name")): variable for _, variable in container.environment()}
    if steps in _HOOKS:
        # A shell takes it for a command, which is a mistake only when it is the name of a variable.
        return f"$({name}) is not replaced in hooks" if known or not shell else ""
    if name in own:
        literal = own[name].get("valueFrom") is None
        return "" if literal else f"$({name}) becomes nothing: its value does not stand in the pod"
    return f"$({name}) is not replaced: no env of the container has its value" if known or not shell else ""


@check(
    "exec-variable",
    "error",
    what="A command that no shell reads uses $VARIABLE.",
    why="The program gets the five letters $HOME, not the directory.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: redis
      image: redis:7.4.11
      env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: example, key: password}}}]
      command: [redis-server, --requirepass, $PASSWORD]
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: redis
      image: redis:7.4.11
      env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: example, key: password}}}]
      command: [redis-server, --requirepass, $(PASSWORD)]
""",
)
def programs_expand_nothing(graph: Graph) -> Iterator[Problem]:
    """Sure only for variables of the container, in commands that are not the image's."""
    for container in containers(graph):
        places: list[tuple[Step, ...]] = [(probe, "exec", "command") for probe in PROBES]
        places += [(*hook, "exec", "command") for hook in _HOOKS]
        command = words_of(container.data.get("command"))
        if command and not is_shell([*command, *words_of(container.data.get("args"))]):
            places += [("command",), ("args",)]
        for steps in places:
            words = words_of(dig(container.data, *steps))
            if steps[-1] == "command" and is_shell(words):
                continue
            named = {
                match[1] for word in words if "\n" not in word for match in _SHELL_VARIABLE.finditer(word)
            }
            for name in sorted(named & set(variables(graph, container))) if named else ():
                wrong = f"${name} stays as it is: no shell reads this command"
                remedy = "write $(NAME) in command and args; in probes and hooks use sh -c"
                yield Problem(container.owner, container.path(*steps), wrong, remedy)


@check(
    "variable-undefined",
    "error",
    what="A command, argument or variable uses $(VARIABLE), which the container does not define before.",
    why="What is not defined is not replaced: the program gets the text $(VARIABLE).",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", args: [--port, $(PORT)]}]
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - {name: app, image: "redis:7.4.11", env: [{name: PORT, value: "6379"}], args: [--port, $(PORT)]}
""",
)
def variables_are_defined(graph: Graph) -> Iterator[Problem]:
    """Judge containers whose variables all stand in the set; the kubelet adds those of Services."""
    for container in containers(graph):
        if not is_complete(graph, container):
            continue
        command, arguments = words_of(container.data.get("command")), words_of(container.data.get("args"))
        used = {
            name: field
            for field, words in (("command", command), ("args", arguments))
            for word in words
            for name in references(word)
        }
        if used and not is_shell([*command, *arguments]):
            known = variables(graph, container)
            for name, field in sorted(used.items()):
                if name not in known and not _is_of_service(name):
                    wrong = f"$({name}) is defined nowhere in container {container.name}"
                    yield Problem(
                        container.owner, container.path(field), wrong, "define it in env, or write $$(...)"
                    )
        yield from _used_too_early(graph, container)


def _used_too_early(graph: Graph, container: Container) -> Iterator[Problem]:
    own = [text(variable.get("name")) for _, variable in container.environment()]
    inherited = set(variables(graph, container)) - set(own)
    for index, variable in container.environment():
        for name in references(text(variable.get("value"))):
            if name in inherited or name in own[:index] or _is_of_service(name):
                continue
            late = name in own[index:]
            wrong = f"$({name}) is {'only defined after it' if late else 'defined nowhere in the container'}"
            remedy = "move its definition up" if late else "define it in env, or write $$(...)"
            yield Problem(container.owner, container.path("env", index, "value"), wrong, remedy)


def _is_of_service(name: str) -> bool:
    return bool(re.search(r"_SERVICE_(?:HOST|PORT)|_PORT(?:_\d+_(?:TCP|UDP|SCTP))?", name))


@check(
    "service-link",
    "error",
    what="A Service sets a variable that the container reads and does not set itself.",
    why="Kubernetes gives every pod the addresses of its namespace's Services: with a Service redis,"
    " REDIS_PORT is tcp://10.0.0.1:6379. The application takes it for its own setting.",
    wrong="""
apiVersion: v1
kind: Service
metadata: {name: redis}
spec: {ports: [{port: 6379}]}
---
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers: [{name: app, image: "redis:7.4.11", command: [sh, -c, 'app --port "${REDIS_PORT:-6379}"']}]
""",
    right="""
apiVersion: v1
kind: Service
metadata: {name: redis}
spec: {ports: [{port: 6379}]}
---
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  enableServiceLinks: false
  containers: [{name: app, image: "redis:7.4.11", command: [sh, -c, 'app --port "${REDIS_PORT:-6379}"']}]
""",
)
def services_set_no_settings(graph: Graph) -> Iterator[Problem]:
    """Only NAME_PORT is dangerous: it looks like a number and is an address."""
    linked = _links(graph)
    for pods in graph.pod_templates:
        links = linked.get(pods.namespace, {})
        if not links or pods.spec.get("enableServiceLinks") is False:
            continue
        for container in pods.containers:
            own = variables(graph, container)
            # What an unknown source sets is not overwritten.
            names = set(links) - set(own) if is_complete(graph, container) else set()
            for name in sorted(names & _read(graph, container)) if names else ():
                wrong = (
                    f"container {container.name} reads {name}, which Service {links[name]} sets to tcp://..."
                )
                remedy = "set enableServiceLinks: false, or the variable"
                yield Problem(pods.owner, pods.path("spec", "enableServiceLinks"), wrong, remedy)


def _links(graph: Graph) -> Mapping[str, Mapping[str, str]]:
    """Return the variables that the Services of each namespace set, and their Services."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for service in graph.of_kind("Service"):
        spec = service.spec
        # As pkg/kubelet/envvars/envvars.go: not without an address of its own.
        if not service.group and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
            found[service.namespace][f"{service.name.upper().replace('-', '_')}_PORT"] = service.name
    return found


def _read(graph: Graph, container: Container) -> set[str]:
    """Return the names a container seems to read: in its commands, and beside others that it takes."""
    commands = (*words_of(container.data.get("command")), *words_of(container.data.get("args")))
    found = {match[1] for word in commands for match in _SHELL_VARIABLE.finditer(word)}
    found |= {name for word in commands for name in references(word)}
    for _, variable in container.environment():
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            name = text(dig(variable, "valueFrom", field, "name"))
            source = graph.find(kind, container.pods.namespace, name) if name else None
            for part in ("data", "stringData") if source else ():
                found |= {str(key) for key in mapping(source.data.get(part) if source else None)}
    return found
