"""The rules of the Pod Security Standards, by the source: k8s.io/pod-security-admission v0.37."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traversion.verify.model import Container, PodTemplate, dig, items, mapping, text
from traversion.verify.quantity import brief

LATEST = 1_000
"""Newer than every version of the policy."""

# The minor versions of the policy that changed something.
_ENGINE_TYPE, _NO_PROBE_HOSTS, _USER_NAMESPACES = 31, 34, 35
_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip
_PROFILES = ("RuntimeDefault", "Localhost")
_SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t"}
_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected",
    "secret",
}  # fmt: skip
# By the version of the policy that first had them.
_SYSCTLS = {
    "kernel.shm_rmid_forced": 0,
    "net.ipv4.ip_local_port_range": 0,
    "net.ipv4.tcp_syncookies": 0,
    "net.ipv4.ping_group_range": 0,
    "net.ipv4.ip_unprivileged_port_start": 0,
    "net.ipv4.ip_local_reserved_ports": 27,
    "net.ipv4.tcp_keepalive_time": 29,
    "net.ipv4.tcp_fin_timeout": 29,
    "net.ipv4.tcp_keepalive_intvl": 29,
    "net.ipv4.tcp_keepalive_probes": 29,
    "net.ipv4.tcp_rmem": 32,
    "net.ipv4.tcp_wmem": 32,
    "net.ipv4.tcp_slow_start_after_idle": 37,
    "net.ipv4.tcp_notsent_lowat": 37,
}
_APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


@dataclass(frozen=True)
class Violation:
    """What breaks a rule, and where."""

    path: str
    wrong: str
    remedy: str


@dataclass(frozen=True, eq=False)
class Subject:
    """Pods, and the version of the policy they are judged by."""

    pods: PodTemplate
    version: int

    @property
    def context(self) -> Mapping[str, Any]:
        """The pod's security context."""
        return mapping(self.pods.spec.get("securityContext"))

    @property
    def is_windows(self) -> bool:
        """Whether Linux' rules mean nothing here."""
        return text(dig(self.pods.spec, "os", "name")) == "windows"

    @property
    def is_relaxed(self) -> bool:
        """Whether root of the pod is nobody on the node, which the policy trusts since 1.35."""
        return self.pods.spec.get("hostUsers") is False and self.version >= _USER_NAMESPACES

    def contexts(self) -> Iterator[tuple[Mapping[str, Any], Callable[..., str]]]:
        """Yield the security contexts of the pod and of every container, with their paths."""
        yield self.context, lambda *steps: self.pods.path("spec", "securityContext", *steps)
        yield from self.of_containers()

    def of_containers(self) -> Iterator[tuple[Mapping[str, Any], Callable[..., str]]]:
        """Yield those of the containers only: init and ephemeral ones too."""
        for container in self.pods.containers:
            yield mapping(container.data.get("securityContext")), _below(container)


def _below(container: Container) -> Callable[..., str]:
    return lambda *steps: container.path("securityContext", *steps)


Rule = Callable[[Subject], Iterator[Violation]]


def _host_namespaces(subject: Subject) -> Iterator[Violation]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if subject.pods.spec.get(field) is True:
            yield Violation(subject.pods.path("spec", field), f"{field}: true", "remove it")


def _host_paths(subject: Subject) -> Iterator[Violation]:
    for index, volume in enumerate(items(subject.pods.spec.get("volumes"))):
        if dig(volume, "hostPath") is not None:
            path = subject.pods.path("spec", "volumes", index, "hostPath")
            wrong = f"mounts {text(dig(volume, 'hostPath', 'path')) or 'a path'} of the node"
            yield Violation(path, wrong, "use a claim, an emptyDir or a ConfigMap")


