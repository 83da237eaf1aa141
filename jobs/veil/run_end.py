"""Ending a run: the closing scan, its result in the control store, and the report."""

from __future__ import annotations

from veil.closing import closing_scan
from veil.control import Store, registry
from veil.printing import as_text
from veil.report import report
from veil.settings import Settings


def close_run(settings: Settings, store: Store, run_key: str) -> tuple[str, list[str]]:
    """Search what the run wrote, end it, and give the printed report and what somebody has to act on."""
    registry.finish_run(store, run_key, closing_scan(settings, store, run_key))
    made = report(store, run_key)
    return as_text(made), made.problems
