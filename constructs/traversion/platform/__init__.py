"""What every component stands on: hardened pods, network flows, credentials, certificates, capacity."""

from traversion.platform.ground import Platform

__all__ = ["Platform"]
