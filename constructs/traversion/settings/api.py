"""The API: its image, its size, and how it scales."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from traversion.contract import REQUESTS, TRAVERSION, Contract
from traversion.settings.base import Image, Replicas, Resources, Settings, refuse
from traversion.values import bytes_of

_SMALLEST_PROXY = "64Mi"


class AutoscalingTargets(Settings):
    """What the autoscaler keeps per pod; it follows whichever target asks for the most pods."""

    cpu_percent: Annotated[int, Field(ge=10, le=95)] = 60
    """Average CPU in percent of what the pod requests, its TLS proxy included."""
    memory_percent: Annotated[int, Field(ge=10, le=95)] | None = None
    """Average memory in percent of what the pod requests; None leaves memory out."""
    requests_per_second: Annotated[int, Field(ge=1)] | None = None
    """Average HTTP requests per second and pod, from Prometheus through the custom metrics API; None leaves
    it out, and so does an image without that metric. The adapter that serves it registers one API for the
    whole cluster, so only one environment may ask."""


class TlsProxySettings(Settings):
    """The TLS proxy beside a program that speaks none, in each of its pods."""

    image: Image = Image(repository="docker.io/nginxinc/nginx-unprivileged", tag="1.30.5-alpine3.24")
    """nginx that runs as any user, with the stream module."""
    resources: Resources = Resources(cpu="10m", cpu_limit="1", memory="32Mi", memory_limit="256Mi")
    """CPU and memory of one proxy. Its requests are part of the pod's, of which the autoscaler's percentages
    are: keep them small beside the API's, and near to what it uses. The memory limit decides how many
    connections one pod accepts: 2800 WebSockets at 256Mi."""

    @model_validator(mode="after")
    def _room_for_connections(self) -> Self:
        if bytes_of(self.resources.memory_limit) < bytes_of(_SMALLEST_PROXY):
            raise refuse(
                "resources.memory_limit",
                self.resources.memory_limit,
                f"must be at least {_SMALLEST_PROXY}: nginx, and some hundred connections",
            )
        return self


class ApiSettings(Settings):
    """The Traversion API."""

    image: Image
    """The image, built elsewhere. ``TRAVERSION_IMAGE_TAG`` overrides its tag for one synthesis."""
    contract: Contract = TRAVERSION
    """What that image promises: ports, paths, environment keys, metrics."""
    replicas: Replicas = Replicas(minimum=3, maximum=10)
    """Lower and upper bound of pods."""
    surge: Annotated[int, Field(ge=1, le=100)] = 1
    """Pods above the current count during a rollout. None is taken away before its replacement is ready."""
    autoscaling: AutoscalingTargets = AutoscalingTargets()
    """Targets of the HorizontalPodAutoscaler."""
    resources: Resources = Resources(cpu="250m", cpu_limit="1", memory="512Mi", memory_limit="1Gi")
    """CPU and memory of the application in one pod."""
    tls_proxy: TlsProxySettings = TlsProxySettings()
    """What encrypts its connections."""
    log_level: Literal["error", "warn", "info", "debug"] = "info"
    """Verbosity of the JSON log on stdout."""
    drain_seconds: Annotated[int, Field(ge=5, le=300)] = 10
    """Seconds a stopping pod keeps serving while load balancers forget it."""
    grace_seconds: Annotated[int, Field(ge=10, le=3600)] = 60
    """Seconds from the stop signal to the kill, draining included; longer than ``drain_seconds``."""

    @model_validator(mode="after")
    def _time_left_after_draining(self) -> Self:
        if self.grace_seconds <= self.drain_seconds:
            raise refuse(
                "grace_seconds",
                self.grace_seconds,
                f"must be longer than drain_seconds = {self.drain_seconds}",
            )
        return self

    @property
    def scales_on_requests(self) -> bool:
        """Whether the autoscaler asks for requests per second, and the image counts them."""
        wanted = self.autoscaling.requests_per_second is not None
        return wanted and self.contract.metric(REQUESTS.name) is not None

    @property
    def most_pods(self) -> int:
        """Pods that can exist at once: a rollout at full scale."""
        return self.replicas.maximum + self.surge
