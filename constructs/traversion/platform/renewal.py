"""Telling a server that its certificate was renewed, without a restart and without a person."""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from constructs import Construct

from traversion.platform.certificates import ServingCertificate
from traversion.platform.component import Component
from traversion.platform.pods import Container, EnvValue
from traversion.platform.volumes import ConfigFiles, Mount
from traversion.settings import Image, Resources

_SCRIPT = "reload-certificate.sh"
_INTERVAL_SECONDS = 60
RESOURCES = Resources(cpu="10m", cpu_limit="100m", memory="32Mi", memory_limit="64Mi")


def certificate_reloader(
    scope: Construct,
    owner: Component,
    image: Image,
    certificate: ServingCertificate,
    *,
    directory: str,
    tell: Sequence[str],
    environment: Mapping[str, EnvValue] | None = None,
    mounts: Sequence[Mount] = (),
) -> Container:
    """Return the sidecar that runs ``tell`` whenever the files in ``directory`` have changed.

    It looks every minute; the kubelet needs up to two to replace the files, so a renewal is served within
    three. ``mounts`` bring what ``tell`` needs, such as the server's socket.
    """
    text = (files("traversion.platform") / "scripts" / _SCRIPT).read_text(encoding="utf-8")
    script = ConfigFiles("reloader", f"{owner.name}-reloader", {_SCRIPT: text}).create(scope, owner)
    return Container(
        name="certificate-reloader",
        image=image,
        resources=RESOURCES,
        command=["/bin/sh", f"/opt/reloader/{_SCRIPT}", *tell],
        environment={
            "INTERVAL_SECONDS": str(_INTERVAL_SECONDS),
            "CERTIFICATE_DIRECTORY": directory,
            **(environment or {}),
        },
        mounts=[Mount(script, "/opt/reloader"), Mount(certificate.files, directory), *mounts],
    )
