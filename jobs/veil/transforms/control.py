"""Control characters: UTF-16 that was read as UTF-8 has one between any two letters, where no name is found."""

from __future__ import annotations

import re

CONTROL = re.compile("[\\x00-\\x08\\x0e-\\x1f\\x7f\u202d\u202e\U000e0000-\U000e01ef]")
"""All but tabs and line ends; and what turns text around or writes it invisibly (Unicode tags)."""
