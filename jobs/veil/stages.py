"""What every stage has in common: settings, store, lake, an attempt that fences the one before it, and its receipt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from veil import session
from veil.control import Store, attempts, receipts
from veil.control.attempts import Attempt
from veil.lake import Lake, Write
from veil.settings import Settings
from veil.version import code_version


@dataclass(frozen=True, slots=True)
class Job:
    """A stage at work on a unit: what it reads and writes with, and what its receipt will say."""

    settings: Settings
    store: Store
    lake: Lake
    attempt: Attempt
    receipt_id: str
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def write(self) -> Write:
        """What fences this attempt's writes and names its receipt."""
        scope = f"{self.attempt.stage}/{self.attempt.unit_id}/{self.attempt.product}"
        return Write(scope, self.attempt.number, self.receipt_id)


@contextmanager
def job(settings: Settings, store: Store, stage: str, unit_id: str, run_key: str, product: str = "") -> Iterator[Job]:
    """Run a block as one attempt of a stage on a unit.

    Runs take turns at a unit of a product. What an earlier attempt left running is interrupted first. When the block
    ends, `figures` becomes the body of the receipt; when it raises, the attempt has failed and there is no receipt.
    """
    with attempts.locked(store, f"unit/{unit_id}/{product}", f"{run_key}/{stage}"):
        attempt = attempts.begin(store, stage, unit_id, product, run_key)
        for number in attempt.unfinished:
            session.interrupt(session.session_id(stage, unit_id, product, number))
        connect_id = session.session_id(stage, unit_id, product, attempt.number)
        spark = session.open_session(f"veil {stage}", connect_id)
        work = Job(settings, store, Lake(spark, settings.lake), attempt, receipts.new_id())
        try:
            yield work
            receipts.close(store, attempt, {**work.figures, "code": code_version()}, work.receipt_id)
        except BaseException:
            attempts.fail(store, attempt)
            raise
        finally:
            work.lake.discard(work.write)
            session.release(spark)
