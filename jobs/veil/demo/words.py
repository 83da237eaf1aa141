"""The demo's word lists: TOML files beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def words(name: str) -> Mapping[str, Any]:
    """Read the word list `name`, once.

    Parameters
    ----------
    name
        The file's name without its suffix: ``names``, ``places``, ``clinic`` or ``notes``.

    Returns
    -------
    Mapping[str, Any]
        The parsed file. It is shared: treat it as read-only.
    """
    return tomllib.loads(files("veil.demo").joinpath(f"{name}.toml").read_text("utf-8"))
