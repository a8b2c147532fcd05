"""A real API server takes ``dist/`` as it is, keeps it as it was written, and finds nothing to do again."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.compiled.conftest import Applied
from tests.compiled.control_plane import Cluster, as_list, control_plane
from tests.integration.processes import eventually
from tests.manifests import Manifest, identity, of_kind, workloads

pytestmark = [pytest.mark.compiled, pytest.mark.daemon, pytest.mark.slow]

Written = Mapping[str, Sequence[Manifest]]

ALWAYS_CONFIGURED = {"poddisruptionbudget.policy", "statefulset.apps"}
"""Of these kubectl says so though nothing changes: a client-side patch replaces a selector as a whole, and
claim templates too, to which the server adds the kind again."""

REWRITTEN = {"APIService", "PersistentVolumeClaim", "ResourceQuota"}
"""What the server writes again without a change: their status, or at a claim's first update all of it."""


def test_dist_applies_to_an_empty_cluster_in_one_go(applied: Applied, written: Written) -> None:
    """In the order of the files, Namespaces before what is in them, and without any warning."""
    assert (applied.kubectl.returncode, applied.kubectl.stderr) == (0, "")
    said = [line.partition("/")[2].split() for line in applied.kubectl.stdout.splitlines()]
    expected = [m["metadata"]["name"] for m in chain.from_iterable(written.values())]
    assert said == [[name, "serverside-applied"] for name in expected]


def test_a_warning_of_the_server_would_be_seen(cluster: Cluster, written: Written) -> None:
    """Shows that the silence above means something."""
    deployment = of_kind(written["production"], "Deployment")[0]
    spec = {**deployment["spec"]["template"]["spec"], "hostNetwork": True}
    template = {**deployment["spec"]["template"], "spec": spec}
    changed = {**deployment, "spec": {**deployment["spec"], "template": template}}
    done = cluster.kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", text=as_list([changed]))
    assert 'Warning: would violate PodSecurity "restricted:latest"' in done.stderr


def test_applying_again_changes_nothing(cluster: Cluster, dist: Path, written: Written) -> None:
    everything = list(chain.from_iterable(written.values()))
    before = versions(cluster.stored(everything))
    cluster.done("apply", "--server-side", "-f", str(dist))
    assert versions(cluster.stored(everything)) == before


def versions(stored: Sequence[Manifest]) -> dict[tuple[str, str], str]:
    return {
        (item["metadata"].get("namespace", ""), identity(item)): item["metadata"]["resourceVersion"]
        for item in stored
        if item["kind"] not in REWRITTEN
    }


def test_there_is_no_difference_to_review(cluster: Cluster, dist: Path) -> None:
    done = cluster.kubectl("diff", "--server-side", "-f", str(dist))
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


def test_a_difference_to_review_is_shown(cluster: Cluster, written: Written) -> None:
    ingress = of_kind(written["dev"], "Ingress")[0]
    changed = {**ingress, "spec": {**ingress["spec"], "ingressClassName": "other"}}
    done = cluster.kubectl("diff", "--server-side", "-f", "-", text=as_list([changed]))
    assert done.returncode == 1
    assert "+  ingressClassName: other" in done.stdout


def test_the_server_stores_what_is_written(cluster: Cluster, written: Written) -> None:
    """It adds defaults, and changes nothing: a value in another notation would be drift to Argo CD."""
    found = {
        f"{environment} {identity(manifest)}": list(changes(manifest, stored))
        for environment, manifests in written.items()
        for manifest, stored in zip(manifests, cluster.stored(manifests), strict=True)
    }
    assert {name: changed for name, changed in found.items() if changed} == {}


def changes(written: JsonValue, stored: JsonValue, path: str = "") -> Iterator[str]:
    """Yield what is stored otherwise than it was written."""
    if isinstance(written, dict) and isinstance(stored, dict):
        for key, value in written.items():
            if key not in stored:
                yield f"{path}.{key} = {value!r} is gone"
            else:
                yield from changes(value, stored[key], f"{path}.{key}")
    elif isinstance(written, list) and isinstance(stored, list) and len(written) == len(stored):
        for index, (ours, theirs) in enumerate(zip(written, stored, strict=True)):
            yield from changes(ours, theirs, f"{path}[{index}]")
    elif written != stored:
        yield f"{path} = {written!r} became {stored!r}"


