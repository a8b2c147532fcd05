"""Where jobs leave their metrics."""

from constructs import Construct

from traversion.platform import Platform
from traversion.platform.pods import Container, Pod, http_probe
from traversion.platform.volumes import Mount, Scratch
from traversion.platform.workloads import deployment, service
from traversion.settings import Image, Resources

_RESOURCES = Resources(cpu="10m", cpu_limit="100m", memory="32Mi", memory_limit="64Mi")
_NOBODY = 65534


class Pushgateway:
    """Keeps the last word of jobs that are gone when Prometheus asks."""

    port = 9091

    def __init__(self, scope: Construct, platform: Platform, image: Image) -> None:
        """Create the Deployment and the Service ``pushgateway``."""
        own = Construct(scope, "pushgateway")
        self.component = platform.make_component("pushgateway", "metrics", image.tag).with_ports(
            metrics=self.port
        )
        self.url = f"http://{self.component.name}:{self.port}"
        server = Container(
            name="pushgateway",
            image=image,
            resources=_RESOURCES,
            # Survives the container; a new pod learns all of it from the next backup and rehearsal.
            args=["--persistence.file=/data/metrics", "--persistence.interval=1m"],
            ports=self.component.ports,
            mounts=[Mount(Scratch("data", "16Mi"), "/data")],
            readiness=http_probe("/-/ready", "metrics"),
            liveness=http_probe("/-/healthy", "metrics", failures=6),
        )
        deployment(
            own, platform, self.component, self.component.name, Pod([server], uid=_NOBODY, gid=_NOBODY)
        )
        service(own, self.component, self.component.name, {"metrics": (self.port, "metrics")})
