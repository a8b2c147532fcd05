"""Credentials in plain sight."""

import re
from collections.abc import Iterator

from traversion.verify.check import Problem, check
from traversion.verify.graph import Graph
from traversion.verify.model import Container, Resource, items, mapping, path_of, text
from traversion.verify.texts import Value, content_of_secret, is_comment, placeholder, texts

_CREDENTIAL_NAME = re.compile(
    r"(?:.*[_.-])?(?:password|passwd|passphrase|secret|token|api[_-]?key|apikey|private[_-]?key|access[_-]?key"
    r"|secret[_-]?key|secret[_-]?access[_-]?key|encryption[_-]?key|signing[_-]?key|client[_-]?secret|credentials)",
    re.IGNORECASE,
)
_FLAG = re.compile(r"--?([a-z][a-z0-9.-]*)(?:=(.*))?", re.IGNORECASE | re.DOTALL)
_MORE_FLAGS = {"requirepass", "masterauth"}
# Names of this form hold no credential but say something about one.
_INNOCENT = re.compile(
    r"|\s*|true|false|yes|no|none|null|on|off|required|optional|enabled|disabled|auto|default|[0-9]{1,4}"
    r"|/.*|(?:file|env|vault|ref|secret|arn|projects|gs|s3|op)[:/].*|\$.*|%.*|\*+|x+|<.*>|\{\{.*|.*\$[({].*",
    re.IGNORECASE | re.DOTALL,
)
_NAME_OF_OBJECT = re.compile(
    r"[a-z0-9.-]+-(?:secrets?|tls|credentials?|creds|tokens?|passwords?|keys?|certs?|auth)"
)

_OBJECT = re.compile(r"(?:[a-z0-9-]+/)?[a-z][a-z0-9.-]*")
_IN_URL = re.compile(r"://[^\s/:@'\"<>]{0,64}:([^\s/@'\"<>]{3,200})@[\w.\[-]")
# github.com/gitleaks/gitleaks: those of its rules that need no context
_KEYS = (
    ("a private key", ("PRIVATE KEY",), re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")),
    ("an AWS access key", ("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b")),
    (
        "a GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    ),
    ("a GitHub token", ("github_pat_",), re.compile(r"\bgithub_pat_\w{82}\b")),
    ("a Slack token", ("xox",), re.compile(r"\bxox[bpars]-[0-9A-Za-z-]{10,}")),
    ("a Google API key", ("AIza",), re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("a GitLab token", ("glpat-",), re.compile(r"\bglpat-[0-9A-Za-z_-]{20}\b")),
    ("a Stripe key", ("_live_",), re.compile(r"\b[rs]k_live_[0-9A-Za-z]{24,}")),
)
_LONGEST = 1_000_000


@check(
    "credential-literal",
    "error",
    what="A password, token or key stands in a variable, an argument or a ConfigMap.",
    why="Everybody who may read the repository or the workload has it, and it stays in the history.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec: {containers: [{name: app, image: "redis:7.4.11", env: [{name: DB_PASSWORD, value: hunter2}]}]}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec:
  containers:
    - name: app
      image: redis:7.4.11
      env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: example, key: password}}}]