@pytest.mark.parametrize(
    ("field", "notation", "change"),
    [
        ("limits.cpu", "1000m", "'1000m' became '1'"),
        ("requests.memory", "1024Mi", "'1024Mi' became '1Gi'"),
    ],
)
def test_another_notation_would_be_found(
    cluster: Cluster, written: Written, field: str, notation: str, change: str
) -> None:
    (quota,) = of_kind(written["dev"], "ResourceQuota")
    renamed = {**quota["metadata"], "name": f"other-notation-{notation.lower()}"}
    manifest = {**quota, "metadata": renamed, "spec": {"hard": {field: notation}}}
    cluster.done("create", "-f", "-", text=as_list([manifest]))
    (stored,) = cluster.stored([manifest])
    cluster.done("delete", "-f", "-", text=as_list([manifest]))
    assert list(changes(manifest, stored)) == [f".spec.hard.{field} = {change}"]


def test_what_others_own_survives_an_apply(cluster: Cluster, dist: Path, written: Written) -> None:
    """The autoscaler's replicas and the CA that cert-manager injects are not ours to reset."""
    (scaler,) = of_kind(written["production"], "HorizontalPodAutoscaler")
    (api_service,) = of_kind(written["production"], "APIService")
    (deployment,) = (
        manifest
        for manifest in of_kind(written["production"], "Deployment")
        if manifest["metadata"]["name"] == scaler["spec"]["scaleTargetRef"]["name"]
    )
    namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    injected = '{"spec":{"caBundle":"bm8gY2VydGlmaWNhdGU="}}'
    injector = ("--field-manager=cert-manager-cainjector", "--type=merge")
    cluster.done("scale", f"deployment/{name}", "-n", namespace, "--replicas=17")
    cluster.done("patch", "apiservice", api_service["metadata"]["name"], *injector, "-p", injected)

    cluster.done("apply", "--server-side", "-f", str(dist))

    scaled, with_ca = cluster.stored([deployment, api_service])
    assert scaled["spec"]["replicas"] == 17
    assert with_ca["spec"]["caBundle"] == "bm8gY2VydGlmaWNhdGU="


@pytest.fixture(scope="module")
def busy(server: Path) -> Iterator[Cluster]:
    """A cluster in which every controller works."""
    with control_plane(server, ("*",)) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def client_side(busy: Cluster, dist: Path) -> subprocess.CompletedProcess[str]:
    """Apply as kubectl does by default: it keeps what it applied in an annotation, of limited size."""
    return busy.kubectl("apply", "-f", str(dist))


def test_dist_applies_client_side(
    busy: Cluster, client_side: subprocess.CompletedProcess[str], dist: Path
) -> None:
    assert (client_side.returncode, client_side.stderr) == (0, "")
    again = busy.silent("apply", "-f", str(dist))
    changed = [line for line in again.splitlines() if not line.endswith(" unchanged")]
    assert [line for line in changed if line.partition("/")[0] not in ALWAYS_CONFIGURED] == []


@pytest.mark.usefixtures("client_side")
@pytest.mark.parametrize("environment", ["dev", "production", "staging"])
def test_the_controllers_may_make_every_pod(busy: Cluster, written: Written, environment: str) -> None:
    """Deployments, StatefulSets and Jobs get their pods and claims, under the quota of the namespace."""
    made_by = {workload.name: workload for workload in workloads(written[environment])}
    namespace = next(iter(made_by.values())).manifest["metadata"]["namespace"]
    for workload in made_by.values():
        if workload.kind == "CronJob":
            source = f"--from=cronjob/{workload.name}"
            busy.done("create", "job", f"{workload.name}-now", source, "-n", namespace)

    def without_pod() -> list[str]:
        components = {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in pods()}
        return [name for name, workload in made_by.items() if workload.component not in components]

    def pods() -> list[Manifest]:
        return busy.listed("pods", namespace)

    def refused() -> list[str]:
        return [
            event["message"]
            for event in busy.listed("events", namespace)
            if event["reason"] in {"FailedCreate", "ReplicaSetCreateError"}
        ]

    eventually(lambda: refused() or not without_pod(), within=30, every=0.5)
    assert refused() == []


@pytest.mark.usefixtures("client_side")
def test_server_side_takes_over_from_client_side(busy: Cluster, dist: Path) -> None:
    """Forced once, because of the kind of claim templates that the server has added; never again."""
    busy.silent("apply", "--server-side", "--force-conflicts", "-f", str(dist))
    busy.silent("apply", "--server-side", "-f", str(dist))


@pytest.mark.usefixtures("client_side")
def test_the_environments_can_be_removed(busy: Cluster, dist: Path) -> None:
    """As the README says; last here, and all at once: waiting for namespaces to end takes its time."""
    busy.silent("delete", "-f", str(dist), "--timeout=100s")
    assert busy.done("get", "--ignore-not-found", "-o", "name", "-f", str(dist)) == ""
