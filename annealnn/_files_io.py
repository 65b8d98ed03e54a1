"""Writing files so that none is left half-written: beside, then renamed."""

import os
import tempfile
from pathlib import Path


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, all of it or nothing.

    Raises
    ------
    OSError
        If the path is a folder or cannot be written.
    """
    if path.is_dir():
        msg = f"a file is written to a path that is no folder; got {path}"
        raise IsADirectoryError(msg)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        beside.chmod(0o644)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, all of it or nothing."""
    write_bytes(path, text.encode("utf-8"))
