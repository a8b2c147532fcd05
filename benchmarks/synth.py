"""Measure the synthesis against what is promised: `make bench`.

Promised, with set-up done:

* the whole of ``main.py`` takes at most 2.5 times an empty chart,
* each further environment takes at most 0.3 s, from the first to the hundredth.

Every figure is the median of several fresh processes, as a person at a terminal sees them. The
first process of each kind is not counted: it compiles bytecode and unpacks jsii's packages.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 5
RATIO_PROMISED = 2.5
SECONDS_PER_ENVIRONMENT_PROMISED = 0.3
COUNTS = (1, 10, 50, 100)

EMPTY_CHART = """
import cdk8s, cdk8s_plus_27
app = cdk8s.App()
cdk8s.Chart(app, "empty")
app.synth()
"""


def main() -> None:
    """Print the table and the two ratios; exit with 1 if a promise is broken."""
    empty = _measure("empty chart", "-O", "-c", EMPTY_CHART)
    _measure("main.py, one environment", "-O", "main.py", TRAVERSION_ENV="production")
    whole = _measure("main.py, all environments", "-O", "main.py")
    # A hundred environments take long enough for few runs to be steady.
    seconds = [
        _measure(f"{count} synthetic environments", "-O", __file__, str(count), runs=3) for count in COUNTS
    ]

    ratio = whole / empty
    further = max(
        (more - less) / (count - fewer)
        for fewer, count, less, more in zip(COUNTS, COUNTS[1:], seconds, seconds[1:], strict=False)
    )
    kept = ratio <= RATIO_PROMISED and further <= SECONDS_PER_ENVIRONMENT_PROMISED
    print(f"\nmain.py / empty chart    {ratio:6.2f}    promised: at most {RATIO_PROMISED}")
    print(f"further environment      {further:6.3f} s  ", end="")
    print(f"promised: at most {SECONDS_PER_ENVIRONMENT_PROMISED} s, wherever it is slowest")
    sys.exit(not kept)


def _measure(name: str, *arguments: str, runs: int = RUNS, **variables: str) -> float:
    seconds = [_run(arguments, variables) for _ in range(runs + 1)][1:]
    median = statistics.median(seconds)
    print(f"{name:28} {median:7.3f} s   ({min(seconds):.3f} to {max(seconds):.3f})", flush=True)
    return median


def _run(arguments: tuple[str, ...], variables: dict[str, str]) -> float:
    with tempfile.TemporaryDirectory() as outdir:
        # The variable with which the cdk8s CLI names its output: dist/ is left alone.
        environment = {**os.environ, "CDK8S_OUTDIR": outdir, **variables}
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - start


def many_environments(count: int, outdir: Path) -> None:
    """Synthesize copies of production, each with a name, namespace and domain of its own."""
    from traversion.synthesis import load_environments, synthesize  # noqa: PLC0415 # measured runs without it

    gc.disable()  # as main.py does
    original = load_environments()["production"]
    names = [f"copy-{number}" for number in range(count)]
    copies = [
        original.model_copy(
            update={"name": name, "namespace": f"traversion-{name}", "domain": f"{name}.company.com"}
        )
        for name in names
    ]
    synthesize(copies, outdir, known=names)
    gc.freeze()


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case [count]:
            many_environments(int(count), Path(os.environ["CDK8S_OUTDIR"]))
        case _:
            sys.exit("benchmarks/synth.py measures and takes no arguments")
