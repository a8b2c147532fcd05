"""Alertmanager: who is told what."""

from collections.abc import Mapping
from typing import Any

from constructs import Construct

from traversion.observability.text import to_yaml
from traversion.platform import Platform
from traversion.platform.credentials import Supplied
from traversion.platform.flows import INTERNET
from traversion.platform.pods import Container, Pod, http_probe
from traversion.platform.volumes import Claim, ConfigFiles, Mount, SecretFiles
from traversion.platform.workloads import disruption_budget, service, stateful_set
from traversion.settings import AlertmanagerSettings

_UID = 65534  # "nobody"
_KEYS_DIRECTORY = "/etc/alertmanager-receivers"
_PAGERDUTY_KEY, _SLACK_URL = "pagerduty-routing-key", "slack-webhook-url"

_SLACK_TEXT = "{{ range .Alerts }}*{{ .Annotations.summary }}*\n{{ .Annotations.description }}\n{{ end }}"


class Alertmanager:
    """One Alertmanager: critical alerts page, everything is posted, the watchdog stays silent.

    Creates the StatefulSet ``alertmanager`` and the Service ``alertmanager-service``. It lives below a
    path of its own, so that it can share a host with Prometheus.
    """

    port = 9093
    host = "alertmanager-service"
    path = "/alertmanager"

    def __init__(
        self, scope: Construct, platform: Platform, settings: AlertmanagerSettings, host_name: str
    ) -> None:
        """Create the server, shown to people at ``host_name`` below its path."""
        self._scope = Construct(scope, "alertmanager")
        self._settings = settings
        self.component = platform.make_component("alertmanager", "alerting", settings.image.tag).with_ports(
            http=self.port
        )
        self._receiver_keys(platform)
        self._server(platform, host_name)
        service(self._scope, self.component, self.host, {"http": (self.port, "http")})
        service(
            self._scope,
            self.component,
            "alertmanager",
            {"http": (self.port, "http")},
            headless=True,
        )
        disruption_budget(self._scope, self.component, "alertmanager")

    def _receiver_keys(self, platform: Platform) -> None:
        receivers = self._settings.receivers
        supplied = {}
        if receivers.pagerduty:
            supplied[_PAGERDUTY_KEY] = Supplied("integration key of the PagerDuty service (Events API v2)")
        if receivers.slack_channel:
            supplied[_SLACK_URL] = Supplied(
                f"incoming webhook URL that may post to {receivers.slack_channel}"
            )
        self._keys = None
        if supplied:
            platform.credentials.declare(
                self.component, "alertmanager-receivers", "where alerts are delivered", supplied
            )
            self._keys = SecretFiles("receivers", "alertmanager-receivers")
            platform.network.allow(self.component, INTERNET, 443, because="deliver alerts")

    def _server(self, platform: Platform, host_name: str) -> None:
        settings = self._settings
        config = ConfigFiles(
            "config", "alertmanager-config", {"alertmanager.yml": to_yaml(self._configuration())}
        ).create(self._scope, self.component)
        data = Claim("data", settings.storage, platform.storage.ssd())
        mounts = [Mount(config, "/etc/alertmanager"), Mount(data, "/alertmanager", sub_path="data")]
        if self._keys:
            mounts.append(Mount(self._keys, _KEYS_DIRECTORY))
        server = Container(
            name="alertmanager",
            image=settings.image,
            resources=settings.resources,
            args=[
                "--config.file=/etc/alertmanager/alertmanager.yml",
                "--storage.path=/alertmanager",
                f"--web.external-url=https://{host_name}{self.path}",
                f"--web.route-prefix={self.path}",
                "--cluster.listen-address=",  # alone; gossip would wait for peers
            ],
            ports=self.component.ports,
            mounts=mounts,
            startup=http_probe(f"{self.path}/-/ready", "http", period=5, failures=24),
            readiness=http_probe(f"{self.path}/-/ready", "http"),
            liveness=http_probe(f"{self.path}/-/healthy", "http", failures=6),
        )
        pod = Pod([server], uid=_UID, gid=_UID, priority_class=platform.monitoring_priority)
        stateful_set(self._scope, platform, self.component, pod, claim=data, governing_service="alertmanager")

    def _configuration(self) -> Mapping[str, Any]:
        receivers = self._settings.receivers
        slack = (
            [
                {
                    "api_url_file": f"{_KEYS_DIRECTORY}/{_SLACK_URL}",
                    "channel": receivers.slack_channel,
                    "send_resolved": True,
                    "title": "[{{ .Status | toUpper }}] {{ .CommonLabels.alertname }}",
                    "text": _SLACK_TEXT,
                }
            ]
            if receivers.slack_channel
            else []
        )
        pagerduty = (
            [{"routing_key_file": f"{_KEYS_DIRECTORY}/{_PAGERDUTY_KEY}", "send_resolved": True}]
            if receivers.pagerduty
            else []
        )
        return {
            "route": {
                "receiver": "notify",
                "group_by": ["alertname", "component"],
                "group_wait": "30s",
                "group_interval": "5m",
                "repeat_interval": "12h",
                "routes": [
                    {"receiver": "none", "matchers": ['severity="none"']},
                    {
                        "receiver": "page",
                        "matchers": ['severity="critical"'],
                        "group_wait": "10s",
                        "repeat_interval": "1h",
                    },
                ],
            },
            "inhibit_rules": [
                # The critical alert of a component says what its warnings would say again.
                {
                    "source_matchers": ['severity="critical"'],
                    "target_matchers": ['severity="warning"'],
                    "equal": ["component", "pod"],
                }
            ],
            "receivers": [
                {"name": "none"},
                {"name": "notify", **({"slack_configs": slack} if slack else {})},
                {
                    "name": "page",
                    **({"pagerduty_configs": pagerduty} if pagerduty else {}),
                    **({"slack_configs": slack} if slack else {}),
                },
            ],
        }
