"""Which image a pod really runs."""

import re
from collections.abc import Iterator

from traversion.verify.check import Problem, check
from traversion.verify.graph import Graph
from traversion.verify.model import Resource, text

# Names of branches and channels instead of releases.
_MOVING_TAGS = {
    "beta", "canary", "current", "dev", "devel", "develop", "development", "edge", "head", "latest", "lts",
    "main", "master", "next", "nightly", "prod", "production", "rolling", "snapshot", "stable", "staging",
    "test", "testing", "trunk", "unstable",
}  # fmt: skip
# A release never ends so: 17-latest, app-nightly.
_MOVING_ENDS = ("-latest", "-nightly", "-snapshot", "-edge", "-canary")
# github.com/distribution/reference: host and port, lower-case path, tag, digest.
_REFERENCE = re.compile(
    r"(?:[A-Za-z0-9.\-]+(?::\d{1,5})?/|\[[0-9A-Fa-f:]+\](?::\d{1,5})?/)?"
    r"[a-z0-9]+(?:[._\-/]+[a-z0-9]+)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127})?"
    r"(?:@[A-Za-z0-9+._\-]+:[0-9A-Fa-f]{32,128})?"
)
_LONGEST = 512


@check(
    "image-invalid",
    "error",
    what="A container has no image, or one whose name no registry can have.",
    why="The API server refuses the pod, or it stays at InvalidImageName.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec: {containers: [{name: app, image: "registry.example.com/app:${VERSION}"}]}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec: {containers: [{name: app, image: "registry.example.com/app:1.2.3"}]}
""",
)
def images_are_named(graph: Graph) -> Iterator[Problem]:
    """Read every image's name."""
    for pods in graph.pod_templates:
        for container in pods.containers:
            image = text(container.data.get("image"))
            if not image and not _is_patch(pods.owner):
                wrong = f"container {container.name} has no image"
            elif image and (len(image) > _LONGEST or not _REFERENCE.fullmatch(image)):
                wrong = f"{image[:80]!r} is no name of an image"
            else:
                continue
            remedy = "write it as registry/path:tag, in lower case, without variables"
            yield Problem(container.owner, container.path("image"), wrong, remedy)


def _is_patch(owner: Resource) -> bool:
    """Tell whether an object is part of one, as Kustomize's patches are: it lacks the selector."""
    return owner.kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet") and not owner.spec.get(
        "selector"
    )


@check(
    "image-mutable",
    "warning",
    what="An image is named by a tag that moves, or by none.",
    why="Pods of one workload run different code, depending on when each node fetched it.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec: {containers: [{name: app, image: redis}]}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec: {containers: [{name: app, image: "redis:7.4.11"}]}
""",
)
def images_are_fixed(graph: Graph) -> Iterator[Problem]:
    """A digest is always the same image, whatever the tag says."""
    for pods in graph.pod_templates:
        for container in pods.containers:
            image = text(container.data.get("image"))
            if image and _is_moving(image):
                tag = _tag(image)
                wrong = (
                    f"{image} has {'the tag ' + tag + ', which moves' if tag else 'no tag: it means latest'}"
                )
                remedy = "name a release, or the digest"
                yield Problem(container.owner, container.path("image"), wrong, remedy)


def _tag(image: str) -> str:
    name, colon, tag = image.rpartition(":")
    return tag if colon and "/" not in tag and name else ""


def _is_moving(image: str) -> bool:
    tag = _tag(image).lower()
    return "@" not in image and (not tag or tag in _MOVING_TAGS or tag.endswith(_MOVING_ENDS))


@check(
    "image-pull-policy",
    "warning",
    what="An image's tag and its imagePullPolicy contradict each other.",
    why="A moving tag that is kept is a different image on every node; Never needs it put there first.",
    wrong="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec: {containers: [{name: app, image: "example/app:latest", imagePullPolicy: IfNotPresent}]}
""",
    right="""
apiVersion: v1
kind: Pod
metadata: {name: example}
spec: {containers: [{name: app, image: "example/app:1.2.3", imagePullPolicy: IfNotPresent}]}
""",
)
def pull_policies_fit(graph: Graph) -> Iterator[Problem]:
    """Look for moving tags that are kept, and for images that are never fetched."""
    for pods in graph.pod_templates:
        for container in pods.containers:
            image, policy = text(container.data.get("image")), container.data.get("imagePullPolicy")
            if policy == "Never":
                wrong, remedy = f"{image} is never fetched", "use IfNotPresent"
            elif policy == "IfNotPresent" and image and _is_moving(image):
                wrong, remedy = (
                    f"{image} moves, but nodes keep what they have",
                    "name a release, or use Always",
                )
            else:
                continue
            yield Problem(container.owner, container.path("imagePullPolicy"), wrong, remedy)
