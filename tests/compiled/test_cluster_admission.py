"""The server's own admission lets in every pod of ours and refuses those that the promises exclude."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.compiled.control_plane import Cluster, as_list, control_plane
from tests.compiled.pods import claims, most_pods, namespace_of, pod_of
from tests.manifests import Manifest, change, synthesize_environment, workloads
from traversion.restoring import restore_manifests
from traversion.settings import Environment
from traversion.timescaledb.restore import Restore

pytestmark = [pytest.mark.compiled, pytest.mark.daemon, pytest.mark.slow]

Written = Mapping[str, Sequence[Manifest]]
ENVIRONMENTS = ("dev", "production", "staging")

RESTRICTED: Manifest = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def bare_pod(namespace: str, name: str, **container: object) -> Manifest:
    """Return somebody else's pod, which does no more than Pod Security demands."""
    image = {"name": "main", "image": "registry.company.com/other:1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{**image, "securityContext": RESTRICTED, **container}]},
    }


def acme_solver(namespace: str) -> Manifest:
    """Return the pod that cert-manager starts for an HTTP-01 challenge, with its default resources."""
    resources = {
        "requests": {"cpu": "10m", "memory": "64Mi"},
        "limits": {"cpu": "100m", "memory": "64Mi"},
    }
    return bare_pod(namespace, "cm-acme-http-solver", resources=resources)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_pod_is_admitted_as_it_is(cluster: Cluster, written: Written, environment: str) -> None:
    """Pod Security, LimitRange, ServiceAccount and priority: no objection, no warning, no default added."""
    pods = [pod_of(workload) for workload in workloads(written[environment])]
    admitted = cluster.created(pods, "--dry-run=server")
    assert [resources(pod) for pod in admitted] == [resources(pod) for pod in pods]


def resources(pod: Manifest) -> dict[str, Manifest]:
    containers = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
    return {container["name"]: container["resources"] for container in containers}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ({"securityContext": {"privileged": True}}, "violates PodSecurity"),
        ({"securityContext": {**RESTRICTED, "runAsNonRoot": False}}, "violates PodSecurity"),
        ({"securityContext": {"runAsNonRoot": True}}, "violates PodSecurity"),
        (
            {"resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "64"}}},
            "maximum cpu usage per Container is",
        ),
    ],
)
def test_other_pods_are_refused(
    cluster: Cluster, written: Written, environment: str, container: Manifest, reason: str
) -> None:
    pod = bare_pod(namespace_of(written[environment]), "other", **container)
    done = cluster.kubectl("create", "--dry-run=server", "-f", "-", text=as_list([pod]))
    assert done.returncode == 1
    assert reason in done.stderr


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_pod_without_resources_gets_small_ones(
    cluster: Cluster, written: Written, environment: str
) -> None:
    """The quota would refuse it otherwise: it asks every pod for its requests and limits."""
    pod = bare_pod(namespace_of(written[environment]), "other")
    (admitted,) = cluster.created([pod], "--dry-run=server")
    assert resources(admitted) == {
        "main": {
            "limits": {"cpu": "100m", "memory": "64Mi"},
            "requests": {"cpu": "10m", "memory": "64Mi"},
        }
    }


@pytest.fixture(scope="module")
def tight(environments: Mapping[str, Environment]) -> dict[str, list[Manifest]]:
    """The environments with quotas that hold exactly what is needed, a restored server beside the old."""
    exact = {
        name: change(environment, {"quota_headroom_percent": 0}) for name, environment in environments.items()
    }
    return {
        name: [
            *synthesize_environment(environment).manifests,
            *(restore_manifests(environment, Restore("beside")) if environment.database.backups else ()),
        ]
        for name, environment in exact.items()
    }


@pytest.fixture(scope="module")
def crowded(server: Path, tight: Mapping[str, Sequence[Manifest]]) -> Iterator[Cluster]:
    """A cluster for pods that count."""
    with control_plane(server) as cluster:
        for manifests in tight.values():
            cluster.done("apply", "--server-side", "-f", "-", text=as_list(manifests))
        yield cluster


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_quota_admits_everything_at_its_maximum(
    crowded: Cluster, tight: Mapping[str, Sequence[Manifest]], environment: str
) -> None:
    """Every Deployment rolling at full scale, all jobs, a restore, a certificate's solver; then no more."""
    manifests = tight[environment]
    namespace = namespace_of(manifests)
    pods = [
        pod_of(workload, number)
        for workload in workloads(manifests)
        for number in range(most_pods(workload, manifests))
    ]
    crowded.created([*claims(manifests), *pods, acme_solver(namespace)])

    another = bare_pod(namespace, "one-too-many")
    refused = crowded.kubectl("create", "-f", "-", text=as_list([another]))
    assert refused.returncode == 1
    assert "exceeded quota: traversion-quota" in refused.stderr
