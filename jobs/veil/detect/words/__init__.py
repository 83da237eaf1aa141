"""Word lists of the gate's own, and the safe words it borrows: both are data, loaded once per process."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path


@cache
def everyday() -> frozenset[str]:
    """English and clinical words that are not taken for a name when they stand alone.

    Returns
    -------
    frozenset of str
        Lower-case words: philter-lite's words that are no name, and eponyms of clinical language.
    """
    # importing the package, or parsing all 5.5 MB as TOML, takes seconds; each line is an array of JSON strings
    path = Path(str(distribution("philter-lite").locate_file("philter_lite/filters/set.toml")))
    with path.open(encoding="utf-8") as lines:
        line = next(line for line in lines if line.startswith("nonames"))
    words = json.loads(line.partition("=")[2].rstrip().removesuffix("]").rstrip().removesuffix(",") + "]")
    return frozenset(words) | _own("eponyms.txt")


@cache
def never_after_title() -> frozenset[str]:
    """Words that follow "Dr." or "Ms." in clean notes and name nobody."""
    return _own("after_title.txt")


def _own(name: str) -> frozenset[str]:
    text = files(__name__).joinpath(name).read_text(encoding="utf-8")
    return frozenset(text.split())
