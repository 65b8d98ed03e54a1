"""Finding the shipped data: in an installed wheel, or in the checkout."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Literal

from annealnn.exceptions import DataFileError

Kind = Literal["datasets", "embeddings"]


def data_root(kind: Kind) -> Path:
    """Return the folder of shipped data of one kind.

    Raises
    ------
    DataFileError
        If the installation has none.
    """
    package = Path(__file__).parent
    installed = package / "_files" / kind
    if installed.is_dir():
        return installed
    checkout = package.parent
    marker = checkout / "setup.cfg"
    # Without this check a broken wheel would read site-packages/datasets, another project's package.
    if marker.is_file() and f"annealnn._files.{kind}" in marker.read_text(encoding="utf-8"):
        return checkout / kind
    msg = f"the installation of annealnn is incomplete: no {kind} in {package}. Install it again"
    raise DataFileError(msg)


def folders(kind: Kind) -> list[Path]:
    """Return the folders of shipped data of one kind, sorted by name."""
    return sorted(p.parent for p in data_root(kind).glob("*/PROVENANCE.toml"))


def provenance(folder: Path) -> dict[str, Any]:
    """Return what `folder`'s PROVENANCE.toml says."""
    return tomllib.loads((folder / "PROVENANCE.toml").read_text(encoding="utf-8"))


def read_bytes(kind: Kind, folder: str, name: str) -> bytes:
    """Return the content of a shipped file, its recorded checksum verified.

    Raises
    ------
    DataFileError
        If the file is missing, unrecorded, or changed.
    """
    path = data_root(kind) / folder / name
    if not path.is_file():
        msg = f"a shipped file is missing: {path}. Install annealnn again"
        raise DataFileError(msg)
    content = path.read_bytes()
    recorded = provenance(path.parent)["files"].get(name, {}).get("sha256")
    found = hashlib.sha256(content).hexdigest()
    if found != recorded:
        msg = f"a shipped file must have its recorded SHA-256, {recorded}; {path} has {found}. Install annealnn again"
        raise DataFileError(msg)
    return content
