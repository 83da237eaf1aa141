"""Which code ran: the hash of every source file of the package, computed once per process."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def code_version() -> str:
    """Give the SHA-256 of the package's files (names and contents), shortened to 16 hexadecimal digits.

    A version number would not do: a worker that was started before an update still runs the old code under the new
    number.
    """
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".toml", ".txt", ".csv") and path.is_file():
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
