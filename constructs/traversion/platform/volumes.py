"""What a container can mount, each kind with the hardening it needs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cdk8s_plus_27 import k8s
from constructs import Construct

from traversion.platform.component import Component
from traversion.platform.notation import quantity

# Readable by the pod's group and nobody else; PostgreSQL refuses keys that are more open.
_PRIVATE = 0o440
_EXECUTABLE = 0o555


@dataclass(frozen=True)
class ConfigFiles:
    """Files from a ConfigMap that this program writes. Pods that mount them roll when they change."""

    name: str
    config_map: str
    data: Mapping[str, str] = field(hash=False)
    executable: bool = False

    def create(self, scope: Construct, owner: Component) -> "ConfigFiles":
        """Create the ConfigMap."""
        k8s.KubeConfigMap(scope, self.config_map, metadata=owner.metadata(self.config_map), data=self.data)
        return self

    @property
    def digest(self) -> str:
        """A fingerprint of the content."""
        content = repr(sorted(self.data.items())).encode()
        return hashlib.sha256(content).hexdigest()

    def volume(self) -> k8s.Volume:
        """Return the pod's volume."""
        source = k8s.ConfigMapVolumeSource(
            name=self.config_map, default_mode=_EXECUTABLE if self.executable else None
        )
        return k8s.Volume(name=self.name, config_map=source)


@dataclass(frozen=True)
class SecretFiles:
    """Files from a Secret; all its keys, or the named ones."""

    name: str
    secret: str
    keys: tuple[str, ...] = ()

    def volume(self) -> k8s.Volume:
        """Return the pod's volume."""
        items = [k8s.KeyToPath(key=key, path=key) for key in self.keys] or None
        source = k8s.SecretVolumeSource(secret_name=self.secret, default_mode=_PRIVATE, items=items)
        return k8s.Volume(name=self.name, secret=source)


@dataclass(frozen=True)
class Scratch:
    """An empty directory that dies with the pod; in memory, it counts against the memory limit."""

    name: str
    size: str
    in_memory: bool = False

    def volume(self) -> k8s.Volume:
        """Return the pod's volume."""
        source = k8s.EmptyDirVolumeSource(
            size_limit=quantity(self.size), medium="Memory" if self.in_memory else None
        )
        return k8s.Volume(name=self.name, empty_dir=source)


@dataclass(frozen=True)
class Claim:
    """A disk: of a StatefulSet's pod, from its claim template, or an existing claim."""

    name: str
    size: str
    storage_class: str
    existing: bool = False

    def volume(self) -> k8s.Volume | None:
        """Return the pod's volume; a template brings its own."""
        if not self.existing:
            return None
        source = k8s.PersistentVolumeClaimVolumeSource(claim_name=self.name)
        return k8s.Volume(name=self.name, persistent_volume_claim=source)

    def spec(self) -> k8s.PersistentVolumeClaimSpec:
        """Return the specification of the claim."""
        return k8s.PersistentVolumeClaimSpec(
            access_modes=["ReadWriteOnce"],
            storage_class_name=self.storage_class,
            volume_mode="Filesystem",
            resources=k8s.ResourceRequirements(requests={"storage": quantity(self.size)}),
        )


@dataclass(frozen=True)
class ScratchDisk:
    """A disk that is made for one pod and deleted with it."""

    name: str
    size: str
    storage_class: str

    def volume(self) -> k8s.Volume:
        """Return the pod's volume."""
        claim = Claim(self.name, self.size, self.storage_class).spec()
        template = k8s.PersistentVolumeClaimTemplate(spec=claim)
        return k8s.Volume(name=self.name, ephemeral=k8s.EphemeralVolumeSource(volume_claim_template=template))


@dataclass(frozen=True)
class IdentityToken:
    """A token of the pod's account for somebody who trusts the cluster's issuer, such as a cloud."""

    name: str
    audience: str

    def volume(self) -> k8s.Volume:
        """Return the pod's volume; the kubelet renews the file ``token``."""
        token = k8s.ServiceAccountTokenProjection(
            audience=self.audience, path="token", expiration_seconds=3600
        )
        source = k8s.ProjectedVolumeSource(sources=[k8s.VolumeProjection(service_account_token=token)])
        return k8s.Volume(name=self.name, projected=source)


Volume: TypeAlias = ConfigFiles | SecretFiles | Scratch | Claim | ScratchDisk | IdentityToken


@dataclass(frozen=True)
class Mount:
    """A volume at a path of a container. Configuration and secrets are read-only, data is not."""

    volume: Volume
    path: str
    sub_path: str | None = None

    @property
    def read_only(self) -> bool:
        """Whether writing is refused."""
        return isinstance(self.volume, ConfigFiles | SecretFiles | IdentityToken)
