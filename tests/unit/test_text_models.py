"""The models find names that nobody told them, and leave medicine alone."""

from __future__ import annotations

import pytest

from veil.transforms.text import TextEngine, redact


@pytest.fixture(scope="module")
def engine() -> TextEngine:
    return TextEngine.load()


@pytest.mark.parametrize(
    "text",
    [
        "{} is a 58-year-old man who presents with a cough.",
        "I spoke with {} about the surgery.",
        "[doctor] so , {} , how are you feeling today ?",
    ],
)
@pytest.mark.parametrize(
    "name", ["Thandiwe Mokoena", "thandiwe mokoena", "THANDIWE MOKOENA", "Nguyen Thi Lan", "Greta Lindqvist"]
)
def test_a_name_is_found_in_any_case(engine: TextEngine, text: str, name: str) -> None:
    note = text.format(name)
    result = redact(note, engine.find(note), profile="safe_harbor")
    assert not any(part in result.lower() for part in name.lower().split() if len(part) > 3)


@pytest.mark.parametrize(
    "note", ["Allen presents today with a cough.", "Ms. Murphy is well.", "i spoke with jones about it."]
)
def test_a_person_with_the_name_of_an_eponym_is_a_person(engine: TextEngine, note: str) -> None:
    assert [span.kind for span in engine.find(note)] == ["NAME"]


def test_a_name_found_once_is_found_everywhere(engine: TextEngine) -> None:
    note = "Thandiwe Mokoena is a pleasant woman.\n\nPlan\n\nmokoena: rest."
    assert "okoena" not in redact(note, engine.find(note), profile="safe_harbor")


@pytest.mark.parametrize(
    "text",
    [
        "Positive Babinski and Chaddock signs; Gleason 3+4; Foley removed; Crohn's disease is stable on Humira.",
        "The patient denies chest pain, nausea, vomiting, and diarrhea. Continue lisinopril 20 mg daily.",
        "Bell's palsy, Graves disease, Smith fracture, negative Murphy sign.",
        "Potassium 4.2, creatinine 1500000, BP 142/91, EF 45%.",
    ],
)
def test_the_models_touch_no_medicine(engine: TextEngine, text: str) -> None:
    assert [text[span.start : span.end] for span in engine.find(text)] == []


def test_a_result_does_not_depend_on_other_notes(engine: TextEngine) -> None:
    notes = ["Greta Lindqvist came in with a cough. " * 20, "saw Thandiwe Mokoena", "x" * 700]
    together = engine.find_many(notes)
    assert together == [engine.find(note) for note in notes] == engine.find_many(notes[::-1])[::-1]


@pytest.mark.parametrize("text", ["", " \n\t ", "\u200b", "a" * 100_000, "1" * 10_000, "漢" * 2_000, "각" * 600])
def test_an_odd_note_finishes(engine: TextEngine, text: str) -> None:
    for span in engine.find(text):
        assert 0 <= span.start < span.end <= len(text)
