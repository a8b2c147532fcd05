"""Measure `traversion verify` against what is promised.

Promised: 1,000 objects in less than 2 s, 10,000 in less than 20 s, linear; and at most 15 % of the synthesis.
The objects are copies of production, each in a namespace of its own.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from traversion.verify import from_objects, read_manifests, verify

DIST = Path(__file__).resolve().parent.parent / "dist"
PROMISED = {1_000: 2.0, 10_000: 20.0}


def main() -> None:
    """Print the table; exit with 1 if a promise is broken."""
    kept = True
    for count, promised in PROMISED.items():
        objects = list(_copies(count))
        start = time.perf_counter()
        findings = verify(from_objects(objects))
        seconds = time.perf_counter() - start
        kept &= seconds < promised
        print(
            f"{len(objects):6} objects  {seconds:6.2f} s   promised: {promised} s   {len(findings)} findings"
        )
    start = time.perf_counter()
    verify(read_manifests([str(DIST)]))
    print(f"dist/ read and judged  {time.perf_counter() - start:6.3f} s")
    sys.exit(not kept)


def _copies(count: int) -> Iterator[Any]:
    text = (DIST / "production.k8s.yaml").read_text(encoding="utf-8")
    objects = text.count("\nkind: ")
    for number in range(-(-count // objects)):
        copy = text.replace("traversion-system", f"copy-{number}")
        copy = copy.replace("traversion-production", f"traversion-{number}")
        yield from yaml.load_all(copy, Loader=yaml.CSafeLoader)


if __name__ == "__main__":
    main()
