"""Metrics, alerts and dashboards of one environment."""

from traversion.observability.alertmanager import Alertmanager
from traversion.observability.grafana import Grafana
from traversion.observability.prometheus import Prometheus
from traversion.observability.stack import ObservabilityStack

__all__ = ["Alertmanager", "Grafana", "ObservabilityStack", "Prometheus"]
