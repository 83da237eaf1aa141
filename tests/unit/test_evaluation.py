"""Scores of detection: what labelled files say, and what counts as found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from veil.cli import veil
from veil.contracts import Span
from veil.errors import VeilError
from veil.evaluation import Document, GoldSpan, read_gold, score

TEXT = "Seen by Dr. Ana Ruiz on 03/04/2021."


def finder(*ranges: tuple[int, int]) -> object:
    return lambda _text: [Span(start, end, "NAME", "test", "test") for start, end in ranges]


def test_every_form_of_labels_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "a.ann").write_text("T1\tDOCTOR 12 20\tAna Ruiz\nT2\tDATE 24 34\t03/04/2021\nA1\tNegated T1\n")
    spans = [{"entity_type": "PERSON", "entity_value": "Ana Ruiz", "start_position": 12, "end_position": 20}]
    (tmp_path / "b.json").write_text(json.dumps([{"full_text": TEXT, "spans": spans}]))
    (tmp_path / "c.csv").write_text(f'text,names,group\n"{TEXT}",Ana Ruiz,hispanic\n"No name.",,\n')
    brat, presidio, names, negative = read_gold(tmp_path)
    assert brat.spans == (GoldSpan(12, 20, "NAME"), GoldSpan(24, 34, "DATE"))
    assert presidio.spans == (GoldSpan(12, 20, "NAME"),)
    assert names.spans == (GoldSpan(12, 20, "NAME", "hispanic"),)
    assert negative.spans == ()


@pytest.mark.parametrize(
    ("label", "value"), [("AGE", "45-year-old"), ("DATE", "2021"), ("NRP", "Catholic"), ("PERSON", "Dr.")]
)
def test_what_the_rule_lets_stay_is_no_label(tmp_path: Path, label: str, value: str) -> None:
    (tmp_path / "a.txt").write_text(value)
    (tmp_path / "a.ann").write_text(f"T1\t{label} 0 {len(value)}\t{value}\n")
    (document,) = read_gold(tmp_path)
    assert document.spans == ()


@pytest.mark.parametrize(
    ("ranges", "full", "touched"),
    [([(12, 20)], 1, 1), ([(12, 15), (16, 20)], 1, 1), ([(8, 20)], 1, 1), ([(12, 15)], 0, 1), ([(0, 4)], 0, 0)],
)
def test_a_name_is_found_whole_when_all_but_its_title_is_covered(
    ranges: list[tuple[int, int]], full: int, touched: int
) -> None:
    scores = score([Document(TEXT, (GoldSpan(8, 20, "NAME", "hispanic"),))], finder(*ranges)).as_json()  # type: ignore[arg-type]
    for recall in (scores["recall"]["NAME"], scores["recall"]["all"], scores["recall_of_names_by_group"]["hispanic"]):
        assert (recall["labelled"], recall["full_span"], recall["any_overlap"]) == (1, full, touched)


def test_a_finding_in_a_text_without_labels_is_over_redaction() -> None:
    documents = [Document(TEXT, ()), Document(TEXT, (GoldSpan(12, 20, "NAME"),))]
    scores = score(documents, finder((12, 20))).as_json()  # type: ignore[arg-type]
    assert scores["precision"] == 0.5
    assert scores["hard_negatives"] == {"documents": 1, "touched": 1, "by_kind": {"NAME": 1}}


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.ann", "T1\tDATE 0 4\tx\n"), ("a.json", '[{"full_text": "Vasterby"}]'), ("a.csv", "texts\nVasterby\n")],
)
def test_a_wrong_file_is_named_and_not_quoted(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(VeilError, match=name) as raised:
        list(read_gold(tmp_path))
    assert "Vasterby" not in str(raised.value)


def test_the_command_prints_a_table_and_writes_counts_alone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,names,group\n"Mr. Thandiwe Vasterby has a cough.",Thandiwe Vasterby,a\n')
    target = tmp_path / "scores.json"
    done = CliRunner().invoke(veil, ["evaluate", "--modality", "text", "--json", str(target), str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "full span" in done.output
    assert json.loads(target.read_text())["recall"]["NAME"]["full_span"] == 1.0
    assert "Vasterby" not in target.read_text() + done.output


def test_a_folder_without_labels_is_an_error_that_says_what_it_takes(tmp_path: Path) -> None:
    with pytest.raises(VeilError, match="brat"):
        list(read_gold(tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.ann", "T1\tNAME 0 3\tAna\n", "has no text beside it"),
        ("b.csv", "text,names\n", "has no rows"),
        ("b.csv", "text,names\nAna\n", "its name promises"),
        ("b.csv", 'text,names\n"Ana,Ana\n', "its name promises"),
        ("b.csv", "text,names\nAna,Ana,x,y\n", "more values than columns"),
        ("b.json", "[{}]", "its name promises"),
        ("b.json", "{", "its name promises"),
    ],
)
def test_gold_that_is_none_is_told_with_what_it_should_be(name: str, content: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(VeilError, match=told) as caught:
        list(read_gold(tmp_path))
    assert caught.value.fix


def test_a_line_that_is_no_annotation_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "a.ann").write_text("NAME 12 20 Ana Ruiz\n\ngarbage\n")
    with pytest.raises(VeilError, match=r"a.ann, line 3: it is no annotation of brat|line 1"):
        list(read_gold(tmp_path))
