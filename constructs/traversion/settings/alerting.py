"""Who is told of an alert, through what, and when not."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from traversion.settings.base import SMALL, Image, Resources, Settings, refuse
from traversion.values import (
    Cidr,
    DnsLabel,
    EmailAddress,
    PlainText,
    SlackChannel,
    SmtpServer,
    StorageSize,
    TimeOfDay,
)

Weekday: TypeAlias = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class EmailReceiver(Settings):
    """Alerts by e-mail, always over TLS."""

    smarthost: SmtpServer
    """The server that takes the mail, e.g. "smtp.company.com:587"."""
    sender: EmailAddress
    """Whom the mail is from."""
    to: Annotated[Sequence[EmailAddress], Field(min_length=1)]
    """Whom it is for."""
    username: PlainText | None = None
    """Log-in to the server, if it asks for one. Key ``smtp-password``."""
    cidrs: Sequence[Cidr] = ()
    """Networks of the server where it is not on the Internet."""


class WebhookReceiver(Settings):
    """A web service on port 443. Its address is a secret, as whoever knows it may post."""

    cidrs: Sequence[Cidr] = ()
    """Networks of the service where it is not on the Internet."""


class AlertReceivers(Settings):
    """Where alerts go. Keys and webhook addresses come from the Secret ``alertmanager-receivers``."""

    pagerduty: bool = False
    """Page through PagerDuty (Events API v2) for critical alerts. Key ``pagerduty-routing-key``."""
    slack_channel: SlackChannel | None = None
    """Post every alert to this Slack channel, e.g. "#traversion-alerts". Key ``slack-webhook-url``."""
    email: EmailReceiver | None = None
    """Mail every alert."""
    webhook: WebhookReceiver | None = None
    """Post every alert in Alertmanager's own format, e.g. to Opsgenie. Key ``webhook-url``."""
    heartbeat: WebhookReceiver | None = None
    """Dead man's switch: call this every minute while alerts arrive, so that the service behind it tells
    you when they stop. Key ``heartbeat-url``."""

    @property
    def someone_is_told(self) -> bool:
        """Whether a critical alert leaves the cluster."""
        return bool(self.pagerduty or self.slack_channel or self.email or self.webhook)


class MuteTime(Settings):
    """A weekly time of maintenance, during which nobody is told. What still fires at its end is told then."""

    name: DnsLabel
    """Name, e.g. "node-upgrades"."""
    start: TimeOfDay
    """First minute, in UTC."""
    end: TimeOfDay
    """The minute after the last, in UTC; "24:00" is midnight. Beyond that, write two."""
    weekdays: Sequence[Weekday] = ()
    """Days; none is every day."""
    critical: bool = False
    """Mute critical alerts as well, and not warnings only."""

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Self:
        if self.start >= self.end:
            raise refuse("end", self.end, f'must be after start = "{self.start}"; write two around midnight')
        return self


class AlertmanagerSettings(Settings):
    """Alert routing."""

    image: Image = Image(repository="docker.io/prom/alertmanager", tag="v0.34.1")
    """Alertmanager."""
    replicas: Literal[1, 2, 3] = 1
    """Pods. Several tell each other what they have sent, so that a lost node loses no alert and nobody is
    told twice."""
    receivers: AlertReceivers = AlertReceivers()
    """Destinations; without any, alerts are only shown."""
    mute_times: Sequence[MuteTime] = ()
    """Weekly times of maintenance."""
    storage: StorageSize = "1Gi"
    """Volume for silences and the notification log."""
    resources: Resources = SMALL
    """CPU and memory."""

    @model_validator(mode="after")
    def _mute_times_have_names_of_their_own(self) -> Self:
        names = [each.name for each in self.mute_times]
        for name in names:
            if names.count(name) > 1:
                raise refuse("mute_times", name, "is the name of two: give each its own")
        return self
