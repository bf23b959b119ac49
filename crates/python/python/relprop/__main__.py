"""The program: ``python -m relprop explain --model my-model "a warm , funny film"``."""

import signal
import sys

from ._relprop import run


def main() -> None:
    """Runs the program on this process's arguments, and exits with its code."""
    # The program has no Python to raise an exception in: it ends as programs do.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.flush()
    sys.exit(run(["relprop", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