def _host_ports(subject: Subject) -> Iterator[Violation]:
    host_network = subject.pods.spec.get("hostNetwork") is True
    for container in subject.pods.containers:
        for index, port in enumerate(items(container.data.get("ports"))):
            # With the host's network every container port is a host port (SetDefaults_PodSpec).
            if dig(port, "hostPort") and not host_network:
                path = container.path("ports", index, "hostPort")
                yield Violation(path, f"hostPort {brief(dig(port, 'hostPort'))}", "remove it; use a Service")


def _privileged(subject: Subject) -> Iterator[Violation]:
    for context, path in subject.of_containers():
        if context.get("privileged") is True:
            yield Violation(path("privileged"), "privileged: true", "remove it")


def _host_process(subject: Subject) -> Iterator[Violation]:
    for context, path in subject.contexts():
        if dig(context, "windowsOptions", "hostProcess") is True:
            yield Violation(path("windowsOptions", "hostProcess"), "hostProcess: true", "remove it")


def _added_capabilities(subject: Subject) -> Iterator[Violation]:
    for context, path in subject.of_containers():
        for name in items(dig(context, "capabilities", "add")):
            if text(name) not in _CAPABILITIES:
                yield Violation(
                    path("capabilities", "add"), f"adds the capability {brief(name)}", "remove it"
                )


def _proc_mount(subject: Subject) -> Iterator[Violation]:
    if not subject.is_relaxed:
        yield from _unmasked(subject)


def _proc_mount_everywhere(subject: Subject) -> Iterator[Violation]:
    """Judge what baseline lets through: restricted does not trust user namespaces with /proc."""
    if subject.is_relaxed:
        yield from _unmasked(subject)


def _unmasked(subject: Subject) -> Iterator[Violation]:
    for context, path in subject.of_containers():
        if context.get("procMount") not in (None, "Default"):
            yield Violation(path("procMount"), f"procMount {brief(context['procMount'])}", "remove it")


def _selinux(subject: Subject) -> Iterator[Violation]:
    allowed = _SELINUX_TYPES | ({"container_engine_t"} if subject.version >= _ENGINE_TYPE else set())
    for context, path in subject.contexts():
        options = mapping(context.get("seLinuxOptions"))
        for field in ("type", "user", "role"):
            value = text(options.get(field))
            if value and (field != "type" or value not in allowed):
                yield Violation(path("seLinuxOptions", field), f"SELinux {field} {value}", "remove it")


def _app_armor(subject: Subject) -> Iterator[Violation]:
    for context, path in subject.contexts():
        if "appArmorProfile" in context and context["appArmorProfile"] is not None:
            kind = dig(context, "appArmorProfile", "type")
            if kind not in _PROFILES:
                yield Violation(
                    path("appArmorProfile", "type"), f"AppArmor profile {brief(kind)}", "use RuntimeDefault"
                )
    notes = mapping(subject.pods.owner.dig(*subject.pods.steps, "metadata", "annotations"))
    for key, value in notes.items():
        profile = text(value)
        if (
            str(key).startswith(_APPARMOR_ANNOTATION)
            and profile
            and not profile.startswith("localhost/")
            and profile != "runtime/default"
        ):
            place = subject.pods.path("metadata", f"annotations[{key}]")
            yield Violation(place, f"AppArmor profile {profile}", "use runtime/default")


def _seccomp_values(subject: Subject) -> Iterator[Violation]:
    for context, path in subject.contexts():
        if context.get("seccompProfile") is not None:
            kind = dig(context, "seccompProfile", "type")
            if kind not in _PROFILES:
                yield Violation(
                    path("seccompProfile", "type"), f"seccomp profile {brief(kind)}", "use RuntimeDefault"
                )


def _sysctls(subject: Subject) -> Iterator[Violation]:
    for index, sysctl in enumerate(items(subject.context.get("sysctls"))):
        name = text(dig(sysctl, "name"))
        if _SYSCTLS.get(name, LATEST + 1) > subject.version:
            path = subject.pods.path("spec", "securityContext", "sysctls", index)
            yield Violation(path, f"sets the kernel parameter {name}", "remove it")


