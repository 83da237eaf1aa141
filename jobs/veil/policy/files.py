"""Reads TOML files against a schema; what is wrong is told by file, key and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from veil.errors import VeilError

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document was read: the file's name and its text, to find a line by."""

    name: str
    text: str

    def at(self, *keys: str | int) -> str:
        """``file, key a.b (line n)`` for the innermost of the keys that stands in the text.

        A number among the keys counts the tables of an array (``[[queries]]``) from 0.
        """
        written = ".".join(str(key + 1) if isinstance(key, int) else key for key in keys)
        where = f"{self.name}, key {written}" if keys else self.name
        line = self._line(keys)
        return f"{where} (line {line})" if line else where

    def _line(self, keys: tuple[str | int, ...]) -> int | None:
        for number, key in reversed(list(enumerate(keys))):
            outer = keys[number - 1] if number else None
            if isinstance(key, int):
                start = self._array_table(str(outer), key)
                if start is not None:
                    return self._number(start)
                continue
            headed = re.search(
                rf"^[ \t]*\[{re.escape('.'.join(map(str, keys[: number + 1])))}\]", self.text, re.MULTILINE
            )
            if headed:
                return self._number(headed.start())
            inside = self._array_table(str(keys[number - 2]), outer) if isinstance(outer, int) else None
            table = inside if inside is not None else self._table_start(None if outer is None else str(outer))
            written = rf"(?:\"{re.escape(key)}\"|'{re.escape(key)}'|{re.escape(key)})"
            for pattern in (rf"^\s*{written}\s*=", rf"^\s*\[.*{written}.*\]"):
                compiled = re.compile(pattern, re.MULTILINE)
                end = self._next_table(table) if inside is not None else len(self.text)
                found = compiled.search(self.text, table, end)
                if found is None and inside is None:
                    found = compiled.search(self.text)
                if found:
                    return self._number(found.end() - len(found.group().lstrip()))
        return None

    def _number(self, position: int) -> int:
        return self.text.count("\n", 0, position) + 1

    def _array_table(self, name: str, number: int) -> int | None:
        heads = list(re.finditer(rf"^[ \t]*\[\[[ \t]*{re.escape(name)}[ \t]*\]\]", self.text, re.MULTILINE))
        return heads[number].end() if number < len(heads) else None

    def _next_table(self, position: int) -> int:
        found = re.compile(r"^\s*\[", re.MULTILINE).search(self.text, position)
        return found.start() if found else len(self.text)

    def _table_start(self, name: str | None) -> int:
        if name is None:
            return 0
        found = re.search(rf"^\s*\[[^\]\n]*{re.escape(name)}[\"']?\]", self.text, re.MULTILINE)
        return found.start() if found else 0


def read_toml(path_or_text: Path | str) -> tuple[dict[str, Any], Origin]:
    """Parse a TOML file, or the text of one.

    Raises
    ------
    VeilError
        It cannot be read, is not UTF-8 or is not TOML.
    """
    name = path_or_text.name if isinstance(path_or_text, Path) else "role file"
    try:
        text = path_or_text.read_text("utf-8") if isinstance(path_or_text, Path) else path_or_text
        return tomllib.loads(text), Origin(name, text)
    except FileNotFoundError:
        raise VeilError(f"{name} does not exist", "Create it or correct the name that points to it.") from None
    except (OSError, UnicodeDecodeError):
        raise VeilError(f"{name} cannot be read as UTF-8 text", "Check its permissions and its encoding.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        position = re.search(r"\(at [^)]*\)", str(error))
        raise VeilError(f"{name} is not valid TOML {position.group() if position else ''}".rstrip()) from None


def validated(model: type[_Model], document: dict[str, Any], origin: Origin) -> _Model:
    """Check a document against its schema.

    Raises
    ------
    VeilError
        The first thing that is wrong, with its place; the text never repeats the value.
    """
    try:
        return model.model_validate(document)
    except ValidationError as errors:
        found = errors.errors(include_url=False, include_context=False, include_input=False)
        # a misspelt key is missing under its right name too: what was written is what has to be corrected
        first = min(found, key=lambda error: error["type"] != "extra_forbidden")
        keys = first["loc"]
        if first["type"] == "extra_forbidden":
            raise VeilError(f"{origin.at(*keys)}: there is no such key", _meant(keys, found)) from None
        if first["type"] == "missing":
            raise VeilError(f"{origin.at(*keys)}: the key is missing", "Add it.") from None
        reason = first["msg"].removeprefix("Value error, ")
        raise VeilError(f"{origin.at(*keys)}: {reason}", "Correct the key or its value.") from None


def _meant(keys: tuple[str | int, ...], found: Sequence[ErrorDetails]) -> str:
    """Say which of the keys that are missing beside an unknown one may have been meant."""
    beside = [str(e["loc"][-1]) for e in found if e["type"] == "missing" and e["loc"][:-1] == keys[:-1]]
    close = get_close_matches(str(keys[-1]), beside, 1)
    return f"Write {close[0]}, if that is meant." if close else "Remove it, or correct its name."
