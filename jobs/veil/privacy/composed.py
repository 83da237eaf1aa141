"""What the draws that one budget has paid for give away together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from veil.ledger import Block, Entry
from veil.privacy.accounting import Draw, epsilon, pld_epsilon
from veil.privacy.statement import in_words, upwards

_DELTA = 1e-6
"""Delta of the statement of a budget, beside what selected keys have cost."""


def composed(block: Block, entries: Sequence[Entry]) -> dict[str, Any]:
    """State (epsilon, delta) of a budget by PLD over its mechanisms, the zCDP sum beside it, and both in words."""
    rho, aside = block.spent / 1e9, block.spent_delta / 1e15
    draws = [Draw(*draw) for entry in entries for draw in entry.draws]
    said = {
        "block": block.block_id,
        "privacy_unit": block.unit,
        "draws": len(entries),
        "rho": rho,
        "delta": _DELTA + aside,
        "epsilon": upwards(min(pld_epsilon(draws, _DELTA), epsilon(rho, _DELTA))) if draws else 0.0,
        "epsilon_zcdp": upwards(epsilon(rho, _DELTA)) if rho else 0.0,
    }
    return {**said, "words": in_words(said)}
