"""How much of what medicine needs is left in notes after cleaning, and what was taken wrongly.

    python benchmarks/utility.py FOLDER ...

FOLDER holds CSV files with a column `note`, NDJSON files of DocumentReference with inline notes, or .txt files. Counted
are mentions of diagnoses, drugs, laboratory tests and procedures (`utility_terms.txt`), doses and other measurements,
scores and stages, and ages under 90; a mention is kept when no letter or digit of it was replaced. Each that was not is
listed with what found it.
"""

from __future__ import annotations

import base64
import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

TERMS = Path(__file__).with_name("utility_terms.txt")
NUMBERS = {
    "doses and measurements": r"\b\d+(?:[.,]\d+)? ?(?:mg|mcg|g|kg|ml|mL|units?|mmol/L|mg/dL|g/dL|mEq|mmHg|cm|mm|bpm|"
    r"%|lbs?|IU|pounds)(?!\w)",
    "blood pressures": r"\b\d{2,3}/\d{2,3}\b(?!/)",
    "scores and stages": r"\b(?:Gleason|Hunt and Hess|GCS|NYHA|ASA|APGAR|Mallampati|stage|grade|score(?: of)?|PHQ-9|"
    "MMSE)"
    r"(?: class| score| grade)?:? ?(?:[IV]{1,3}[ABC]?|\d{1,2}(?:[+/]\d{1,2})?)\b",
    "ages under 90": r"\b[1-8]?\d(?:[ -]years?[ -]old|[ -]?y/?o|[ -]year[ -]old)\b",
    "durations": r"\b\d{1,3} (?:days?|weeks?|months?|years?|hours?|minutes?)(?: ago)?\b",
}


def notes(folder: Path) -> Iterator[str]:
    """Yield the notes of a folder."""
    csv.field_size_limit(sys.maxsize)
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".txt":
            yield path.read_text("utf-8")
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as stream:
                yield from (row["note"] for row in csv.DictReader(stream) if row.get("note"))
        elif path.name.startswith("DocumentReference"):
            for line in path.read_text("utf-8").splitlines():
                for content in json.loads(line).get("content", ()):
                    if data := content["attachment"].get("data"):
                        yield base64.b64decode(data).decode("utf-8")


def main(folders: list[Path]) -> None:
    """Print the share that was kept by kind, and what was not."""
    from veil.modalities.text import engine

    words = [line for line in TERMS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    patterns = {"terms": rf"\b(?:{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})s?\b", **NUMBERS}
    compiled = {
        kind: re.compile(pattern, re.IGNORECASE if kind == "terms" else 0) for kind, pattern in patterns.items()
    }
    seen, kept, lost = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for note in (note for folder in folders for note in notes(folder)):
        spans = engine().find(note)
        for kind, pattern in compiled.items():
            for match in pattern.finditer(note):
                over = [span for span in spans if span.start < match.end() and match.start() < span.end]
                seen[kind] += 1
                kept[kind] += not over
                lost.update((match[0].lower(), span.rule) for span in over)
    for kind in patterns:
        print(f"{kind:24} {seen[kind]:>7} mentions, {kept[kind] / max(1, seen[kind]):.4f} kept")
    print(f"{'all':24} {seen.total():>7} mentions, {kept.total() / max(1, seen.total()):.4f} kept")
    for (mention, rule), number in lost.most_common():
        print(f"  {number:>5}  {mention!r} by {rule}")


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