def _probe_hosts(subject: Subject) -> Iterator[Violation]:
    if subject.version < _NO_PROBE_HOSTS:
        return
    for container in subject.pods.containers:
        places = [(probe,) for probe in ("livenessProbe", "readinessProbe", "startupProbe")]
        for place in (*places, ("lifecycle", "postStart"), ("lifecycle", "preStop")):
            for handler in ("httpGet", "tcpSocket"):
                host = dig(container.data, *place, handler, "host")
                if host:
                    path = container.path(*place, handler, "host")
                    yield Violation(path, f"asks {brief(host)} instead of the pod", "remove the host")


def _escalation(subject: Subject) -> Iterator[Violation]:
    for context, path in () if subject.is_windows else subject.of_containers():
        if context.get("allowPrivilegeEscalation") is not False:
            wrong = "allowPrivilegeEscalation is not false"
            yield Violation(path("allowPrivilegeEscalation"), wrong, "set it to false")


def _dropped_capabilities(subject: Subject) -> Iterator[Violation]:
    for context, path in () if subject.is_windows else subject.of_containers():
        if "ALL" not in items(dig(context, "capabilities", "drop")):
            yield Violation(path("capabilities", "drop"), "keeps capabilities", "set it to [ALL]")
        for name in items(dig(context, "capabilities", "add")):
            # What is not even a default capability is baseline's finding already.
            if name != "NET_BIND_SERVICE" and text(name) in _CAPABILITIES:
                yield Violation(
                    path("capabilities", "add"), f"adds the capability {brief(name)}", "remove it"
                )


def _non_root(subject: Subject) -> Iterator[Violation]:
    if subject.is_relaxed:
        return
    by_pod = subject.context.get("runAsNonRoot")
    for context, path in subject.of_containers():
        stated = context.get("runAsNonRoot")
        if (by_pod if stated is None else stated) is not True:
            yield Violation(path("runAsNonRoot"), "runAsNonRoot is not true", "set it to true")
    if by_pod is False:
        path_of_pod = subject.pods.path("spec", "securityContext", "runAsNonRoot")
        yield Violation(path_of_pod, "runAsNonRoot: false", "set it to true")


def _user(subject: Subject) -> Iterator[Violation]:
    if subject.is_relaxed:
        return
    for context, path in subject.contexts():
        if context.get("runAsUser") == 0 and context.get("runAsUser") is not False:
            yield Violation(path("runAsUser"), "runs as user 0, root", "use another user")


def _seccomp(subject: Subject) -> Iterator[Violation]:
    if subject.is_windows:
        return
    by_pod = dig(subject.context, "seccompProfile", "type") in _PROFILES
    for context, path in subject.of_containers():
        if context.get("seccompProfile") is None and not by_pod:
            yield Violation(
                path("seccompProfile"), "has no seccomp profile", "set the type RuntimeDefault for the pod"
            )


def _volume_types(subject: Subject) -> Iterator[Violation]:
    for index, volume in enumerate(items(subject.pods.spec.get("volumes"))):
        kinds = [key for key, value in mapping(volume).items() if key != "name" and value is not None]
        # Without any source the API server makes it an emptyDir. hostPath is baseline's finding already.
        if kinds and "hostPath" not in kinds and not _VOLUMES.intersection(kinds):
            path = subject.pods.path("spec", "volumes", index)
            yield Violation(path, f"volume of type {kinds[0]}", "use a claim")


BASELINE: tuple[Rule, ...] = (
    _host_namespaces, _host_paths, _host_ports, _privileged, _host_process, _added_capabilities, _proc_mount,
    _selinux, _app_armor, _seccomp_values, _sysctls, _probe_hosts,
)  # fmt: skip
RESTRICTED: tuple[Rule, ...] = (
    _escalation, _dropped_capabilities, _proc_mount_everywhere, _non_root, _user, _seccomp, _volume_types,
)  # fmt: skip
