"""What exporters are told to read: certificates, and the background jobs of the database."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import yaml

from tests.manifests import Manifest, find, workload
from tests.schemas import CRDS
from traversion.observability.metrics import (
    CERTIFICATE_EXPIRES,
    CERTIFICATE_READY,
    POLICY_FAILED,
    POLICY_FAILURES,
    POLICY_OVERDUE,
    POLICY_RUNS,
)


@pytest.fixture
def custom_resources(production: Sequence[Manifest]) -> dict[str, Any]:
    """What kube-state-metrics is told of certificates, where its argument says that it finds it."""
    each = workload(production, "kube-state-metrics")
    (container,) = each.containers
    (file,) = (
        argument.partition("=")[2]
        for argument in container["args"]
        if argument.startswith("--custom-resource-state-config-file=")
    )
    (mount,) = (m for m in container["volumeMounts"] if file.startswith(m["mountPath"]))
    (volume,) = (v for v in each.spec["volumes"] if v["name"] == mount["name"])
    files = find(production, "ConfigMap", volume["configMap"]["name"])["data"]
    document = yaml.safe_load(files[file.removeprefix(f"{mount['mountPath']}/")])
    assert document["kind"] == "CustomResourceStateMetrics"
    (resource,) = document["spec"]["resources"]
    found: dict[str, Any] = resource
    return found


def test_the_metrics_of_certificates_are_those_of_the_catalogue(custom_resources: dict[str, Any]) -> None:
    prefix = custom_resources["metricNamePrefix"]
    made = {
        f"{prefix}_{metric['name']}": {
            *custom_resources["labelsFromPath"],
            *metric["each"]["gauge"].get("labelsFromPath", {}),
        }
        for metric in custom_resources["metrics"]
    }
    added = {"environment", "instance"}  # by Prometheus
    assert made == {
        family.name: set(family.labels) - added for family in (CERTIFICATE_EXPIRES, CERTIFICATE_READY)
    }


@pytest.mark.skipif(not CRDS.is_dir(), reason=f"{CRDS} does not exist: it holds cert-manager's schemas")
def test_certificates_have_what_is_read_of_them(custom_resources: dict[str, Any]) -> None:
    kind = custom_resources["groupVersionKind"]
    (file,) = CRDS.glob("cert-manager-*.yaml")
    (definition,) = (
        each
        for each in yaml.load_all(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if each
        and each["kind"] == "CustomResourceDefinition"
        and each["spec"]["names"]["kind"] == kind["kind"]
    )
    assert definition["spec"]["group"] == kind["group"]
    (version,) = (each for each in definition["spec"]["versions"] if each["name"] == kind["version"])
    schema = version["schema"]["openAPIV3Schema"]
    expires, ready = (metric["each"]["gauge"] for metric in custom_resources["metrics"])
    assert field(schema, expires["path"])["format"] == "date-time"
    conditions = field(schema, ready["path"])
    assert conditions["type"] == "array"
    # kube-state-metrics makes 1 of "True", and 0 of the others.
    assert set(field(conditions["items"], ready["valueFrom"])["enum"]) == {"True", "False", "Unknown"}
    for path in ready["labelsFromPath"].values():
        assert field(conditions["items"], path)["type"] == "string"


def field(schema: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    for name in path:
        schema = schema["properties"][name]
    return dict(schema)


def test_kube_state_metrics_may_read_certificates_and_nothing_secret(production: Sequence[Manifest]) -> None:
    role = find(production, "Role", "kube-state-metrics")
    assert {
        "apiGroups": ["cert-manager.io"],
        "resources": ["certificates"],
        "verbs": ["list", "watch"],
    } in role["rules"]
    (definitions,) = find(production, "ClusterRole", "traversion-production-kube-state-metrics")["rules"]
    assert definitions["resources"] == ["customresourcedefinitions"]
    assert definitions["verbs"] == ["list", "watch"]


def test_the_query_of_background_jobs_yields_the_families_of_the_catalogue(
    production: Sequence[Manifest],
) -> None:
    (container,) = workload(production, "postgres-exporter").containers
    assert container["args"] == ["--extend.query-path=/etc/queries/queries.yaml"]
    queries = yaml.safe_load(
        find(production, "ConfigMap", "postgres-exporter-queries")["data"]["queries.yaml"]
    )
    ((name, query),) = queries.items()
    columns = {column: what["usage"] for metric in query["metrics"] for column, what in metric.items()}
    families = (POLICY_RUNS, POLICY_FAILURES, POLICY_FAILED, POLICY_OVERDUE)
    assert {f"{name}_{column}": usage for column, usage in columns.items() if usage != "LABEL"} == {
        family.name: family.kind.upper() for family in families
    }
    labels = {column for column, usage in columns.items() if usage == "LABEL"}
    assert all(labels <= set(family.labels) for family in families)
