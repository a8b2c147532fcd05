"""The way in: hosts, public certificates, limits, and who must log in where."""

from traversion.secure_ingress.secure_ingress import SecureIngress

__all__ = ["SecureIngress"]
