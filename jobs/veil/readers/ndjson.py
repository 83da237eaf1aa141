"""Lines of newline-delimited JSON, read by byte range in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

MAX_LINE = 16 * 1024 * 1024
_PIECE = 64 * 1024
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its line break, or the reason why it was skipped; `offset` is in bytes from the file's start."""

    offset: int
    data: bytes | None = field(repr=False)
    problem: str | None = None


def ranges(size: int, chunk: int) -> list[tuple[int, int]]:
    """Cut a file into half-open byte ranges.

    Parameters
    ----------
    size, chunk
        Length of the file and of a range, in bytes.

    Returns
    -------
    list of (int, int)
        Ranges [start, end) that cover the file once; none for an empty file.

    Raises
    ------
    ValueError
        If `chunk` is not positive.
    """
    if chunk <= 0:
        raise ValueError("a range is at least one byte long")
    return [(start, min(start + chunk, size)) for start in range(0, size, chunk)]


def lines(stream: BinaryIO, start: int, end: int, *, max_line: int = MAX_LINE) -> Iterator[Line]:
    """Yield the lines that begin in [start, end), as Hadoop's text input does: the last may reach beyond `end`.

    Parameters
    ----------
    stream
        A seekable stream with `readline`; wrap a pyarrow file in `io.BufferedReader`.
    start, end
        The range in bytes.
    max_line
        The longest line that is held in memory, in bytes. A longer one is skipped piece by piece.

    Yields
    ------
    Line
        Blank lines are left out. A byte order mark at the start of the file and a carriage return at the end of a line
        are removed; every other byte is the parser's to judge.
    """
    # One byte back: when it is a line break, the line that follows begins in this range.
    position = max(start - 1, 0)
    stream.seek(position)
    if start > 0:
        position += _skip(stream)
    while position < end:
        data = stream.readline(max_line + 2)
        if not data:
            return
        offset, position = position, position + len(data)
        complete = data.endswith(b"\n")
        text = data.rstrip(b"\r\n") if complete else data
        if offset == 0:
            text = text.removeprefix(_BOM)
        cut = not complete and len(data) == max_line + 2
        if cut or len(text) > max_line:
            if not complete:
                position += _skip(stream)
            yield Line(offset, None, f"the line is longer than {max_line} bytes")
        elif text.strip():
            yield Line(offset, text)


def _skip(stream: BinaryIO) -> int:
    """Move past the next line break and return how many bytes that took."""
    skipped = 0
    while piece := stream.readline(_PIECE):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped
