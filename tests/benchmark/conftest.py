"""A family that a plug-in brings, contestants in a module of one's own, and workers that several tests share."""

import sys
from pathlib import Path

import pytest

from annealnn.benchmark._pool import WorkerPool

FAMILIES = "glass = cheats:GLASS\nshade = cheats:SHADE\nbrag = cheats:BRAG\n"


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """`cheats` importable here and in workers, and its families installed, as far as entry points go."""
    folder = tmp_path_factory.mktemp("installed")
    told = folder / "annealnn_cheats-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: annealnn-cheats\nVersion: 1.0\n", encoding="ascii")
    (told / "entry_points.txt").write_text("[annealnn.families]\n" + FAMILIES, encoding="ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.syspath_prepend(str(Path(__file__).parent))
        yield [path for path in sys.path if path]


@pytest.fixture(scope="session")
def pool(world):
    """One worker without haste, for tasks that do it no harm, or little."""
    with WorkerPool(1, timeout_s=120.0) as workers:
        yield workers
