"""Pods and containers that meet the Pod Security standard "restricted" without being asked to.

A container runs as a numbered user, cannot write its image, gains no privileges and holds no
capabilities; a pod gets the API server's token only when it says that it calls the API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

from cdk8s_plus_27 import k8s

from traversion.platform.component import Component
from traversion.platform.credentials import SecretKey
from traversion.platform.notation import int_or_string, quantity
from traversion.platform.placement import Placement
from traversion.platform.volumes import ConfigFiles, Mount
from traversion.settings import Image, Resources
from traversion.values import bytes_of, format_bytes, format_millicores, millicores_of


@dataclass(frozen=True)
class PodField:
    """A field of the pod itself, such as "metadata.name"."""

    path: str


EnvValue: TypeAlias = "str | SecretKey | PodField"


@dataclass(frozen=True)
class Container:
    """One container. ``environment`` keeps its order; ``ports`` maps names to numbers of TCP ports."""

    name: str
    image: Image
    resources: Resources
    command: Sequence[str] | None = None
    args: Sequence[str] | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    udp_ports: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, EnvValue] = field(default_factory=dict)
    environment_from: ConfigFiles | None = None
    mounts: Sequence[Mount] = ()
    startup: k8s.Probe | None = None
    readiness: k8s.Probe | None = None
    liveness: k8s.Probe | None = None
    pre_stop: Sequence[str] | None = None


@dataclass(frozen=True)
class Pod:
    """What one pod of a component consists of."""

    containers: Sequence[Container]
    uid: int
    gid: int
    init_containers: Sequence[Container] = ()
    calls_kubernetes: bool = False
    grace_seconds: int = 30
    priority_class: str | None = None
    restart_policy: str | None = None
    beside: Component | None = None
    """A component on whose node the pod must run, to share its volume."""

    @property
    def _all_containers(self) -> list[Container]:
        return [*self.init_containers, *self.containers]

    @property
    def _mounts(self) -> list[Mount]:
        return [mount for container in self._all_containers for mount in container.mounts]

    @property
    def pull_secrets(self) -> set[str]:
        """Names of the Secrets that the images are pulled with."""
        return {c.image.pull_secret for c in self._all_containers if c.image.pull_secret}

    @property
    def config_digest(self) -> str | None:
        """A fingerprint of every ConfigMap that the pod reads."""
        read = [mount.volume for mount in self._mounts if isinstance(mount.volume, ConfigFiles)]
        read += [c.environment_from for c in self._all_containers if c.environment_from]
        digests = sorted({files.digest for files in read})
        return sha256("".join(digests).encode()).hexdigest()[:16] if digests else None

    def template(
        self, component: Component, placement: Placement, *, spread: bool = False
    ) -> k8s.PodTemplateSpec:
        """Return the pod template for the component, placed where the environment wants it.

        ``spread`` is for components of several pods.
        """
        # A pod reads its configuration once: a new digest is a new template, and so a rollout.
        digest = self.config_digest
        annotations = {"traversion.io/config-digest": digest} if digest else None
        return k8s.PodTemplateSpec(
            metadata=k8s.ObjectMeta(labels=component.labels, annotations=annotations),
            spec=self._spec(component, placement, spread=spread),
        )

    def _spec(self, component: Component, placement: Placement, *, spread: bool) -> k8s.PodSpec:
        volumes = {mount.volume.name: mount.volume.volume() for mount in self._mounts}
        return k8s.PodSpec(
            service_account_name=component.name,
            automount_service_account_token=self.calls_kubernetes,
            # Variables such as REDIS_PORT=tcp://... would overwrite what programs read as a number.
            enable_service_links=False,
            security_context=k8s.PodSecurityContext(
                run_as_non_root=True,
                run_as_user=self.uid,
                run_as_group=self.gid,
                fs_group=self.gid,
                # Relabelling a large volume file by file would delay every start.
                fs_group_change_policy="OnRootMismatch",
                seccomp_profile=k8s.SeccompProfile(type="RuntimeDefault"),
            ),
            image_pull_secrets=[k8s.LocalObjectReference(name=name) for name in sorted(self.pull_secrets)]
            or None,
            priority_class_name=self.priority_class,
            termination_grace_period_seconds=self.grace_seconds,
            restart_policy=self.restart_policy,
            affinity=placement.affinity(self.beside),
            tolerations=placement.tolerations(),
            topology_spread_constraints=placement.spread(component) if spread else None,
            init_containers=[_container(c) for c in self.init_containers] or None,
            containers=[_container(c) for c in self.containers],
            volumes=[volume for volume in volumes.values() if volume] or None,
        )


def http_probe(
    path: str,
    port: int | str,
    *,
    period: int = 10,
    timeout: int = 3,
    failures: int = 3,
    scheme: str = "HTTP",
) -> k8s.Probe:
    """Ask for a path; ``period`` and ``timeout`` in seconds, not well after ``failures`` in a row."""
    action = k8s.HttpGetAction(path=path, port=int_or_string(port), scheme=scheme)
    return k8s.Probe(
        http_get=action, period_seconds=period, timeout_seconds=timeout, failure_threshold=failures
    )


def tcp_probe(port: int | str, *, period: int = 10, timeout: int = 3, failures: int = 3) -> k8s.Probe:
    """Open a connection; ``period`` and ``timeout`` in seconds, not well after ``failures`` in a row."""
    action = k8s.TcpSocketAction(port=int_or_string(port))
    return k8s.Probe(
        tcp_socket=action,
        period_seconds=period,
        timeout_seconds=timeout,
        failure_threshold=failures,
    )


def exec_probe(command: Sequence[str], *, period: int = 10, timeout: int = 5, failures: int = 3) -> k8s.Probe:
    """Run a command; ``period`` and ``timeout`` in seconds, not well after ``failures`` in a row."""
    action = k8s.ExecAction(command=command)
    return k8s.Probe(exec=action, period_seconds=period, timeout_seconds=timeout, failure_threshold=failures)


def _container(container: Container) -> k8s.Container:
    return k8s.Container(
        name=container.name,
        image=container.image.reference,
        image_pull_policy="IfNotPresent",
        command=container.command,
        args=container.args,
        ports=[
            k8s.ContainerPort(name=name, container_port=number, protocol=protocol)
            for protocol, ports in (("TCP", container.ports), ("UDP", container.udp_ports))
            for name, number in ports.items()
        ]
        or None,
        env=[_env(name, value) for name, value in container.environment.items()] or None,
        env_from=[
            k8s.EnvFromSource(
                config_map_ref=k8s.ConfigMapEnvSource(name=container.environment_from.config_map)
            )
        ]
        if container.environment_from
        else None,
        resources=_resources(container.resources),
        volume_mounts=[
            k8s.VolumeMount(
                name=mount.volume.name,
                mount_path=mount.path,
                sub_path=mount.sub_path,
                read_only=mount.read_only or None,
            )
            for mount in container.mounts
        ]
        or None,
        startup_probe=container.startup,
        readiness_probe=container.readiness,
        liveness_probe=container.liveness,
        lifecycle=k8s.Lifecycle(
            pre_stop=k8s.LifecycleHandler(exec=k8s.ExecAction(command=container.pre_stop))
        )
        if container.pre_stop
        else None,
        security_context=k8s.SecurityContext(
            allow_privilege_escalation=False,
            capabilities=k8s.Capabilities(drop=["ALL"]),
            read_only_root_filesystem=True,
            run_as_non_root=True,
        ),
    )


def _env(name: str, value: EnvValue) -> k8s.EnvVar:
    if isinstance(value, SecretKey):
        source = k8s.EnvVarSource(secret_key_ref=k8s.SecretKeySelector(name=value.secret, key=value.key))
        return k8s.EnvVar(name=name, value_from=source)
    if isinstance(value, PodField):
        return k8s.EnvVar(
            name=name,
            value_from=k8s.EnvVarSource(field_ref=k8s.ObjectFieldSelector(field_path=value.path)),
        )
    return k8s.EnvVar(name=name, value=value)


def _resources(resources: Resources) -> k8s.ResourceRequirements:
    def amounts(cpu: str, memory: str) -> dict[str, k8s.Quantity]:
        return {
            "cpu": quantity(format_millicores(millicores_of(cpu))),
            "memory": quantity(format_bytes(bytes_of(memory))),
        }

    return k8s.ResourceRequirements(
        requests=amounts(resources.cpu, resources.memory),
        limits=amounts(resources.cpu_limit, resources.memory_limit),
    )
