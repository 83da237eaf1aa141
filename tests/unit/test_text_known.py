"""Identifiers that are known are found however they are written."""

from __future__ import annotations

import pytest

from veil.contracts import KnownIdentifier
from veil.transforms.text import TextEngine, language, redact

KNOWN = [
    KnownIdentifier("NAME", "Margaret Ann O'Sullivan"),
    KnownIdentifier("NAME", "José Núñez", "relative"),
    KnownIdentifier("NAME", "Peter White", "practitioner"),
    KnownIdentifier("DATE", "1961-03-14"),
    KnownIdentifier("PHONE", "+1 617 555 0142"),
    KnownIdentifier("MRN", "A-481516"),
    KnownIdentifier("LOCATION", "12 Oak Street"),
    KnownIdentifier("LOCATION", "Springfield"),
]


@pytest.fixture(scope="module")
def engine() -> TextEngine:
    return TextEngine()


@pytest.mark.parametrize(
    "value",
    [
        "Margaret O'Sullivan",
        "MARGARET OSULLIVAN",
        "margaret o sullivan",
        "O’Sullivan, Margaret",
        "Margaret\nO'Sullivan",
        "O'Sulli-\nvan",
        "M. O'Sullivan",
        "Peggy",
        "Margret",
        "Margarte",
        "Osulivan",
        "Mar\u200bgaret",
        "Mаrgaret",
        "José Núñez",
        "Jose Nunez",
        "NUÑEZ",
        "dr. white",
        "mr . white",
        "hi white",
        "peter white",
        "031461",
        "14.03.1961",
        "3-14-61",
        "14 March 1961",
        "617-555-0142",
        "6175550142",
        "555-0142",
        "a481516",
        "A 481 516",
        "12 Oak St",
        "12 oak street",
        "springfield",
    ],
)
def test_a_known_identifier_is_covered(engine: TextEngine, value: str) -> None:
    text = f"today {value} was seen"
    start = text.index(value) + (value.index("white") if "white" in value else 0)
    covered = {index for span in engine.find(text, KNOWN) for index in range(span.start, span.end)}
    wanted = {index for index in range(start, text.index(value) + len(value)) if text[index].isalnum()}
    assert wanted <= covered


def test_an_ordinary_word_that_is_also_a_known_name_is_kept_as_a_word(engine: TextEngine) -> None:
    text = "The white count is 12.3 and the discharge was white."
    assert engine.find(text, KNOWN) == []


def test_a_known_identifier_beats_an_eponym(engine: TextEngine) -> None:
    text = "today foley and Parkinson came"
    known = [KnownIdentifier("NAME", "Ann Foley"), KnownIdentifier("NAME", "Bo Parkinson")]
    assert redact(text, engine.find(text, known), profile="safe_harbor") == "today [NAME] and [NAME] came"


def test_several_notes_are_read_each_with_its_own_identifiers(engine: TextEngine) -> None:
    texts = ["saw a rose quillby", "saw a rose quillby"]
    results = engine.find_many(texts, [[KnownIdentifier("NAME", "Ann Quillby")], []])
    assert [len(spans) for spans in results] == [1, 0]


def test_a_known_value_is_in_no_message(engine: TextEngine) -> None:
    spans = engine.find("today Margaret came", KNOWN)
    assert spans
    assert "Margaret" not in repr(spans)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "en"),
        ("Pt c/o SOB.", "en"),
        ("The patient was seen for a cough and has had a fever since the last visit.", "en"),
        (
            "La paciente acude a la consulta por un dolor en el abdomen que presenta desde hace dos días y sin fiebre.",
            "es",
        ),
        ("Der Patient wurde mit Fieber und Husten aufgenommen und ist nicht mehr in der Klinik auf der Station.", "de"),
        ("Potilas tuli eilen vastaanotolle, ja aviomies kertoo että kuume on jatkunut kolme päivää.", "und"),
        ("Patienten lades in i går med bröstsmärta, och hans fru berättar att han haft feber i tre dagar.", "und"),
        ("PACJENT ZGLOSIL SIE WCZORAJ Z BOLEM, A ZONA MOWI ZE OD TRZECH DNI NIE JADL PRAWIE NIC", "pl"),
        ("ASSESSMENT: STABLE ANGINA. CONTINUE METOPROLOL AND ASPIRIN DAILY, FOLLOW UP WITH CARDIOLOGY CLINIC", "en"),
        ("Пациент поступил в клинику с жалобами на кашель.", "und"),
    ],
)
def test_a_language_that_is_clearly_not_english_is_named(text: str, code: str) -> None:
    assert language(text) == code
