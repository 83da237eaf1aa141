"""`veil evaluate`: how much of what identifies people is found in texts that somebody has labelled."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@click.argument("gold", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--modality", type=click.Choice(["text", "dicom"]), required=True)
@click.option("--language", type=click.Choice(["en", "es"]), default="en", show_default=True)
@click.option("--json", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write the scores here too.")
def evaluate(gold: Path, modality: str, language: str, target: Path | None) -> None:
    """Measure what becomes of the labelled documents, or DICOM objects, of the folder GOLD.

    The scores hold counts alone, so that they can be passed on.
    """
    if target is not None and not target.parent.is_dir():
        raise click.BadParameter(f"the folder {target.parent} does not exist", param_hint="--json")
    scores = _dicom(gold) if modality == "dicom" else _text(gold, language)
    if target is not None:
        target.write_text(json.dumps(scores, indent=1) + "\n")


def _text(gold: Path, language: str) -> dict[str, Any]:
    from rich.console import Console

    from veil.evaluation import read_gold, score
    from veil.modalities.text import engine

    documents = list(read_gold(gold))
    reader = engine(language)
    reader.find("Loads the models, so that they are not part of what is timed.")
    scores = score(documents, reader.find).as_json()
    console = Console(width=100)
    for table in (_recall("Recall", scores["recall"]), _recall("By group", scores["recall_of_names_by_group"])):
        if table.row_count:
            console.print(table)
    negative = scores["hard_negatives"]
    console.print(
        f"{scores['documents']} documents, {scores['characters_per_second']:,.0f} characters/s on one thread\n"
        f"Precision {_share(scores['precision'])}. Of {negative['documents']} documents without an identifier "
        f"{negative['touched']} were touched"
    )
    return scores


def _dicom(gold: Path) -> dict[str, Any]:
    from rich.console import Console
    from rich.table import Table

    from veil.errors import VeilError
    from veil.evaluation.dicom import score_dicom
    from veil.evaluation.dicom_key import read_boxes, read_key
    from veil.files import policy_of
    from veil.modalities.dicom import transform

    answers, boxes = read_key(gold), read_boxes(gold)
    if not answers and not boxes:
        raise VeilError(f"{gold} holds neither an answer key nor boxes.json", "docs/dicom.md says what they look like")
    scores = score_dicom(
        gold, answers, boxes, transform(policy_of("expert", heads="publish"), date.today().year)
    ).as_json()
    table = Table(title="Checks", title_justify="left")
    for column in ("action", "passed", "made"):
        table.add_column(column, justify="left" if column == "action" else "right")
    for action, count in scores["actions"].items():
        table.add_row(action, str(count["passed"]), str(count["made"]))
    for size, count in scores["burned_in_text"].items():
        table.add_row(f"burned-in text covered, {size}", str(count["covered"]), str(count["labelled"]))
    console = Console(width=100)
    console.print(table)
    for reason, count in scores["held"].items():
        console.print(f"held {count}: {reason}")
    score = "no checks" if scores["score"] is None else f"score {scores['score']:.4%}"
    console.print(f"{scores['objects']} objects, {scores['objects_per_second']} a second on one thread, {score}")
    return scores


def _recall(title: str, rates: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("kind")
    for column in ("labelled", "full span", "any overlap"):
        table.add_column(column, justify="right")
    for name, each in rates.items():
        table.add_row(name, str(each["labelled"]), _share(each["full_span"]), _share(each["any_overlap"]))
    return table


def _share(share: float | None) -> str:
    """Write a share; of nothing there is none."""
    return "n/a" if share is None else f"{share:.3f}"
