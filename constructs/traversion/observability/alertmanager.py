"""Alertmanager: the server, or several that agree on what has been sent."""

from constructs import Construct

from traversion.observability.receivers import Receivers
from traversion.observability.routing import routing
from traversion.observability.text import to_yaml
from traversion.platform import Platform
from traversion.platform.pods import Container, EnvValue, Pod, PodField, http_probe
from traversion.platform.volumes import Claim, ConfigFiles, Mount
from traversion.platform.workloads import disruption_budget, service, stateful_set
from traversion.settings import AlertmanagerSettings, TlsProxySettings
from traversion.tls_proxy import Inlet, TlsProxy

_UID = 65534  # "nobody"
_GOSSIP_PORT = 9094


class Alertmanager:
    """Alertmanager: critical alerts page, everything is posted, the watchdog feeds the dead man's switch.

    Creates the StatefulSet ``alertmanager`` and the Service ``alertmanager-service``. It lives below a
    path of its own, so that it can share a host with Prometheus. Everybody gets TLS on port 8443; 9093 is
    for its own pod.
    """

    port = 9093
    https_port = 8443
    host = "alertmanager-service"
    path = "/alertmanager"

    def __init__(
        self,
        scope: Construct,
        platform: Platform,
        settings: AlertmanagerSettings,
        *,
        host_name: str,
        tls_proxy: TlsProxySettings,
    ) -> None:
        """Create the server, shown to people at ``host_name`` below its path."""
        self._scope = Construct(scope, "alertmanager")
        self._settings = settings
        gossip = {"gossip": _GOSSIP_PORT} if settings.replicas > 1 else {}
        component = platform.make_component("alertmanager", "alerting", settings.image.tag)
        self.certificate = platform.certificates.serving(component, [self.host])
        inlets = {"https": Inlet(self.https_port, self.port)}
        self._tls_proxy = TlsProxy(tls_proxy, self.certificate, inlets, outlets={})
        self._own_ports = {"http": self.port, **gossip}
        self.component = component.with_ports(**self._own_ports, **self._tls_proxy.ports)
        if gossip:
            network, own = platform.network, self.component
            network.allow(own, own, _GOSSIP_PORT, because="agree on what was sent and silenced", udp=True)
        self._receivers = Receivers(platform, self.component, settings.receivers)
        self._server(platform, host_name)
        ports = {"https": (self.https_port, "https")}
        service(self._scope, self.component, self.host, ports)
        ports |= {name: (port, name) for name, port in gossip.items()}
        service(self._scope, self.component, "alertmanager", ports, headless=True)
        disruption_budget(self._scope, self.component, "alertmanager")

    @property
    def addresses(self) -> list[str]:
        """Where alerts are sent to: every pod by name, since each must know every alert."""
        if self._settings.replicas == 1:
            return [f"{self.host}:{self.https_port}"]
        return [f"{pod}:{self.https_port}" for pod in self._pods]

    @property
    def _pods(self) -> list[str]:
        return [f"alertmanager-{number}.alertmanager" for number in range(self._settings.replicas)]

    def _server(self, platform: Platform, host_name: str) -> None:
        settings = self._settings
        configuration = routing(self._receivers, settings.mute_times)
        config = ConfigFiles(
            "config", "alertmanager-config", {"alertmanager.yml": to_yaml(configuration)}
        ).create(self._scope, self.component)
        data = Claim("data", settings.storage, platform.storage.ssd())
        cluster, environment = self._cluster()
        cluster_of_several = settings.replicas > 1
        server = Container(
            name="alertmanager",
            image=settings.image,
            resources=settings.resources,
            args=[
                "--config.file=/etc/alertmanager/alertmanager.yml",
                "--storage.path=/alertmanager",
                f"--web.external-url=https://{host_name}{self.path}",
                f"--web.route-prefix={self.path}",
                *cluster,
            ],
            ports=self._own_ports,
            udp_ports={"gossip-udp": _GOSSIP_PORT} if cluster_of_several else {},
            environment=environment,
            mounts=[
                Mount(config, "/etc/alertmanager"),
                Mount(data, "/alertmanager", sub_path="data"),
                *self._receivers.mounts,
            ],
            startup=http_probe(f"{self.path}/-/ready", "http", period=5, failures=24),
            readiness=http_probe(f"{self.path}/-/ready", "http"),
            liveness=http_probe(f"{self.path}/-/healthy", "http", failures=6),
        )
        proxy = self._tls_proxy.create(self._scope, self.component)
        pod = Pod([server, proxy], uid=_UID, gid=_UID, priority_class=platform.monitoring_priority)
        stateful_set(
            self._scope,
            platform,
            self.component,
            pod,
            claim=data,
            governing_service="alertmanager",
            replicas=settings.replicas,
        )

    def _cluster(self) -> tuple[list[str], dict[str, EnvValue]]:
        """Return arguments and variables that make the pods one cluster."""
        if self._settings.replicas == 1:
            return ["--cluster.listen-address="], {}  # alone; gossip would wait for peers
        arguments = [
            f"--cluster.listen-address=0.0.0.0:{_GOSSIP_PORT}",
            f"--cluster.advertise-address=$(POD_IP):{_GOSSIP_PORT}",
            # Another environment's pod that gets a former address must not be taken in.
            f"--cluster.label={self.component.instance}",
            *(f"--cluster.peer={pod}:{_GOSSIP_PORT}" for pod in self._pods),
        ]
        return arguments, {"POD_IP": PodField("status.podIP")}
