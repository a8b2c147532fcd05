"""Also compared with Kubernetes' own examples of pods that the policies admit and refuse."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.verify.cases import errors, found
from tests.verify.pods import container, document, pod, workload
from traversion.verify import CHECKS, from_objects, verify

BASELINE, RESTRICTED = "pod-security-baseline", "pod-security-restricted"
SAFE_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
SAFE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
# go mod download k8s.io/pod-security-admission@v0.37.2
EXAMPLES = sorted(Path.home().glob("go/pkg/mod/k8s.io/pod-security-admission@*/test/testdata"))
OLDEST = 25


def namespace(**labels: str) -> str:
    prefixed = {f"pod-security.kubernetes.io/{key.replace('_', '-')}": value for key, value in labels.items()}
    return (
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: example, labels: {prefixed}}}\n"
        if labels
        else document("Namespace", "example")
    )


def judged(level: str, context: object = SAFE, **spec: Any) -> set[str]:  # noqa: ANN401 # fields of a pod
    spec = {"securityContext": SAFE_POD, **spec}
    manifests = pod(container(securityContext=context), namespace="example", **spec)
    return errors(namespace(enforce=level) + manifests) & {BASELINE, RESTRICTED}


def test_a_safe_pod() -> None:
    assert judged("restricted") == set()


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, {RESTRICTED}),
        ({**SAFE, "allowPrivilegeEscalation": None}, {RESTRICTED}),
        ({**SAFE, "capabilities": {"drop": ["all"]}}, {RESTRICTED}),
        ({**SAFE, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}, set()),
        ({**SAFE, "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}, {RESTRICTED}),
        ({**SAFE, "capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}, {BASELINE}),
        ({**SAFE, "runAsNonRoot": False}, {RESTRICTED}),
        ({**SAFE, "runAsUser": 0}, {RESTRICTED}),
        ({**SAFE, "runAsUser": 1000}, set()),
        ({**SAFE, "seccompProfile": {"type": "Unconfined"}}, {BASELINE}),
        ({**SAFE, "seccompProfile": {"type": []}}, {BASELINE}),
        ({**SAFE, "privileged": True}, {BASELINE}),
        ({**SAFE, "procMount": "Unmasked"}, {BASELINE}),
        ({**SAFE, "readOnlyRootFilesystem": False}, set()),  # not part of the standard
    ],
)
def test_contexts(context: object, expected: set[str]) -> None:
    assert judged("restricted", context) == expected


@pytest.mark.parametrize("kind", ["initContainers", "ephemeralContainers"])
def test_all_kinds_of_containers(kind: str) -> None:
    assert judged("restricted", **{kind: [container(securityContext=SAFE)]}) == set()
    assert judged("restricted", **{kind: [container()]}) == {RESTRICTED}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"securityContext": {}}, {RESTRICTED}),
        ({"securityContext": {}, "hostUsers": False}, {RESTRICTED}),  # seccomp is still missing
        ({"securityContext": {"seccompProfile": {"type": "Localhost"}}, "hostUsers": False}, set()),
        ({"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b"}]}, set()),
        ({"volumes": [{"name": "a", "nfs": {"server": "a", "path": "/"}}]}, {RESTRICTED}),
        ({"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}, {BASELINE}),
        ({"os": {"name": "windows"}, "securityContext": {"runAsNonRoot": True}}, set()),
    ],
)
def test_pods(spec: dict[str, object], expected: set[str]) -> None:
    assert judged("restricted", **spec) == expected


@pytest.mark.parametrize(
    ("labels", "severity"),
    [
        ({"enforce": "restricted"}, "error"),
        ({"enforce": "baseline"}, "error"),
        ({"enforce": "basline"}, "error"),  # what is no level counts as restricted
        ({"warn": "restricted"}, "warning"),
        ({"audit": "baseline"}, "warning"),
        ({"enforce": "privileged"}, ""),
        ({"enforce": "privileged", "warn": "baseline"}, "warning"),
        ({}, "warning"),
    ],
)
def test_the_namespace_decides(labels: dict[str, str], severity: str) -> None:
    manifests = namespace(**labels) + pod(hostNetwork=True, namespace="example")
    assert (BASELINE in errors(manifests)) is (severity == "error")
    assert (BASELINE in found(manifests)) is bool(severity)


def test_nobody_demands_restricted() -> None:
    assert RESTRICTED not in found(namespace(enforce="baseline") + pod(namespace="example"))
    assert RESTRICTED not in found(namespace() + pod(namespace="example"))


def test_old_policies_did_not_know_new_rules() -> None:
    probe = {"httpGet": {"host": "a", "port": 80}}
    manifests = pod(container(livenessProbe=probe), namespace="example")
    assert BASELINE in found(namespace(enforce="baseline", enforce_version="v1.34") + manifests)
    assert BASELINE not in found(namespace(enforce="baseline", enforce_version="v1.33") + manifests)


def test_controllers_are_blamed_for_their_pods() -> None:
    assert BASELINE in found(workload("DaemonSet", spec={"hostPID": True}))


def test_the_cluster_s_own_pods() -> None:
    assert BASELINE not in found(pod(hostNetwork=True, namespace="kube-system"))


@pytest.mark.skipif(not EXAMPLES, reason="the Go module k8s.io/pod-security-admission is not downloaded")
@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_kubernetes_own_examples(level: str) -> None:
    wrong, judgements = [], 0
    others = set(CHECKS) - {BASELINE, RESTRICTED}
    for path in sorted(EXAMPLES[-1].glob(f"{level}/v1.*/*/*.yaml")):
        version = path.parts[-3]
        if int(version.removeprefix("v1.")) < OLDEST:
            continue
        labels = {"enforce": level, "enforce-version": version}
        example = yaml.safe_load(path.read_text())
        example["metadata"]["namespace"] = "example"
        place = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": "example",
                "labels": {f"pod-security.kubernetes.io/{key}": value for key, value in labels.items()},
            },
        }
        refused = bool(verify(from_objects([place, example]), ignored=others))
        judgements += 1
        if refused is not (path.parent.name == "fail"):
            wrong.append(str(path))
    assert wrong == []
    assert judgements > 500
