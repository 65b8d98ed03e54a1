"""Messages: one logger, `logging.getLogger("annealnn")`.

A library's messages belong to the program that uses it: nothing here adds a handler until a program asks for one, and
Python itself shows warnings where none is set.
"""

import logging
import sys

logger = logging.getLogger("annealnn")


def show_messages(level: int) -> None:
    """Print messages of this level and above to standard error, one a line; a second call replaces the first."""
    for handler in list(logger.handlers):
        if handler.get_name() == "annealnn":
            logger.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name("annealnn")
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(level)
