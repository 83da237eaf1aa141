"""What is published of a part says how many other parts of its whole are held: a slice, of its study."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any


class Wholes:
    """The staged rows of one subject, until all parts of every whole have been seen."""

    def __init__(self) -> None:
        self._parts: list[tuple[str | None, dict[str, Any], bool]] = []

    def add(self, whole: str | None, staged: dict[str, Any], *, is_held: bool) -> None:
        """Keep a row; `whole` is the reference to what it is part of, None for one that stands alone."""
        self._parts.append((whole, staged, is_held))

    def take(self) -> list[dict[str, Any]]:
        """Give the rows; one of a whole tells in its content how many parts were `received`, and `held` of them."""
        parts, self._parts = self._parts, []
        received = Counter(whole for whole, _, _ in parts)
        held = Counter(whole for whole, _, is_held in parts if is_held)
        for whole, staged, is_held in parts:
            if whole is not None and not is_held and staged.get("content"):
                told = {**json.loads(staged["content"]), "received": received[whole], "held": held[whole]}
                staged["content"] = json.dumps(told)
        return [staged for _, staged, _ in parts]
