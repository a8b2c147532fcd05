"""Tomorrow's manifests apply over today's: no field changes that Kubernetes has made immutable."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.compiled.control_plane import QUIET_CONTROLLERS, Cluster, as_list, control_plane
from tests.compiled.pods import claims
from tests.manifests import (
    REPOSITORY,
    Manifest,
    change,
    of_kind,
    read_manifests,
    synthesize_environment,
    workload,
)
from traversion.settings import Environment, PosixRepository, Resources

pytestmark = [pytest.mark.compiled, pytest.mark.daemon, pytest.mark.slow]


def test_another_image_is_rolled_out_and_back(cluster: Cluster, dist: Path, tmp_path: Path) -> None:
    promoted = tmp_path / "dist"
    subprocess.run(
        [sys.executable, "-O", "main.py"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "TRAVERSION_ENV": "production",
            "TRAVERSION_IMAGE_TAG": "9.9.9",
            "CDK8S_OUTDIR": str(promoted),
        },
        check=True,
    )
    for folder, tag in ((promoted, "9.9.9"), (dist, "1.1.0")):
        file = folder / "production.k8s.yaml"
        cluster.silent("apply", "--server-side", "-f", str(file))
        api = workload(read_manifests(file.read_text(encoding="utf-8")), "traversion").manifest
        (stored,) = cluster.stored([api])
        assert stored["spec"]["template"]["spec"]["containers"][0]["image"].endswith(f":{tag}")


def _name_of(changes: Mapping[str, object]) -> str:
    return ",".join(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"database.event_retention": "30d", "database.metric_retention": "14d"},
        {"database.backups.full": "30 4 * * *", "database.backups.retention": "7d"},
        {"database.backups.repository": PosixRepository(storage="500Gi")},
        {"database.backups": None},
        {"database.resources": Resources(cpu="2", cpu_limit="4", memory="8Gi", memory_limit="8Gi")},
        {"database.image.tag": "pg15.19-ts2.29.0", "redis.image.tag": "7.4.12-alpine"},
        {"observability.prometheus.retention": "10d", "observability.prometheus.scrape_interval": "30s"},
        {"observability.alertmanager.receivers.pagerduty": False},
        {"api.replicas.maximum": 20, "api.surge": 2},
        {"api.autoscaling.requests_per_second": None},
        {"api.log_level": "debug"},
        {"domain": "traversion.example.org"},
        {"ingress.issuer": "self-signed"},
        {"placement.spot": True, "placement.node_labels": {"workload": "traversion"}},
        {"placement.spread_zones": False},
        {"quota_headroom_percent": 50},
        {"credentials.source": "external-secrets", "credentials.store": "vault"},
        {"vertical_pod_autoscaler": True},
        {"cluster.api_server_cidrs": ("192.0.2.10/32",)},
        {"cluster.zones": ("europe-west1-b", "europe-west1-c")},
    ],
    ids=_name_of,
)
def test_a_changed_setting_applies(
    cluster: Cluster, environments: Mapping[str, Environment], changes: Mapping[str, object]
) -> None:
    manifests = synthesize_environment(_changed(environments["production"], changes)).manifests
    cluster.silent("apply", "--server-side", "--dry-run=server", "-f", "-", text=as_list(manifests))


def _changed(environment: Environment, changes: Mapping[str, object]) -> Environment:
    if "credentials.source" in changes:  # which is refused without a store, and a store without it
        credentials = {path.partition(".")[2]: value for path, value in changes.items()}
        return change(environment, {"credentials": type(environment.credentials).model_validate(credentials)})
    return change(environment, changes)


def test_priorities_change_when_their_classes_are_deleted_first(
    cluster: Cluster, environments: Mapping[str, Environment], written: Mapping[str, Sequence[Manifest]]
) -> None:
    """As the setting's description says; their pods keep the number that they were admitted with."""
    changed = synthesize_environment(change(environments["production"], {"priority": 200_000})).manifests
    refused = cluster.kubectl(
        "apply", "--server-side", "--dry-run=server", "-f", "-", text=as_list(changed)
    ).stderr.splitlines()
    assert len(refused) == len(of_kind(changed, "PriorityClass"))
    assert all(line.endswith("may not be changed in an update.") for line in refused)
    for manifests in (changed, written["production"]):
        cluster.silent("delete", "-f", "-", text=as_list(of_kind(manifests, "PriorityClass")))
        cluster.silent("apply", "--server-side", "-f", "-", text=as_list(manifests))


@pytest.fixture
def with_claims(server: Path, written: Mapping[str, Sequence[Manifest]]) -> Iterator[Cluster]:
    """A cluster with production in it, whose claims have their volumes; it can leave pods as orphans."""
    with control_plane(server, (*QUIET_CONTROLLERS, "garbage-collector-controller")) as cluster:
        cluster.silent("apply", "--server-side", "-f", "-", text=as_list(written["production"]))
        for claim in cluster.created(claims(written["production"])):
            metadata = claim["metadata"]
            arguments = ("pvc", metadata["name"], "-n", metadata["namespace"], "--subresource=status")
            cluster.done("patch", *arguments, "-p", '{"status":{"phase":"Bound"}}')
        yield cluster


def test_a_volume_grows_as_the_runbook_says(
    with_claims: Cluster, environments: Mapping[str, Environment], tmp_path: Path
) -> None:
    grown = synthesize_environment(change(environments["production"], {"database.storage": "300Gi"}))
    file = tmp_path / "production.k8s.yaml"
    file.write_text(grown.text, encoding="utf-8")
    early = with_claims.kubectl("apply", "--server-side", "--dry-run=server", "-f", str(file))
    (refusal,) = early.stderr.splitlines()  # and the rest applies
    assert refusal.startswith('The StatefulSet "timescaledb" is invalid: spec')

    runbook = (REPOSITORY / "docs" / "operations" / "grow-a-volume.md").read_text(encoding="utf-8")
    commands = [
        [str(file) if word == "dist/production.k8s.yaml" else word for word in shlex.split(command)]
        for command in re.findall(r"^ *kubectl (.*)$", runbook.replace("\\\n", ""), re.MULTILINE)
    ]
    on_pods = [command for command in commands if "--watch" in command or "rollout" in command]
    assert [command[0] for command in commands if command not in on_pods] == [
        "apply",
        "patch",
        "delete",
        "apply",
    ]
    for command in commands:
        if command not in on_pods:
            with_claims.silent(*command)

    (stored,) = with_claims.stored([workload(grown.manifests, "timescaledb").manifest])
    (template,) = stored["spec"]["volumeClaimTemplates"]
    assert template["spec"]["resources"]["requests"]["storage"] == "300Gi"
