"""Dashboards for a Grafana that is not ours: ConfigMaps that its sidecar collects."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from cdk8s_plus_27 import k8s
from constructs import Construct

from traversion.observability.scope import Group
from traversion.platform.component import Component

_LONGEST_UID = 40  # Grafana refuses longer ones.


def sidecar_dashboards(
    scope: Construct, owner: Component, dashboards: Mapping[str, str], labels: Mapping[str, str]
) -> None:
    """Create a ConfigMap for each dashboard (file name -> JSON), with the labels that the sidecar looks for.

    Where environments share the cluster they share that Grafana: file, uid and title bear the environment.
    """
    uids = {
        file.removesuffix(".json"): uid_in(file.removesuffix(".json"), owner.instance) for file in dashboards
    }
    for file, text in dashboards.items():
        uid = file.removesuffix(".json")
        metadata = owner.metadata(f"grafana-dashboard-{uid}", {"grafana_folder": "Traversion"})
        k8s.KubeConfigMap(
            scope,
            f"dashboard-{uid}",
            metadata=k8s.ObjectMeta(
                name=metadata.name,
                namespace=metadata.namespace,
                annotations=metadata.annotations,
                labels={**owner.labels, **labels},
            ),
            data={f"{uids[uid]}.json": _renamed(text, uids, owner.instance)},
        )


def relinked(groups: Sequence[Group], grafana: str | None, environment: str) -> list[Group]:
    """Return groups of rules whose alerts lead to the dashboards in that Grafana, or to none."""
    return [
        {**group, "rules": [_relinked(rule, grafana, environment) for rule in group["rules"]]}
        for group in groups
    ]


def uid_in(uid: str, environment: str) -> str:
    """Return a dashboard's uid in a Grafana that several environments share."""
    whole = f"{uid}-{environment.removeprefix('traversion-')}"
    return whole if len(whole) <= _LONGEST_UID else f"{uid}-{sha256(environment.encode()).hexdigest()[:8]}"


def _renamed(text: str, uids: Mapping[str, str], environment: str) -> str:
    for uid, new in uids.items():
        text = text.replace(f'"uid": "{uid}"', f'"uid": "{new}"').replace(f"/d/{uid}", f"/d/{new}")
    board = json.loads(text)
    board["title"] = f"{board['title']} ({environment})"
    return json.dumps(board, indent=2) + "\n"


def _relinked(rule: Mapping[str, Any], grafana: str | None, environment: str) -> Mapping[str, Any]:
    annotations = dict(rule.get("annotations", {}))
    link = annotations.pop("dashboard_url", "")
    if link and grafana:
        uid = uid_in(link.rpartition("/d/")[2], environment)
        annotations["dashboard_url"] = f"{grafana.rstrip('/')}/d/{uid}"
    return {**rule, "annotations": annotations} if annotations else rule
