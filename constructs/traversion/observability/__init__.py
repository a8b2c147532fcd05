"""Metrics, alerts and dashboards of one environment."""

from traversion.observability.stack import ObservabilityStack

__all__ = ["ObservabilityStack"]
