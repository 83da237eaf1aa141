"""What a reader says about the part of a file that it could not read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A piece of a file that is no record, while the rest of the file goes on.

    `position` finds the piece again: the offset in bytes of its first byte, or the index of an entry in a Bundle
    or a manifest.
    `reason` never holds a value.
    """

    position: int
    reason: str
