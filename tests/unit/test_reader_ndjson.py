from __future__ import annotations

import io
import tracemalloc

import pytest

from veil.readers.ndjson import lines, ranges


def _all(data: bytes, **options: int) -> list[tuple[int, bytes | None]]:
    return [(line.offset, line.data) for line in lines(io.BytesIO(data), 0, len(data), **options)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a":1}\n{"b":2}\n', [(0, b'{"a":1}'), (8, b'{"b":2}')]),
        (b'{"a":1}\r\n{"b":2}', [(0, b'{"a":1}'), (9, b'{"b":2}')]),
        (b'\xef\xbb\xbf{"a":1}\n', [(0, b'{"a":1}')]),
        (b'{"a":1}\n\n  \n{"b', [(0, b'{"a":1}'), (12, b'{"b')]),
        (b"\x00\x00\n1\n", [(0, b"\x00\x00"), (3, b"1")]),
        (b"", []),
    ],
)
def test_lines_as_real_exporters_write_them(data: bytes, expected: list[tuple[int, bytes]]) -> None:
    assert _all(data) == expected


def test_a_line_over_the_limit_is_one_problem_and_the_rest_goes_on() -> None:
    found = list(lines(io.BytesIO(b"x" * 11 + b"\nok\n" + b"y" * 10 + b"\r\n"), 0, 99, max_line=10))
    assert [(line.offset, line.data) for line in found] == [(0, None), (12, b"ok"), (15, b"y" * 10)]
    assert found[0].problem == "the line is longer than 10 bytes"


def test_a_range_must_have_a_length() -> None:
    with pytest.raises(ValueError, match="one byte"):
        ranges(10, 0)


class _Synthetic(io.RawIOBase):
    """A file of `size` bytes that exists nowhere: lines of `width` bytes."""

    def __init__(self, size: int, width: int) -> None:
        self._size, self._width, self._at = size, width, 0
        self._block = (b"x" * (width - 1) + b"\n") * (2 * io.DEFAULT_BUFFER_SIZE // width + 2)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset
        return offset

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        count = min(len(view), self._size - self._at, len(self._block) - self._width)
        begin = self._at % self._width
        view[:count] = self._block[begin : begin + count]
        self._at += count
        return count


@pytest.mark.parametrize(("width", "expected"), [(64 * 1024, 16 * 1024), (512 * 1024 * 1024, 2)])
def test_a_gigabyte_is_read_in_a_few_megabytes(width: int, expected: int) -> None:
    size = 1024**3
    block = min(width, 1024 * 1024)
    raw = _Synthetic(size, block) if width == block else _OneBreakIn(size, width)
    tracemalloc.start()
    try:
        count = sum(1 for _ in lines(io.BufferedReader(raw, 1024 * 1024), 0, size, max_line=1024 * 1024))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == expected
    assert peak < 16 * 1024 * 1024


class _OneBreakIn(_Synthetic):
    """The same with lines far longer than any buffer."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__(size, 1)
        self._width = width
        self._filler = b"x" * (1024 * 1024)

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        count = min(len(view), self._size - self._at, len(self._filler))
        view[:count] = self._filler[:count]
        last = self._width - 1 - self._at % self._width
        if last < count:
            view[last] = 0x0A
        self._at += count
        return count
