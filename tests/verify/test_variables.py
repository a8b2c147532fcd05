from typing import Any

import pytest

from tests.verify.cases import found
from tests.verify.pods import config, container, document, pod

SECRET = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "example", "key": "password"}}}
LITERAL = {"name": "USER", "value": "app"}
FROM_CONFIG = {"envFrom": [{"configMapRef": {"name": "settings"}}]}
PROBE, EXEC, UNDEFINED, LINK = "probe-variable", "exec-variable", "variable-undefined", "service-link"


def probed(*command: str, **content: Any) -> str:  # noqa: ANN401 # fields of a container
    probe = {"exec": {"command": list(command)}}
    return config("settings", LEVEL="info") + pod(
        container(env=[SECRET, LITERAL], livenessProbe=probe, **content)
    )


@pytest.mark.parametrize(
    ("command", "content", "wrong"),
    [
        (("redis-cli", "-a", "$(PASSWORD)"), {}, True),  # becomes nothing
        (("redis-cli", "-u", "$(USER)"), {}, False),  # stands in the pod
        (("redis-cli", "-u", "$(OTHER)"), {}, True),  # stays
        (("redis-cli", "-u", "$(LEVEL)"), FROM_CONFIG, True),  # the kubelet does not know it
        (("redis-cli", "-u", "$$(PASSWORD)"), {}, False),  # escaped
        (("sh", "-c", "redis-cli -a $PASSWORD"), {}, False),
        (("sh", "-c", "redis-cli -a $(PASSWORD)"), {}, True),
        (("sh", "-c", "test $(hostname) = a"), {}, False),  # the shell's
        (("sh", "-c", 'test "$(cat /state)" = ready'), {}, False),
        (("sh", "-c", "echo $(LEVEL)"), FROM_CONFIG, True),  # there is no command LEVEL
    ],
)
def test_probes(command: tuple[str, ...], content: dict[str, Any], wrong: object) -> None:
    assert (PROBE in found(probed(*command, **content))) is wrong


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (["app", "$(USER)"], True),
        (["sh", "-c", "app $(USER)"], True),
        (["sh", "-c", "app $(date)"], False),
        (["sh", "-c", "app $USER"], False),
        (["sleep", "5"], False),
    ],
)
def test_hooks_replace_nothing(command: list[str], wrong: object) -> None:
    hook = {"preStop": {"exec": {"command": command}}}
    assert (PROBE in found(pod(container(env=[LITERAL], lifecycle=hook)))) is wrong


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ({"command": ["redis-server", "--requirepass", "$PASSWORD"]}, True),
        ({"command": ["redis-server"], "args": ["--requirepass", "${PASSWORD}"]}, True),
        ({"command": ["redis-server", "--requirepass", "$(PASSWORD)"]}, False),
        ({"command": ["sh", "-c", "redis-server --requirepass $PASSWORD"]}, False),
        ({"command": ["/usr/bin/env", "bash", "-c", "app $PASSWORD"]}, False),
        ({"command": ["sh"], "args": ["-c", "app $PASSWORD"]}, False),
        ({"command": ["tini", "--", "sh", "-c", "app $PASSWORD"]}, False),
        ({"args": ["--password", "$PASSWORD"]}, False),  # who knows what the image starts
        ({"command": ["nginx", "-g", "set $uri;"]}, False),  # not a variable of the container
        ({"command": ["python", "-c", "import os\nprint('$PASSWORD')"]}, False),
        ({"readinessProbe": {"exec": {"command": ["redis-cli", "-a", "$PASSWORD"]}}}, True),
        ({"readinessProbe": {"exec": {"command": ["sh", "-c", "redis-cli -a $PASSWORD"]}}}, False),
    ],
)
def test_programs(content: dict[str, Any], wrong: object) -> None:
    assert (EXEC in found(pod(container(env=[SECRET], **content)))) is wrong


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ({"args": ["$(NAME)"]}, True),
        ({"args": ["$(USER)"]}, False),
        ({"args": ["$$(NAME)"]}, False),
        ({"args": ["$(KUBERNETES_SERVICE_HOST)"]}, False),
        ({"args": ["$(LEVEL)"], **FROM_CONFIG}, False),
        ({"args": ["$(NAME)"], "envFrom": [{"secretRef": {"name": "elsewhere"}}]}, False),
        ({"command": ["sh", "-c", "echo $(hostname)"]}, False),
        ({"args": [["$(NAME)"], 1]}, False),
    ],
)
def test_undefined_in_arguments(content: dict[str, Any], wrong: object) -> None:
    assert (
        UNDEFINED in found(config("settings", LEVEL="info") + pod(container(env=[LITERAL], **content)))
    ) is wrong


@pytest.mark.parametrize(
    ("env", "wrong"),
    [
        ([LITERAL, {"name": "URL", "value": "a://$(USER)@b"}], False),
        ([{"name": "URL", "value": "a://$(USER)@b"}, LITERAL], True),
        ([{"name": "URL", "value": "a://$(URL)"}], True),
        ([{"name": "URL", "value": "a://$$(USER)"}], False),
        ([{"name": "URL", "value": "a://$(REDIS_SERVICE_HOST)"}], False),
        ([{"name": "URL", "value": "$(POD_IP)"}], True),
        ([None, {"name": []}, {"value": "$(A)"}], True),
    ],
)
def test_order_of_variables(env: list[object], wrong: object) -> None:
    assert (UNDEFINED in found(pod(container(env=env)))) is wrong


def service(name: str = "redis", **spec: object) -> str:
    return document("Service", name, spec={"ports": [{"port": 6379}], **spec})


@pytest.mark.parametrize(
    ("manifests", "wrong"),
    [
        (service() + pod(container(command=["sh", "-c", "app ${REDIS_PORT:-6379}"])), True),
        (service() + pod(container(command=["sh", "-c", "app $REDIS_PORT"])), True),
        (service() + pod(container(command=["sh", "-c", "app $PORT"])), False),
        (service(clusterIP="None") + pod(container(command=["sh", "-c", "app $REDIS_PORT"])), False),
        (service("redis-service") + pod(container(command=["sh", "-c", "app $REDIS_PORT"])), False),
        (
            service()
            + pod(container(command=["sh", "-c", "$REDIS_PORT"], env=[{"name": "REDIS_PORT", "value": "1"}])),
            False,
        ),
        (service() + pod(container(command=["sh", "-c", "$REDIS_PORT"]), enableServiceLinks=False), False),
        (service() + pod(container(command=["sh", "-c", "$REDIS_PORT"]), namespace="other"), False),
        (service() + pod(container(args=["$(REDIS_PORT)"])), True),
        # Meant so: the address by its proper names.
        (service() + pod(container(command=["sh", "-c", "$REDIS_SERVICE_HOST:$REDIS_SERVICE_PORT"])), False),
    ],
)
def test_service_links(manifests: str, wrong: object) -> None:
    assert (LINK in found(manifests)) is wrong


def test_a_setting_that_stands_beside_others() -> None:
    key = {"name": "REDIS_HOST", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "REDIS_HOST"}}}
    manifests = service() + config("settings", REDIS_HOST="redis", REDIS_PORT="6379")
    assert LINK in found(manifests + pod(container(env=[key])))
    assert LINK not in found(manifests + pod(container(**FROM_CONFIG)))
