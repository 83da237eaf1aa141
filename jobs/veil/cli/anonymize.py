"""`veil anonymize`: clean a folder of files on this machine, without Spark and Airflow."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from veil.files.sources import Skipped

_NOUNS = {"text": "notes", "tabular": "records", "dicom": "objects"}


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--modality", type=click.Choice(["text", "tabular", "dicom"]), required=True)
@click.option("--profile", type=click.Choice(["safe_harbor", "expert"]), default="safe_harbor", show_default=True)
@click.option("--names", type=click.Choice(["tags", "surrogates"]), default="tags", show_default=True)
@click.option("--heads", type=click.Choice(["hold", "publish"]), default="hold", show_default=True)
@click.option("--known", type=click.Path(path_type=Path), help="CSV of identifiers: place,kind,value[,role].")
@click.option("--map", "mapping", type=click.Path(path_type=Path), help="Write what leads back here. Restricted.")
def anonymize(
    source: Path,
    target: Path,
    modality: str,
    profile: str,
    names: str,
    heads: str,
    known: Path | None,
    mapping: Path | None,
) -> None:
    """Clean the files of MODALITY in the folder IN into the new folder OUT.

    No gate looks at the result. What is skipped is listed with a reason, and the exit status is then 1.
    """
    from veil.files import Known, anonymize_folder, read_known

    given = read_known(known) if known is not None else Known()
    invents = names == "surrogates"
    summary = anonymize_folder(
        source, target, modality, profile, given, mapping, surrogates=invents, heads=heads, progress=_progress
    )
    _list(summary.skipped)
    click.echo(f"{summary.written} {_NOUNS[modality]} written to {target}, {len(summary.skipped)} skipped")
    for whole in summary.incomplete:
        click.echo(f"incomplete  study of {whole.name}: {whole.written} written, {whole.held} skipped", err=True)
    for kind, count in sorted(summary.findings.items()):
        click.echo(f"{count:>8}  {kind}")
    if summary.dropped:
        click.echo(f"{sum(summary.dropped.values()):>8}  fields that the policy does not name, dropped")
    if not summary.written and not summary.skipped:
        click.echo(f"There is nothing in {source}: give the folder that holds the files", err=True)
    if summary.skipped or not summary.written:
        sys.exit(1)


def _list(skipped: list[Skipped]) -> None:
    """Print what was skipped, once for each file and reason."""
    first: dict[tuple[str, str], Skipped] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for each in skipped:
        counts[each.name, each.reason] += 1
        first.setdefault((each.name, each.reason), each)
    for key, each in first.items():
        more = f" and {counts[key] - 1} more" if counts[key] > 1 else ""
        click.echo(f"skipped  {each.name} @ {each.position}{more}: {each.reason}", err=True)


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty() or done == of or done % 100 == 0:
        click.echo(f"\r{done} of {of} files", nl=done == of or not sys.stderr.isatty(), err=True)
