"""The files of a release for people: a CSV table, its metadata, and a page that needs nothing else to be read."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from veil.ledger import Block
from veil.privacy.load import Release
from veil.privacy.statement import statement
from veil.release_page import page


def write(folder: Path, release: Release, key: str, rows: Sequence[Mapping[str, Any]], blocks: Sequence[Block]) -> None:
    """Write ``numbers.csv``, ``metadata.json`` and ``index.html`` into a folder, all at once.

    A folder that is there stays as it is: a release is the same whenever it is asked for.

    Parameters
    ----------
    folder
        Where they are put; named after the key of the draw.
    release, key
        What was released, and the ledger's key.
    rows
        The published rows, in order.
    blocks
        The budgets that paid, after they did.
    """
    if folder.exists():
        return
    told = {**statement(release), "key": key, "title": release.spec.title, "recipients": release.spec.recipients}
    paid = [{"block": block.block_id, "cap": block.cap / 1e9, "spent": block.spent / 1e9} for block in blocks]
    making = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    making.mkdir(parents=True)
    try:
        (making / "numbers.csv").write_text(_csv(rows), encoding="utf-8")
        share = {"share_truncated": _truncated(release, rows)}
        metadata = {**told, **share, "declaration": json.loads(release.canonical), "budgets": paid}
        (making / "metadata.json").write_text(json.dumps(metadata, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        (making / "index.html").write_text(page(release, told, rows, paid), encoding="utf-8")
        os.rename(making, folder)
    except OSError:
        # of two that publish one draw the first counts: both hold the same numbers
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _truncated(release: Release, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give, by query, the share of units of whom its bounds left something out, where that was declared and paid."""
    of = {query.name: query.of for query in release.spec.queries if query.tells_truncation}
    return {
        str(of[row["query"]]): {name: row[name] for name in ("value", "low_95", "high_95")}
        for row in rows
        if row["query"] in of and row["statistic"] == "share"
    }


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, [name for name in rows[0] if name != "unit"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.15g}"
    # a key that begins like a formula would be run by a spreadsheet
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
