"""How kernels are compiled: serially, without the interpreter's lock, and kept on disk.

numba looks only at the file of a function to see whether what it kept is still good; these functions call each other
across files. So what is kept carries a digest of the whole folder.
"""

import hashlib
from pathlib import Path

import numba as nb


def digest_of(folder):
    """Return a digest of every Python file in a folder."""
    files = sorted(Path(folder).glob("*.py"))
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


_DIGEST = digest_of(Path(__file__).parent)


def compiled(function, **options):
    """Compile a kernel on its first call, or take it from disk."""
    kernel = nb.njit(nogil=True, cache=True, error_model="numpy", **options)(function)
    if kernel is not function:  # as it is with NUMBA_DISABLE_JIT=1
        kept = kernel._cache._cache_file
        kept._source_stamp = (kept._source_stamp, _DIGEST)
    return kernel


def contracted(function):
    """Compile a kernel whose products and sums are rounded once where the processor can: the last bit is its own.

    For arithmetic that decides nothing. Where a number is compared with another, two processors would part.
    """
    return compiled(function, fastmath={"contract"})


def inlined(function):
    """Compile a part of a kernel into each place that calls it.

    Parts take vectors and numbers, not arrays: numba counts an array's references where it is handed over, and such
    a count in the middle of a loop costs more than the loop.
    """
    return nb.njit(nogil=True, forceinline=True, error_model="numpy")(function)
