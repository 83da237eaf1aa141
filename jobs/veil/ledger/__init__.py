"""The ledger: no number is drawn before its blocks have paid, and none is ever drawn twice for one key.

RESERVED (charged, in one transaction with the check) → the noise is drawn → DRAWN (the numbers themselves, first
writer wins) → PUBLISHED. A crash while RESERVED draws again without a charge: nobody saw the first noise. A crash
after DRAWN publishes what is stored. A refusal costs nothing and is kept. Every step is an event of a hash chain.
"""

from veil.ledger.authority import approve, raise_cap
from veil.ledger.chain import Event, events, verify
from veil.ledger.spending import Charge, drawn, is_paid, keep_drawn, mark_published, release_key, reserve
from veil.ledger.views import Block, Entry, block, blocks, entries, entry

__all__ = [
    "Block",
    "Charge",
    "Entry",
    "Event",
    "approve",
    "block",
    "blocks",
    "drawn",
    "entries",
    "entry",
    "events",
    "is_paid",
    "keep_drawn",
    "mark_published",
    "raise_cap",
    "release_key",
    "reserve",
    "verify",
]
