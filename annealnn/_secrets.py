"""What looks like a credential, so that it is neither kept nor shown."""

import os
import re
from collections.abc import Sequence

_NAMES = {"token", "password", "passwd", "secret", "credential", "credentials", "authorization", "apikey"}
# a token as Leap gives it, or an address with a password in it
_TEXT = re.compile(r"\b[A-Z][A-Z0-9]{1,9}-[0-9a-f]{40}\b|//[^/@\s]*:[^/@\s]*@")
HIDDEN = "(hidden)"


def is_secret_name(name: str) -> bool:
    """Return whether a keyword or an option of this name holds a credential."""
    words = re.split(r"[^a-z]+", name.lower())
    return bool(_NAMES & {*words, "".join(words)})


def is_secret_text(text: str) -> bool:
    """Return whether a text holds a credential: one by its look, or D-Wave's token of this environment."""
    return hide_secrets(text) != text


def hide_secrets(text: str) -> str:
    """Return a text with what `is_secret_text` finds in it hidden."""
    token = os.environ.get("DWAVE_API_TOKEN")
    shown = _TEXT.sub(HIDDEN, text)
    return shown.replace(token, HIDDEN) if token else shown


def without_secrets(command: Sequence[str]) -> list[str]:
    """Return a command's words with credentials hidden: those in a text, and the values of options so named."""
    words: list[str] = []
    hide_next = False
    for word in command:
        name, equals, _ = word.partition("=")
        option = word.startswith("-") and is_secret_name(name)
        if hide_next:
            words.append(HIDDEN)
        else:
            words.append(f"{name}={HIDDEN}" if option and equals else hide_secrets(word))
        hide_next = option and not equals
    return words
