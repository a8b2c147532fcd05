from base64 import b64encode
from time import monotonic
from typing import Any

import pytest

from tests.verify.cases import errors, findings, found
from tests.verify.pods import config, container, document, pod

PLACEHOLDER, SHELL, LITERAL, MANIFEST = (
    "placeholder",
    "shell-unexpanded",
    "credential-literal",
    "secret-in-manifest",
)


def secret(value: object, field: str = "stringData") -> str:
    content: dict[str, Any] = {field: {"key": value}}
    return document("Secret", "example", **content)


def env(name: str, value: object) -> str:
    return pod(container(env=[{"name": name, "value": value}]))


@pytest.mark.parametrize(
    "value",
    [
        *("REPLACE_WITH_SECURE_PASSWORD", "postgresql://u:REPLACE_WITH_X@db:5432/a", "CHANGEME", "change-me"),
        *(
            "ChangeMe",
            "<your-token>",
            "<YOUR TOKEN>",
            "YOUR_API_KEY_HERE",
            "REPLACE_ME",
            "CHANGE_THIS_PASSWORD",
        ),
        "{{ .Values.password }}",
    ],
)
def test_placeholders(value: str) -> None:
    assert PLACEHOLDER in errors(secret(value))
    assert PLACEHOLDER in errors(secret(b64encode(value.encode()).decode(), "data"))
    assert PLACEHOLDER in errors(config("example", key=f"user: a\npassword: {value}\n"))
    assert PLACEHOLDER in errors(env("NAME", value))


@pytest.mark.parametrize(
    "value",
    [
        *(
            "replace",
            "action: replace",
            "exchangement",
            "changes",
            "<script>",
            "{{ $labels.pod }}",
            "{{.Value}}",
        ),
        *("your.host.here.example.com", "a <= b && c > d", "", "{{ .values.key }}", "unchanged"),
        "# REPLACE_ME before you apply\nport: 80",
        "-- CHANGEME\nSELECT 1;",
    ],
)
def test_no_placeholders(value: str) -> None:
    assert PLACEHOLDER not in found(secret(value) + config("example", key=value))


def test_placeholders_in_annotations_hosts_and_images() -> None:
    rules = {"rules": [{"host": "api.<your-domain>"}]}
    assert PLACEHOLDER in errors(document("Ingress", "example", "networking.k8s.io/v1", spec=rules))
    assert PLACEHOLDER in errors(pod(container(image="REPLACE_ME/app:1")))


def test_descriptions_are_no_values() -> None:
    schema = {"description": "e.g. <your-host>"}
    assert PLACEHOLDER not in found(
        document("CustomResourceDefinition", "example", "apiextensions.k8s.io/v1", spec=schema)
    )


