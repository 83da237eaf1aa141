"""Thousands of needles in one pass: windows of eight bytes are hashed by numpy, and only candidates are compared."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from veil.errors import VeilError

_SHORTEST = 4
_BLOCK = 1 << 22
_TABLE_BITS = 22
_MULTIPLIERS = {4: np.uint32(2654435761), 8: np.uint64(11400714819323198485)}
_HASH_RUN = 24
"""Letters and digits from which a run of hexadecimal digits is a digest, in which any number can turn up by chance."""
_HEX = frozenset(b"0123456789abcdefABCDEF-")


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which a needle can be written: `folded` is compared in lower case, `exact` as it is when given."""

    folded: bytes = field(repr=False)
    exact: bytes | None = field(repr=False)
    label: str
    how: str
    width: int
    """Bytes of a character: 0 where characters have no boundaries, 1 for UTF-8, 2 for UTF-16."""


class Matcher:
    """A set of needles to be searched in bytes.

    Parameters
    ----------
    needles
        Value to label; text is found in any case and in UTF-8, UTF-16, JSON escapes and base64, bytes as they are.

    Raises
    ------
    VeilError
        When a needle has fewer than four bytes: it would be found everywhere.
    """

    def __init__(self, needles: Mapping[str | bytes, str]) -> None:
        self._groups: dict[int, dict[int, list[Form]]] = {4: {}, 8: {}}
        self._overlap = 8
        for form in {form for needle, label in needles.items() for form in _forms(needle, label)}:
            size = 8 if len(form.folded) >= 8 else 4
            key = int.from_bytes(form.folded[:size], "little")
            self._groups[size].setdefault(key, []).append(form)
            self._overlap = max(self._overlap, len(form.folded))
        self._tables = {size: _table(size, list(group)) for size, group in self._groups.items()}

    def search(self, data: bytes) -> set[tuple[str, str]]:
        """Labels found in `data`, each with the form in which it was found ("raw", "utf-16" or "base64")."""
        found: set[tuple[str, str]] = set()
        for start in range(0, len(data), _BLOCK):
            block = data[start : start + _BLOCK + self._overlap]
            for form, at in self._candidates(block.lower()):
                if (form.label, form.how) not in found and _stands(data, start + at, form):
                    found.add((form.label, form.how))
        return found

    def _candidates(self, block: bytes) -> Iterator[tuple[Form, int]]:
        for size, group in self._groups.items():
            for offset in range(size if group else 0):
                count = (len(block) - offset) // size
                if count <= 0:
                    break
                windows = np.frombuffer(block, dtype=f"<u{size}", count=count, offset=offset)
                places = np.flatnonzero(self._tables[size][_hash(size, windows)])
                for place, key in zip(places.tolist(), windows[places].tolist(), strict=True):
                    at = offset + place * size
                    for form in group.get(key, ()):
                        if block.startswith(form.folded, at):
                            yield form, at


def _hash(size: int, windows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    hashed: npt.NDArray[Any] = (windows * _MULTIPLIERS[size]) >> windows.dtype.type(8 * size - _TABLE_BITS)
    return hashed


def _table(size: int, keys: list[int]) -> npt.NDArray[np.bool_]:
    table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
    table[_hash(size, np.array(keys, dtype=f"<u{size}"))] = True
    return table


def _forms(needle: str | bytes, label: str) -> Iterator[Form]:
    if len(needle if isinstance(needle, bytes) else needle.encode()) < _SHORTEST:
        raise VeilError(
            "A value to search for has fewer than four bytes", "Leave it out: it would be found in every file."
        )
    if isinstance(needle, bytes):
        yield Form(needle.lower(), needle, label, "raw", 0)
        return
    cases = {needle, needle.lower(), needle.upper(), needle.title()}
    plain = "".join(c for c in unicodedata.normalize("NFKD", needle) if not unicodedata.combining(c))
    for text in {unicodedata.normalize(norm, case) for norm in ("NFC", "NFD") for case in cases} | {plain}:
        yield Form(text.encode().lower(), None, label, "raw", 1)
        yield Form(json.dumps(text)[1:-1].encode().lower(), None, label, "raw", 1)
    for text in cases:
        yield Form(text.encode("utf-16-le").lower(), None, label, "utf-16", 2)
        yield Form(text.encode("utf-16-be").lower(), None, label, "utf-16", 2)
        for shift in range(3):
            core = _base64_core(text.encode(), shift)
            if len(core) >= 8:  # fewer turn up in payloads by chance
                yield Form(core.lower(), core, label, "base64", 0)


def _base64_core(value: bytes, shift: int) -> bytes:
    """The characters of the base64 of `value` that do not depend on what stands before and after it."""
    encoded = base64.b64encode(bytes(shift) + value)
    complete = (shift + len(value)) * 8 // 6
    return encoded[-(-shift * 8 // 6) : complete]


def _stands(data: bytes, start: int, form: Form) -> bool:
    """Whether a match is the needle itself and not a part of a longer word, number or digest."""
    end = start + len(form.folded)
    if form.exact is not None:
        return data[start:end] == form.exact
    if form.width == 2:
        text = _utf16(data, start, end)
    else:
        if len(form.folded) >= 8 and b"\0" in data[max(0, start - 8) : end + 8]:
            return True  # in binary content the neighbours are lengths and tags, not letters
        text = _utf8(data[max(0, start - 64) : start]), _utf8(data[end : end + 64])
    before, after = text
    first, last = chr(form.folded[0] or form.folded[1]), chr(form.folded[-1] or form.folded[-2])
    if first.isdigit() and (before[-1:].isdigit() or re.search(r"\d\.$", before)):
        return False
    if last.isdigit() and after[:1].isdigit():
        return False
    if first.isdigit() and last.isdigit() and _in_digest(data, start, end):
        return False
    escaped = re.search(r"\\[nrtbf]$", before) is not None  # the n of a JSON line break is no letter of the word
    joined = before[-1:].isalpha() and first.isalpha() and not escaped
    return not joined and not (after[:1].isalpha() and last.isalpha())


def _in_digest(data: bytes, start: int, end: int) -> bool:
    left, right = start, end
    while left and start - left < 128 and data[left - 1] in _HEX:
        left -= 1
    while right < len(data) and right - end < 128 and data[right] in _HEX:
        right += 1
    run = data[left:right]
    return len(run) >= _HASH_RUN and any(c in b"abcdefABCDEF" for c in run)


def _utf8(raw: bytes) -> str:
    return raw.decode("utf-8", "ignore")


def _utf16(data: bytes, start: int, end: int) -> tuple[str, str]:
    order = "utf-16-be" if data[start] == 0 else "utf-16-le"
    return data[max(0, start - 2) : start].decode(order, "ignore"), data[end : end + 2].decode(order, "ignore")
