"""Files that are read at once; tables and NDJSON are read row by row."""

from __future__ import annotations

from pathlib import Path

from veil.contracts import Malformed

LARGEST = 256 << 20
"""Bytes of the largest file that is read at once."""


def read_whole(path: Path) -> bytes:
    """Read a file of at most 256 MiB.

    Raises
    ------
    Malformed
        It is larger.
    OSError
        It cannot be read.
    """
    if path.stat().st_size > LARGEST:
        raise Malformed(f"the file is larger than {LARGEST >> 20} MiB, which is read at once: split it")
    return path.read_bytes()
