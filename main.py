"""Synthesizes the environments in environments/ into dist/: all, or those that TRAVERSION_ENV names."""

import gc

if __name__ == "__main__":
    # The process ends when the files are written: looking for garbage, in what is imported as well, would
    # cost a fifth of its time.
    gc.disable()

import os
import sys
from pathlib import Path

from traversion.refusal import SettingsRefused
from traversion.synthesis import choose, load_environments, synthesize


def main() -> int:
    """Write one file for each environment; return the exit code."""
    output = Path(os.environ.get("CDK8S_OUTDIR") or Path(__file__).parent / "dist")
    try:
        environments = load_environments()
        chosen = choose(
            environments,
            names=os.environ.get("TRAVERSION_ENV", ""),
            image_tag=os.environ.get("TRAVERSION_IMAGE_TAG", ""),
        )
        for file in synthesize(chosen, output, known=environments):
            print(os.path.relpath(file))
    except SettingsRefused as refused:
        print(f"Nothing was synthesized.\n{refused}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    gc.freeze()
    sys.exit(code)
