"""Rows of a CSV file (RFC 4180) with their offsets, such that one bad row costs that row alone."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from veil.readers.problem import Problem

MAX_ROW = 1024 * 1024
_PIECE = 64 * 1024
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one row; `offset` is that of its first byte."""

    offset: int
    values: list[str] = field(repr=False)


class _TooLong(Exception):
    """The row that is being read passes the limit."""


def read_rows(stream: BinaryIO, *, max_row: int = MAX_ROW) -> Iterator[Row | Problem]:
    """Read the rows of a whole file; quoted line breaks make CSV impossible to split.

    Parameters
    ----------
    stream
        The file, from its start.
    max_row
        The longest row, in bytes.

    Yields
    ------
    Row or Problem
        Blank lines are left out. After a row that cannot be read, such as one whose quote is never closed, reading
        goes on at the next line.
    """
    source = _Lines(stream, max_row)
    reader = csv.reader(source, strict=True)
    while True:
        source.mark()
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # The parser's own message quotes the file. The csv module starts afresh after an error.
            yield Problem(source.rewind(), "the row is not valid CSV, or a value is too long")
        except _TooLong:
            yield Problem(source.rewind(), f"the row is longer than {max_row} bytes")
        else:
            if not _is_utf8(values):
                yield Problem(source.offset, "not valid UTF-8")
            elif values:
                yield Row(source.offset, values)


def _is_utf8(values: list[str]) -> bool:
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        return False
    return True


class _Lines:
    """The lines of a file as text, remembering those of the current row so that they can be given again."""

    def __init__(self, stream: BinaryIO, max_row: int) -> None:
        self._stream = stream
        self._max_row = max_row
        self._position = 0
        self._again: deque[tuple[int, str | None]] = deque()
        self._row: list[tuple[int, str | None]] = []
        self._length = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        self._row.append(line)
        text = line[1]
        self._length += len(text or "")
        if text is None or self._length > self._max_row:
            raise _TooLong
        return text

    @property
    def offset(self) -> int:
        """Where the current row begins."""
        return self._row[0][0]

    def mark(self) -> None:
        """Begin a row."""
        self._row.clear()
        self._length = 0

    def rewind(self) -> int:
        """Give the lines of the current row again, but for its first, and return where it begins."""
        self._again.extendleft(reversed(self._row[1:]))
        return self.offset

    def _read(self) -> tuple[int, str | None]:
        offset = self._position
        data = self._stream.readline(self._max_row + 1)
        if not data:
            raise StopIteration
        self._position += len(data)
        if len(data) > self._max_row:
            while not data.endswith(b"\n") and (data := self._stream.readline(_PIECE)):
                self._position += len(data)
            return offset, None
        # Surrogates stand for bytes that are no UTF-8 until the row is complete.
        return offset, (data.removeprefix(_BOM) if offset == 0 else data).decode(errors="surrogateescape")
