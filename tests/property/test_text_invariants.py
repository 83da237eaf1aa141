"""What holds for every text."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veil.contracts import KnownIdentifier, SurrogateSeed
from veil.transforms.text import TextEngine, language, redact
from veil.transforms.text.rules import dates
from veil.transforms.text.surrogates import surrogate

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
        "&nbsp;",
        "<b>",
        "J0hn",
        "march third",
        "six one seven five five five zero one four two",
        "(415) 555-0123",
        "Washington, TYRELL",
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
@given(TEXTS)
def test_no_word_is_cut_in_two_and_what_is_not_found_stays(text: str) -> None:
    spans = ENGINE.find(text, KNOWN)
    for span in spans:
        for edge in (span.start, span.end):
            before, after = text[max(0, edge - 1) : edge], text[edge : edge + 1]
            assert not (before.isascii() and before.isalpha() and after.isascii() and after.isalpha())
    edges = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    kept = "".join(text[a:b] for a, b in list(pairwise(edges))[::2])
    cleaned = redact(text, [replace(span, kind="ID") for span in spans], profile="safe_harbor")
    assert cleaned.replace("[ID]", "") == kept.replace("[ID]", "")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(FRAGMENTS, max_size=12).map(" . ".join),
    st.lists(FRAGMENTS, max_size=12).map(" . ".join),
    st.binary(min_size=32, max_size=32),
)
def test_surrogates_agree_between_documents_and_a_second_pass_changes_nothing(one: str, two: str, key: bytes) -> None:
    seed = SurrogateSeed(key)
    whole = f"{one} . {two}"
    apart = [redact(text, ENGINE.find(text, KNOWN), profile="expert", surrogates=seed) for text in (one, two)]
    for text, clean in zip((one, two), apart, strict=True):
        assert "Katarzyna" not in clean
        assert ("Katarzyna" in text) == (surrogate("Katarzyna", seed) in clean)
    once = redact(whole, ENGINE.find(whole, KNOWN), profile="expert", surrogates=seed)
    assert redact(once, ENGINE.find(once, KNOWN), profile="expert", surrogates=seed) == once


@settings(max_examples=200, deadline=None)
@given(
    st.dates(date(1900, 1, 1), date(2090, 1, 1)), st.dates(date(1900, 1, 1), date(2090, 1, 1)), st.integers(-365, 365)
)
def test_days_between_dates_are_kept_under_the_expert_profile(first: date, second: date, offset: int) -> None:
    text = f"Admitted {first:%m/%d/%Y}, discharged {second:%B %d, %Y}."
    moved = redact(text, ENGINE.find(text), profile="expert", offset_days=offset)
    found = [written.day for span in ENGINE.find(moved) if (written := dates.parse(moved[span.start : span.end]))]
    assert len(found) == 2
    assert found[1] - found[0] == second - first


@settings(max_examples=200, deadline=None)
@given(
    st.dates(date(1900, 1, 1), date(2090, 1, 1)),
    st.sampled_from(["%m/%d/%Y", "%B %d, %Y", "%d %b %Y", "%Y-%m-%d", "%B %Y", "%m/%Y"]),
)
def test_no_date_is_finer_than_a_year_under_safe_harbor(day: date, form: str) -> None:
    text = f"Seen on {day.strftime(form)} and doing well."
    cleaned = redact(text, ENGINE.find(text), profile="safe_harbor")
    assert re.fullmatch(r"Seen on (?:\d{4}|\[DATE\]) and doing well\.", cleaned)


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
