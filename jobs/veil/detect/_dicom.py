"""Walks the elements of a DICOM file by its bytes (PS3.5, 7; PS3.10, 7): a reader of the gate's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

_IMPLICIT = b"1.2.840.10008.1.2"
_BIG_ENDIAN = b"1.2.840.10008.1.2.2"
_TRANSFER_SYNTAX, _PIXELS = 0x00020010, 0x7FE00010
_PREFIX = 132
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_DEEPEST = 64


class Broken(Exception):
    """The bytes are no DICOM file."""


@dataclass(frozen=True, slots=True)
class Element:
    """A data element; `vr` is empty where the file does not give one. The value of a sequence is its elements."""

    tag: int
    vr: str
    value: bytes = field(repr=False)

    @property
    def group(self) -> int:
        """The group number."""
        return self.tag >> 16


@dataclass(slots=True)
class _Cursor:
    """A place in the bytes of a file."""

    data: bytes
    at: int
    implicit: bool = False
    order: Literal["little", "big"] = "little"

    def elements(self, end: int, depth: int) -> Iterator[Element]:
        """Give the elements from here to `end`; those within a sequence before the sequence itself."""
        if depth > _DEEPEST:
            raise Broken("nested too deeply")
        while self.at < end and self._peek() not in (_ITEM_END, _SEQUENCE_END):
            tag, vr, length = self._head()
            if vr == "SQ" or (length == _UNDEFINED and tag != _PIXELS):
                yield from self._sequence(vr, end if length == _UNDEFINED else self.at + length, depth)
                yield Element(tag, "SQ", b"")
            elif length == _UNDEFINED:
                yield Element(tag, vr, self._fragments(end))
            else:
                yield Element(tag, vr, self._bytes(length, end))

    def _sequence(self, vr: str, end: int, depth: int) -> Iterator[Element]:
        as_written = self.implicit
        self.implicit = self.implicit or vr == "UN"  # PS3.5, 6.2.2, note 2
        while self.at < end:
            tag, length = self._tag(), self._number(4)
            if tag == _SEQUENCE_END:
                break
            if tag != _ITEM:
                raise Broken("a sequence holds something that is no item")
            stop = end if length == _UNDEFINED else self.at + length
            if stop > end:
                raise Broken("an item is longer than its sequence")
            yield from self.elements(stop, depth + 1)
            if length == _UNDEFINED and (self._tag() != _ITEM_END or self._number(4)):
                raise Broken("an item has no end")
        self.implicit = as_written

    def _fragments(self, end: int) -> bytes:
        start = self.at
        while self.at < end:
            tag, length = self._tag(), self._number(4)
            if tag == _SEQUENCE_END:
                return self.data[start : self.at]
            if tag != _ITEM:
                break
            self._bytes(length, end)
        raise Broken("compressed pixels have no end")

    def _head(self) -> tuple[int, str, int]:
        tag = self._tag()
        if self.implicit:
            return tag, "", self._number(4)
        vr = self._bytes(2, len(self.data))
        if not vr.isalpha() or not vr.isupper():
            raise Broken("an element has no value representation")
        if vr in _LONG:
            self._bytes(2, len(self.data))
        return tag, vr.decode("ascii", "replace"), self._number(4 if vr in _LONG else 2)

    def _peek(self) -> int:
        tag = self._tag()
        self.at -= 4
        return tag

    def _tag(self) -> int:
        return self._number(2) << 16 | self._number(2)

    def _number(self, size: int) -> int:
        return int.from_bytes(self._bytes(size, len(self.data)), self.order)

    def _bytes(self, length: int, end: int) -> bytes:
        if self.at + length > end:
            raise Broken("the file ends within an element")
        self.at += length
        return self.data[self.at - length : self.at]


def walk(payload: bytes) -> Iterator[Element]:
    """Give every element of a file, those of its file meta information and those within sequences among them.

    Raises
    ------
    Broken
        When the bytes are no DICOM file from the first to the last.
    """
    if payload[_PREFIX - 4 : _PREFIX] != b"DICM":
        raise Broken("no DICOM file")
    cursor = _Cursor(payload, _PREFIX)
    syntax = b""
    while payload[cursor.at : cursor.at + 2] == b"\x02\0":
        element = next(cursor.elements(len(payload), 0))
        if element.tag == _TRANSFER_SYNTAX:
            syntax = element.value.rstrip(b"\0 ")
        yield element
    cursor.implicit, cursor.order = syntax == _IMPLICIT, "big" if syntax == _BIG_ENDIAN else "little"
    yield from cursor.elements(len(payload), 0)
    if cursor.at != len(payload):
        raise Broken("bytes after the last element")
