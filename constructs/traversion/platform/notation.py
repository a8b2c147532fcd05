"""Values that the typed Kubernetes classes want wrapped.

Each wrapper is a round trip to the jsii process, so equal values share one.
"""

from functools import cache

from cdk8s_plus_27 import k8s


@cache
def quantity(text: str) -> k8s.Quantity:
    """Wrap an amount such as "512Mi"."""
    return k8s.Quantity.from_string(text)


@cache
def int_or_string(value: int | str) -> k8s.IntOrString:
    """Wrap a port number, a port name or a percentage."""
    return (
        k8s.IntOrString.from_number(value) if isinstance(value, int) else k8s.IntOrString.from_string(value)
    )
