"""The command line: parse, call one public function, print."""

import sys


def main() -> None:
    """Run `annealnn`."""
    from annealnn.cli._app import run

    sys.exit(run())