@pytest.mark.parametrize(
    ("manifests", "level"),
    [
        (secret("$(openssl rand -hex 32)"), "error"),
        (config("example", version="$(git rev-parse HEAD)"), "error"),
        (env("VERSION", "$(cat /version)"), "error"),
        (pod(container(args=["--date", "$(date +%s)"])), "error"),
        (
            document("Kustomization", "k", secretGenerator=[{"literals": ["a=$(openssl rand -hex 8)"]}]),
            "error",
        ),
        (env("URL", "https://${HOST}/"), "warning"),
        (secret("${PASSWORD}"), "warning"),
        # Shells do read these.
        (pod(container(command=["sh", "-c", "echo $(date +%s) ${HOST}"])), ""),
        (pod(container(command=["/bin/bash", "-ec"], args=["x=$(cat /a b)"])), ""),
        (pod(container(args=["-c", "exec app $(nproc --all)"])), ""),
        (config("example", **{"run.sh": "#!/bin/sh\necho $(date +%s)\n"}), ""),
        # Kubernetes, or the program, expands these.
        (env("URL", "http://$(HOST)/"), ""),
        (env("TEMPLATE", "${lower}"), ""),
        (config("example", **{"app.conf": "url: ${URL}"}), ""),
        (secret("pa${ss"), ""),
        (secret("$5(not a command)"), ""),
    ],
)
def test_shell(manifests: str, level: str) -> None:
    assert (SHELL in errors(manifests)) is (level == "error")
    assert (SHELL in found(manifests)) is bool(level)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("GF_SECURITY_ADMIN_PASSWORD", "traversion123"),
        ("JWT_SECRET", "0123456789abcdef"),
        ("API_KEY", "a1b2c3d4"),
        ("github_token", "abc123"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
        ("DATABASE_URL", "postgresql://user:hunter2@db:5432/app"),
        ("ANYTHING", "AKIAIOSFODNN7EXAMPLE"),
        ("ANYTHING", "ghp_" + "a" * 36),
    ],
)
def test_credentials(name: str, value: str) -> None:
    assert LITERAL in errors(env(name, value))
    assert LITERAL in errors(config("example", **{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD", None),
        ("DB_PASSWORD", "$(OTHER)"),
        ("DB_PASSWORD", "${OTHER}"),
        ("DB_PASSWORD_FILE", "/run/secrets/password"),
        ("DB_PASSWORD", "/run/secrets/password"),
        ("ALLOW_EMPTY_PASSWORD", "yes"),
        ("USE_TOKEN", "true"),
        ("TLS_SECRET", "example-tls"),
        ("SECRET", "vault:secret/data/app"),
        ("TOKEN_TTL", "3600s"),
        ("MAX_TOKENS", "4096"),
        ("TOKEN", "3600"),
        ("DATABASE_URL", "postgresql://user@db:5432/app"),
        ("DATABASE_URL", "postgresql://$(USER):$(PASSWORD)@db:5432/app"),
        ("DATABASE_URL", "postgresql://user:${PASSWORD}@db/app"),
        ("DATABASE_URL", "postgresql://user:password@db/app"),  # as documentation writes it
        ("IMAGE", "registry:5000/app@sha256:0000"),
        ("TIME", "http://host:8080/path@2"),
    ],
)
def test_no_credentials(name: str, value: object) -> None:
    assert LITERAL not in found(env(name, value))


def test_the_name_of_a_secret_is_no_secret() -> None:
    manifests = env("CLIENT_SECRET", "oauth")
    assert LITERAL in found(manifests)
    assert LITERAL not in found(manifests + document("Secret", "oauth"))


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["--password=hunter2"], True),
        (["--admin-password", "hunter2"], True),
        (["--requirepass", "hunter2"], True),
        (["--requirepass", "$(PASSWORD)"], False),
        (["--token-file=/var/token"], False),
        (["--password", "--verbose"], False),
        (["--secret=$(SECRET)"], False),
        (["--default-ssl-certificate-secret", "ingress/tls"], False),  # a namespace and a name
        (["--url=redis://:hunter2@redis:6379"], True),
        (["--api-key"], False),
        ([{}, 1, None], False),
    ],
)
def test_arguments(words: list[object], wrong: object) -> None:
    assert (LITERAL in found(pod(container(args=words)))) is wrong


def test_private_keys_in_files() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"
    assert LITERAL in errors(config("example", **{"tls.key": key}))
    certificate = key.replace("RSA PRIVATE KEY", "CERTIFICATE")
    assert LITERAL not in found(config("example", **{"tls.crt": certificate}))


def test_what_was_found_is_not_shown() -> None:
    manifests = env("DB_PASSWORD", "hunter2") + env("URL", "redis://:hunter2@redis")
    assert all("hunter2" not in each.problem.wrong + each.problem.remedy for each in findings(manifests))


@pytest.mark.parametrize(
    ("manifests", "wrong"),
    [
        (secret("hunter2"), True),
        (secret("aHVudGVyMg==", "data"), True),
        (secret(""), False),
        (secret("REPLACE_ME"), False),  # that is worse
        (document("Secret", "example", type="kubernetes.io/service-account-token"), False),
        (document("Secret", "example", data={"key": "ENC[AES256_GCM,data:x]"}), False),
        (document("Secret", "example", data={"key": "eA=="}, sops={}), False),
        (
            document("SealedSecret", "example", "bitnami.com/v1alpha1", spec={"encryptedData": {"a": "b"}}),
            False,
        ),
        (document("Secret", "example", data=["a"], stringData="b"), False),
    ],
)
def test_secrets_in_the_set(manifests: str, wrong: object) -> None:
    assert (MANIFEST in found(manifests)) is wrong


@pytest.mark.parametrize(
    "text",
    [
        *("$(" * 20_000, "$( " * 20_000, "$(" + " " * 50_000, "YOUR-" * 20_000, "<your" + "-" * 50_000),
        *(
            "://" * 20_000,
            "://:" + "a" * 50_000,
            "-----BEGIN " + "A " * 20_000,
            "${A" * 20_000,
            "{{" * 20_000,
        ),
        *("REPLACE_" * 20_000, "password_" * 20_000, "\n" * 50_000, "INSERT_" * 20_000, "xox" * 20_000),
    ],
)
def test_hostile_texts_take_no_time(text: str) -> None:
    started = monotonic()
    found(config("example", key=text) + secret(text) + env(text, text))
    assert monotonic() - started < 3