""",
)
def credentials_are_secrets(graph: Graph) -> Iterator[Problem]:
    """Go by names for short values, and by unmistakable forms for all; never show what was found."""
    remedy = "take it out of the repository, replace it by another, and reference a Secret"
    for resource in graph.resources:
        for path, wrong in _exposed(graph, resource):
            yield Problem(resource, path, wrong, remedy)


def _exposed(graph: Graph, resource: Resource) -> Iterator[Value]:
    if resource.kind == "ConfigMap":
        for path, value in texts(mapping(resource.data.get("data")), "data"):
            yield from _by_form(path, value)
        for key, value in mapping(resource.data.get("data")).items():
            if "\n" not in text(value) and _is_credential(graph, resource, str(key), text(value)):
                yield path_of("data") + f"[{key}]", f"{key} is a credential in a ConfigMap"
    for container in resource.pods.containers if resource.pods else ():
        for index, variable in container.environment():
            name, value = text(variable.get("name")), text(variable.get("value"))
            path = container.path("env", index, "value")
            if _is_credential(graph, resource, name, value):
                yield path, f"{name} has its value in plain sight"
            else:
                yield from _by_form(path, value)
        for field in ("command", "args"):
            yield from _in_words(container, field)


def _is_credential(graph: Graph, resource: Resource, name: str, value: str) -> bool:
    return (
        bool(_CREDENTIAL_NAME.fullmatch(name))
        and not _INNOCENT.fullmatch(value)
        # Placeholders are another check's; and an application may be told the name of a Secret.
        and not placeholder(value)
        and not _NAME_OF_OBJECT.fullmatch(value)
        and graph.find("Secret", resource.namespace, value) is None
    )


def _in_words(container: Container, field: str) -> Iterator[Value]:
    words = items(container.data.get(field))
    for index, word in enumerate(words):
        if not isinstance(word, str):
            continue
        path = container.path(field, index)
        flag = _FLAG.fullmatch(word)
        # --password=value, or --password and the value as the next word.
        following = words[index + 1] if flag and flag[2] is None and index + 1 < len(words) else ""
        value = (flag[2] or text(following)) if flag else ""
        is_credential = flag and (flag[1].lower() in _MORE_FLAGS or _CREDENTIAL_NAME.fullmatch(flag[1]))
        if flag and is_credential and not _INNOCENT.fullmatch(value) and not value.startswith("-"):
            if not _names_an_object(flag[1].lower(), value):
                yield path, f"--{flag[1]} has its value in plain sight"
        else:
            yield from _by_form(path, word)


def _names_an_object(flag: str, value: str) -> bool:
    """Controllers are told the names of Secrets: --tls-secret=example, or namespace/example."""
    told = flag.endswith("secret") and not flag.endswith(("client-secret", "jwt-secret"))
    return bool(_NAME_OF_OBJECT.fullmatch(value) or (told and _OBJECT.fullmatch(value)))


def _by_form(path: str, value: str) -> Iterator[Value]:
    for match in _IN_URL.finditer(value[:_LONGEST]):
        if not _is_harmless(match[1]) and not is_comment(value, match.start()):
            yield path, "contains an address with a password"
            return
    for name, marks, form in _KEYS:
        if any(mark in value for mark in marks) and form.search(value):
            yield path, f"contains {name}"
            return


def _is_harmless(password: str) -> bool:
    """Tell whether it is a reference, another check's placeholder, or what documentation writes."""
    documented = password.lower() in ("password", "pass", "pw", "secret")
    return documented or bool(_INNOCENT.fullmatch(password) or placeholder(password))


@check(
    "secret-in-manifest",
    "warning",
    what="A Secret stands in the set with its values.",
    why="base64 is no encryption: whoever reads the repository has them, and they stay in its history.",
    wrong="""
apiVersion: v1
kind: Secret
metadata: {name: example}
stringData: {password: hunter2}
""",
    right="""
apiVersion: v1
kind: Secret
metadata: {name: example, annotations: {kubernetes.io/service-account.name: example}}
type: kubernetes.io/service-account-token
""",
)
def secrets_stay_outside(graph: Graph) -> Iterator[Problem]:
    """Accept empty ones, which something fills, and encrypted ones."""
    for secret in graph.of_kind("Secret"):
        encrypted = "sops" in secret.data
        keys = [path for path, value in content_of_secret(secret) if _is_value(value)]
        if keys and not encrypted:
            wrong = f"{len(keys)} of its values stand here"
            yield Problem(
                secret, keys[0], wrong, "use an ExternalSecret, a SealedSecret or SOPS; replace the values"
            )


def _is_value(value: str) -> bool:
    return bool(value.strip()) and not value.startswith("ENC[") and not placeholder(value)
