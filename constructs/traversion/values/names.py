"""Names and labels, as Kubernetes and registries of images have them."""

from typing import Annotated, TypeAlias

from traversion.values.addresses import DOMAIN, LABEL
from traversion.values.checking import matching, unlike

DnsLabel: TypeAlias = Annotated[
    str,
    matching(
        LABEL, "a DNS label", "use 1 to 63 lower-case letters, digits and '-', e.g. \"staging\"", longest=63
    ),
]
"""A Kubernetes object name (RFC 1123 label)."""

EnvironmentName: TypeAlias = Annotated[
    str,
    matching(
        LABEL, "a DNS label", "use 1 to 40 lower-case letters, digits and '-', e.g. \"staging\"", longest=40
    ),
]
"""A name short enough for the labels and the cluster-scoped names that are made of it."""

NamespaceName: TypeAlias = Annotated[
    str,
    matching(
        LABEL, "a DNS label", "use 1 to 63 lower-case letters, digits and '-', e.g. \"staging\"", longest=63
    ),
    unlike(
        "default|kube-.*",
        "a namespace of its own",
        'Kubernetes keeps this one for itself; name another, e.g. "traversion-dev"',
    ),
]
"""A namespace that may be made and limited (RFC 1123 label)."""

ObjectName: TypeAlias = Annotated[
    str,
    matching(
        rf"{LABEL}(\.{LABEL})*",
        "the name of an object",
        "use lower-case letters, digits, '-' and '.', e.g. \"monitoring-oidc\"",
    ),
]
"""The name of a Kubernetes object such as a Secret (RFC 1123 subdomain)."""

SecretKeyName: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z0-9._-]+", "a key of a Secret", "use letters, digits, '-', '_' and '.', e.g. \"api-token\""
    ),
]
"""The name of a key in a Secret."""

LabelKey: TypeAlias = Annotated[
    str,
    matching(
        rf"({DOMAIN}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{{0,61}}[A-Za-z0-9])?".replace("$", "/"),
        "a label key",
        'write a Kubernetes label key, e.g. "node.kubernetes.io/instance-type"',
    ),
]
"""The key of a Kubernetes label."""

LabelValue: TypeAlias = Annotated[
    str,
    matching(
        r"([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?",
        "a label value",
        "use at most 63 letters, digits, '-', '_' and '.'",
        longest=63,
    ),
]
"""The value of a Kubernetes label."""

ImageTag: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?",
        "an image tag",
        'write the tag of one build, e.g. "1.1.0", with or without "@sha256:..."',
    ),
]
"""A container image tag, optionally pinned to a digest."""

ImageRepository: TypeAlias = Annotated[
    str,
    matching(
        r"([a-z0-9]+([.-][a-z0-9]+)*(:\d{1,5})?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*",
        "an image repository",
        'write registry and path without a tag, e.g. "registry.company.com/traversion"',
    ),
]
"""A container image repository without a tag."""
