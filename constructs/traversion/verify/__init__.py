"""The graph of a set of manifests, and the checks on it. Knows nothing of the rest of this program."""

from traversion.verify.check import CHECKS, Finding
from traversion.verify.reading import UnusableInput, from_objects, read_manifests
from traversion.verify.run import verify

__all__ = ["CHECKS", "Finding", "UnusableInput", "from_objects", "read_manifests", "verify"]
