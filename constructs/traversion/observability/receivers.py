"""Where alerts are delivered: each receiver's configuration, its secret, its way through the network."""

from collections.abc import Mapping, Sequence
from typing import Any

from traversion.platform import Platform
from traversion.platform.component import Component
from traversion.platform.credentials import Source, Supplied
from traversion.platform.flows import outside
from traversion.platform.volumes import Mount, SecretFiles
from traversion.settings import AlertReceivers, EmailReceiver
from traversion.values import port_of

_SECRET, _DIRECTORY = "alertmanager-receivers", "/etc/alertmanager-receivers"
_PAGERDUTY_KEY, _SLACK_URL, _SMTP_PASSWORD = "pagerduty-routing-key", "slack-webhook-url", "smtp-password"
_WEBHOOK_URL, _HEARTBEAT_URL = "webhook-url", "heartbeat-url"

_SLACK_TEXT = """\
{{ range .Alerts }}*{{ .Annotations.summary }}*
{{ .Annotations.description }}
{{ with .Annotations.runbook_url }}<{{ . }}|What to do>
{{ end }}{{ end }}"""

Configs = Mapping[str, Sequence[Mapping[str, Any]]]
"""The ``..._configs`` of a receiver."""


class Receivers:
    """What Alertmanager delivers through; keys and addresses are files from a Secret."""

    def __init__(self, platform: Platform, alertmanager: Component, settings: AlertReceivers) -> None:
        """Declare the secrets and flows that the receivers need."""
        self._settings = settings
        self._platform = platform
        self._alertmanager = alertmanager
        keys = self._keys()
        if keys:
            platform.credentials.declare(alertmanager, _SECRET, "where alerts are delivered", keys)
        self.mounts = [Mount(SecretFiles("receivers", _SECRET), _DIRECTORY)] if keys else []
        self._flows()

    @property
    def page(self) -> Configs:
        """Tell someone now."""
        pagerduty = [
            {
                "routing_key_file": f"{_DIRECTORY}/{_PAGERDUTY_KEY}",
                "severity": "{{ .CommonLabels.severity }}",
                "send_resolved": True,
            }
        ]
        return ({"pagerduty_configs": pagerduty} if self._settings.pagerduty else {}) | self.notify

    @property
    def notify(self) -> dict[str, Sequence[Mapping[str, Any]]]:
        """Tell someone today."""
        settings, configs = self._settings, dict[str, Sequence[Mapping[str, Any]]]()
        if settings.slack_channel:
            slack = {
                "api_url_file": f"{_DIRECTORY}/{_SLACK_URL}",
                "channel": settings.slack_channel,
                "send_resolved": True,
                "title": "[{{ .Status | toUpper }}] {{ .CommonLabels.alertname }}",
                "text": _SLACK_TEXT,
            }
            configs["slack_configs"] = [slack]
        if settings.email:
            configs["email_configs"] = [_mail(settings.email, address) for address in settings.email.to]
        if settings.webhook:
            configs["webhook_configs"] = [{"url_file": f"{_DIRECTORY}/{_WEBHOOK_URL}", "send_resolved": True}]
        return configs

    @property
    def heartbeat(self) -> Configs | None:
        """Tell a machine that alerts arrive."""
        if not self._settings.heartbeat:
            return None
        return {"webhook_configs": [{"url_file": f"{_DIRECTORY}/{_HEARTBEAT_URL}", "send_resolved": False}]}

    def _keys(self) -> dict[str, Source]:
        settings, keys = self._settings, dict[str, Source]()
        if settings.pagerduty:
            keys[_PAGERDUTY_KEY] = Supplied("integration key of the PagerDuty service (Events API v2)")
        if settings.slack_channel:
            keys[_SLACK_URL] = Supplied(f"incoming webhook URL that may post to {settings.slack_channel}")
        if settings.email and settings.email.username:
            mail = settings.email
            keys[_SMTP_PASSWORD] = Supplied(f"password of {mail.username} at {mail.smarthost}")
        if settings.webhook:
            keys[_WEBHOOK_URL] = Supplied("https URL, on port 443, that takes Alertmanager's webhooks")
        if settings.heartbeat:
            keys[_HEARTBEAT_URL] = Supplied("https URL, on port 443, that misses a heartbeat of some minutes")
        return keys

    def _flows(self) -> None:
        settings = self._settings
        if settings.pagerduty or settings.slack_channel:
            self._allow("alert-receivers", (), 443, because="deliver alerts")
        if settings.email:
            port = port_of(f"smtp://{settings.email.smarthost}")
            self._allow("mail-server", settings.email.cidrs, port, because="mail alerts")
        if settings.webhook:
            self._allow("alert-webhook", settings.webhook.cidrs, 443, because="post alerts")
        if settings.heartbeat:
            self._allow("heartbeat", settings.heartbeat.cidrs, 443, because="feed the dead man's switch")

    def _allow(self, name: str, cidrs: Sequence[str], port: int, *, because: str) -> None:
        self._platform.network.allow(self._alertmanager, outside(name, cidrs), port, because=because)


def _mail(settings: EmailReceiver, address: str) -> Mapping[str, Any]:
    login = {
        "auth_username": settings.username,
        "auth_password_file": f"{_DIRECTORY}/{_SMTP_PASSWORD}",
    }
    return {
        "to": address,
        "from": settings.sender,
        "smarthost": settings.smarthost,
        "require_tls": True,
        **(login if settings.username else {}),
        "send_resolved": True,
    }
