"""Environments that nobody deploys yet somebody might: every option that the three of ours leave alone."""

from collections.abc import Mapping

from tests.manifests import change
from traversion.contract import UPSTREAM_1_0_0
from traversion.settings import (
    AlertReceivers,
    ArchiveSettings,
    AuthoritySettings,
    BackupSettings,
    ClusterSettings,
    CredentialSettings,
    Environment,
    Image,
    OffsiteSettings,
    PlacementSettings,
    PosixRepository,
    S3Repository,
)

_OFFSITE = S3Repository(
    bucket="company-traversion",
    region="eu-central-1",
    endpoint="storage.company.com",
    port=9000,
    uri_style="path",
    endpoint_cidrs=("10.20.0.0/16",),
)

_CERTIFICATES = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n" * 2

VARIANTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "upstream": ("production", {"api.contract": UPSTREAM_1_0_0}),
    "external-secrets": (
        "production",
        {
            "credentials": CredentialSettings(
                source="external-secrets", store="vault", prefix="traversion/production/", refresh="1d"
            )
        },
    ),
    "posix-backups": (
        "production",
        {
            "database.backups": BackupSettings(
                repository=PosixRepository(storage="500Gi"),
                offsite=OffsiteSettings(repository=_OFFSITE),
                archive=ArchiveSettings(repository=_OFFSITE),
            )
        },
    ),
    "succession": (
        "production",
        {"authority": AuthoritySettings(generation=2, successor=True, trusted=_CERTIFICATES)},
    ),
    "recommendations": ("staging", {"vertical_pod_autoscaler": True}),
    "eks": (
        "staging",
        {"cluster": ClusterSettings(cloud="eks"), "placement": PlacementSettings(spot=True)},
    ),
    "aks": (
        "production",
        {
            "cluster": ClusterSettings(cloud="aks", zones=("westeurope-1", "westeurope-2")),
            "placement": PlacementSettings(spot=True, spread_zones=True),
        },
    ),
    "generic": (
        "dev",
        {
            "placement": PlacementSettings(node_labels={"workload": "traversion", "disk": "fast"}),
            "cluster": ClusterSettings(
                cloud="generic",
                storage_class="local-ssd",
                api_server_cidrs=("192.0.2.10/32",),
                node_cidrs=("10.128.0.0/16",),
                dns_cidrs=("169.254.20.10/32",),
            ),
        },
    ),
    "private-registry": (
        "staging",
        {
            "api.image": Image(
                repository="registry.company.com:5000/traversion",
                tag=f"1.1.0@sha256:{'0' * 64}",
                pull_secret="registry",
            ),
            "observability.alertmanager.receivers": AlertReceivers(),
            "ingress.cors_origins": ("https://app.company.com",),
            "quota_headroom_percent": 0,
        },
    ),
}
"""Name -> the environment it starts from, and the settings that it changes."""


def variant(environments: Mapping[str, Environment], name: str) -> Environment:
    """Return a variant's settings, checked."""
    base, changes = VARIANTS[name]
    return change(environments[base], changes)
