"""Control characters: UTF-16 that was read as UTF-8 has one between any two letters, where no name is found."""

from __future__ import annotations

import re

CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
"""All but tabs and line ends."""
