"""What holds for every text."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veil.contracts import KnownIdentifier
from veil.transforms.text import TextEngine, language, redact
from veil.transforms.text.rules import dates

ENGINE = TextEngine()
KNOWN = [KnownIdentifier("NAME", "Katarzyna Wiśniewska"), KnownIdentifier("PHONE", "617-555-0142")]
FRAGMENTS = st.sampled_from(
    [
        "Katarzyna",
        "wisniewska",
        "617 555 0142",
        "3/14/2021",
        "March 5, 2022",
        "93-year-old",
        "MRN 481516",
        "a@b.org",
        "the patient has",
        "12 Oak St",
        "[NAME]",
        "\n",
        ", ",
        "500 mg",
        "Dr. Okonkwo",
        "é\u0301",
        "\u200b",
        "ﬁ",
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(FRAGMENTS, max_size=12).map(" ".join))


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_spans_are_sorted_disjoint_trimmed_and_inside(text: str) -> None:
    end = 0
    for span in ENGINE.find(text, KNOWN):
        assert end <= span.start < span.end <= len(text)
        value = text[span.start : span.end]
        assert value == value.strip()
        end = span.end


@settings(max_examples=200, deadline=None)
@given(st.lists(FRAGMENTS, max_size=12).map(" . ".join))
def test_a_second_pass_changes_nothing(text: str) -> None:
    once = redact(text, ENGINE.find(text, KNOWN), profile="safe_harbor")
    assert redact(once, ENGINE.find(once, KNOWN), profile="safe_harbor") == once


@settings(max_examples=200, deadline=None)
@given(
    st.lists(FRAGMENTS, max_size=12).map(" . ".join),
    st.sampled_from(["Katarzyna", "WISNIEWSKA", "(617) 555-0142", "katarzina"]),
)
def test_a_known_identifier_never_survives(text: str, value: str) -> None:
    note = f"{text} . {value} . {text}"
    result = redact(note, ENGINE.find(note, KNOWN), profile="safe_harbor").lower()
    assert value.lower() not in result


FORMATS = ["%Y-%m-%d", "%m/%d/%Y", "%B %d, %Y", "%d-%b-%Y", "%d %B %Y", "%A, %B %d, %Y", "%Y%m%d"]


@given(st.dates(date(1940, 1, 1), date(2035, 1, 1)), st.integers(-365, 365), st.sampled_from(FORMATS))
def test_a_shift_is_undone_by_its_opposite(day: date, days: int, form: str) -> None:
    written = dates.parse(day.strftime(form))
    assert written is not None
    back = dates.parse(written.shifted(days))
    assert back is not None
    assert (back.day - day).days == days
    assert dates.parse(back.shifted(-days)).day == day  # type: ignore[union-attr]


@given(st.text(max_size=500))
def test_a_language_is_always_named(text: str) -> None:
    assert language(text) in {"en", "es", "fr", "de", "pt", "it", "nl", "pl", "und"}


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1",
        "1 ",
        "1-",
        "a.",
        "A ",
        "Aa ",
        "a@",
        "1/",
        "(",
        " ",
        "\n",
        "1.",
        "ab1-",
        "12 Aa ",
        "March ",
        "12 a b c d ",
        "::",
        "name: A ",
        "\u0301",
        "St. A ",
    ],
)
def test_a_note_of_one_repeated_unit_takes_linear_time(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    start = time.process_time()
    ENGINE.find(text, KNOWN)
    assert time.process_time() - start < 4


def test_a_megabyte_finishes() -> None:
    text = "The patient was seen on 3/14/2021 by Dr. Okonkwo, MRN 481516, and has improved since then.\n" * 11_000
    start = time.process_time()
    assert ENGINE.find(text[:1_000_000], KNOWN)
    assert time.process_time() - start < 20
