"""Stands in for the kubelet: turns a synthesized pod into files, commands and environments on this machine.

Nothing of a pod is written down here a second time. What has to differ from a container is rewritten in
the synthesized texts, and only that:

- every path below a volume's mount path, to a directory of the test's own;
- what the caller asks for in ``rewrites`` (regular expressions): ports that are free here, addresses.
"""

import grp
import os
import pwd
import re
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from tests.manifests import Manifest, find, workload

Files = Mapping[str, str]
Secrets = Mapping[str, Files]

_generation = count(1)


class Pod:
    """One pod of a component: its volumes lie below ``root``, laid out and updated as the kubelet does it."""

    def __init__(
        self,
        manifests: Sequence[Manifest],
        component: str,
        root: Path,
        *,
        secrets: Secrets,
        rewrites: Mapping[str, str] | None = None,
        user: str | None = None,
        workload_name: str | None = None,
        elsewhere: Mapping[str, Path] | None = None,
    ) -> None:
        """Lay out the volumes; ``user`` is who will run the containers, where that is not this user.

        ``workload_name`` chooses one of several workloads that share a component. ``elsewhere`` says where
        paths are that mean another pod's files: a volume that they share, or what its agent reads.
        """
        spec = workload(manifests, component, name=workload_name).spec
        self.manifests = manifests
        self._root = root
        self._elsewhere = dict(elsewhere or {})
        self._secrets = secrets
        self._rewrites = dict(rewrites or {})
        self._user = user
        self._containers = {c["name"]: c for c in [*spec.get("initContainers", []), *spec["containers"]]}
        mounts = [m for c in self._containers.values() for m in c.get("volumeMounts", [])]
        self._volume_of = {mount["mountPath"]: mount["name"] for mount in mounts}
        # "/alertmanager" is the path of a volume, and as a prefix of routes it is none.
        start, end = r"(?<![\w/.-])(?<!route-prefix=)", r"(?![\w-])"
        self._paths = re.compile(
            "|".join(f"{start}{re.escape(path)}{end}" for path in (*self._elsewhere, *self._volume_of))
            or "(?!)"
        )
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        for path, name in self._volume_of.items():
            if path not in self._elsewhere:
                self._lay_out(self.path(path), volumes.get(name, {}), manifests)

    @property
    def containers(self) -> list[str]:
        """The names of the containers."""
        return list(self._containers)

    def path(self, inside: str) -> Path:
        """Return where a path inside the containers is on this machine."""
        return self._elsewhere.get(inside) or self._root / inside.lstrip("/")

    def rewritten(self, text: str) -> str:
        # Paths come last: a port's digits might occur in the name of the test's directory.
        for pattern, replacement in self._rewrites.items():
            text = re.sub(pattern, replacement, text)
        return self._paths.sub(lambda match: str(self.path(match[0])), text)

    def command(self, container: str) -> list[str]:
        """Return command and arguments; without a command, what the image's entry point is given."""
        spec = self._containers[container]
        return [self.rewritten(word) for word in [*spec.get("command", []), *spec.get("args", [])]]

    def hook(self, container: str, kind: str) -> list[str]:
        """Return the command of a probe ("readinessProbe", ...) or of "preStop"."""
        spec = self._containers[container]
        action = spec["lifecycle"]["preStop"] if kind == "preStop" else spec[kind]
        return [self.rewritten(word) for word in action["exec"]["command"]]

    def http_path(self, container: str, probe: str) -> str:
        """Return the path that an HTTP probe asks for."""
        path: str = self._containers[container][probe]["httpGet"]["path"]
        return path

    def environment(self, container: str) -> dict[str, str]:
        return {
            variable["name"]: self._value(variable) for variable in self._containers[container].get("env", [])
        }

    def replace_secret(self, mount_path: str, files: Files) -> None:
        """Swap the files of a Secret's volume, all at once."""
        self._swap(self.path(mount_path), files, 0o440)

    def _value(self, variable: Mapping[str, Any]) -> str:
        if "value" in variable:
            return self.rewritten(variable["value"])
        reference = variable["valueFrom"]["secretKeyRef"]
        return self._secrets[reference["name"]][reference["key"]]

    def _lay_out(self, directory: Path, volume: Manifest, manifests: Sequence[Manifest]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        if "configMap" in volume:
            source = volume["configMap"]
            files = find(manifests, "ConfigMap", source["name"])["data"]
            rewritten = {name: self.rewritten(text) for name, text in files.items()}
            self._swap(directory, rewritten, source.get("defaultMode", 0o644))
        elif "secret" in volume:
            source = volume["secret"]
            keys = [item["key"] for item in source.get("items", [])]
            files = self._secrets[source["secretName"]]
            chosen = {key: files[key] for key in keys or files}
            self._swap(directory, chosen, source["defaultMode"])
        else:
            self._give_to_user(directory)

    def _swap(self, directory: Path, files: Files, mode: int) -> None:
        """Write files the way the kubelet does: into a new directory that a symbolic link then points to."""
        new = directory / f"..{next(_generation)}"
        new.mkdir()
        for name, text in files.items():
            file = new / name
            file.write_text(text, encoding="utf-8")
            self._give_to_group(file, mode)
            if not (directory / name).is_symlink():
                (directory / name).symlink_to(f"..data/{name}")
        link = directory / "..new"
        link.symlink_to(new.name)
        link.rename(directory / "..data")

    def _give_to_user(self, directory: Path) -> None:
        if self._user:
            _chown(directory, self._user)

    def _give_to_group(self, file: Path, mode: int) -> None:
        """A Secret's files are root's, for ``fsGroup`` to read; or ours alone, where we are not root."""
        if self._user:
            _chown(file, group=self._user)
            file.chmod(mode)
        else:
            file.chmod(mode & 0o700)


def _chown(path: Path, user: str | None = None, group: str | None = None) -> None:
    os.chown(path, pwd.getpwnam(user).pw_uid if user else -1, grp.getgrnam(group).gr_gid if group else -1)
