"""A known identifier and its usual spellings meet in a token; everyday language does not."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veil.contracts import Kind
from veil.detect.tokens import known_tokens, tokens

SPELLINGS: list[tuple[Kind, str, list[str]]] = [
    (
        "NAME",
        "Maria del Carmen Ortiz",
        ["Maria Ortiz", "ORTIZ, MARIA", "Maria C. Ortiz", "Maria del Carmen Ortiz", "ortiz^maria"],
    ),
    ("NAME", "Seán O'Brien", ["Sean O'Brien", "SEÁN O’BRIEN", "O'Brien, Sean", "sean_obrien"]),
    ("NAME", "Anna Müller-Lüdenscheidt", ["Anna Muller", "Muller-Ludenscheidt", "Anna Müller"]),
    ("NAME", "Carolee951 Sanford861", ["Carolee951 Sanford861", "Carolee Sanford"]),
    ("PHONE", "617-555-0182", ["(617) 555-0182", "+1 617.555.0182", "6175550182", "16175550182", "617 555 0182"]),
    ("FAX", "+1 (617) 555-0182", ["617-555-0182", "1-617-555-0182"]),
    ("SSN", "123-45-6789", ["123456789", "123 45 6789", "123-45-6789"]),
    ("MRN", "A12-345-678", ["A12345678", "a12-345-678", "A12.345.678"]),
    ("EMAIL", "Maria.Ortiz@Example.org", ["<maria.ortiz@example.org>", "MARIA.ORTIZ@EXAMPLE.ORG"]),
    ("URL", "https://www.example.org/maria/", ["example.org/maria", "http://example.org/maria."]),
    ("IP", "192.0.2.44", ["192.0.2.44"]),
    ("LOCATION", "1427 Elmhurst Ave", ["1427 Elmhurst Avenue", "1427 ELMHURST AVE.", "1427 N. Elmhurst Ave"]),
    (
        "DATE",
        "1962-03-04",
        ["3/4/1962", "03/04/62", "March 4, 1962", "4 Mar 1962", "19620304", "04-MAR-1962", "1962-03-04T00:00"],
    ),
    ("ORGANIZATION", "Mercy General Hospital", ["Mercy General Hospital", "MERCY GENERAL HOSPITAL"]),
]


@pytest.mark.parametrize(
    ("kind", "value", "written"), [(kind, value, form) for kind, value, forms in SPELLINGS for form in forms]
)
def test_a_known_value_is_found_in_its_usual_spellings(kind: Kind, value: str, written: str) -> None:
    assert known_tokens(kind, value) & tokens(f"It was noted that {written} is on file, 3 of 4 times.")


@pytest.mark.parametrize(
    ("kind", "value"),
    [("NAME", "May Li"), ("NAME", "Grace Johnson"), ("NAME", "Hope Parkinson"), ("MRN", "1234"), ("LOCATION", "02134")],
)
def test_everyday_language_holds_no_known_value(kind: Kind, value: str) -> None:
    note = "Parkinson disease. Johnson vaccine in May; grace and hope. 1234 steps, 02134, patient walker, BP 120/80."
    assert not known_tokens(kind, value) & tokens(note)


@given(st.dates(date(1910, 1, 1), date(2024, 12, 31)))
def test_every_date_is_found_in_every_format(day: date) -> None:
    known = known_tokens("DATE", day.isoformat())
    for form in ("%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%B %d, %Y", "%d %b %Y", "%m/%d/%y", "%Y%m%d", "%d.%m.%Y"):
        assert known & tokens(f"born {day.strftime(form)} at term")


@given(st.from_regex(r"[2-9]\d\d[2-9]\d{6}", fullmatch=True))
def test_every_phone_is_found_in_every_format(digits: str) -> None:
    area, exchange, line = digits[:3], digits[3:6], digits[6:]
    known = known_tokens("PHONE", f"({area}) {exchange}-{line}")
    for form in (digits, f"{area}-{exchange}-{line}", f"{area}.{exchange}.{line}", f"+1 {area} {exchange} {line}"):
        assert known & tokens(f"call {form}, or 911")


LETTERS = st.text("abcdefghijklmnoprstuvwyzáéíñöü", min_size=2, max_size=10)


@given(LETTERS, LETTERS)
def test_every_two_part_name_is_found_in_every_order_and_case(given_name: str, family: str) -> None:
    known = known_tokens("NAME", f"{given_name.title()} {family.title()}")
    for form in (f"{given_name} {family}", f"{family}, {given_name}", f"{given_name.upper()} {family.upper()}"):
        assert known & tokens(f"note: {form}; end") or not known


@given(st.text(max_size=300))
def test_any_text_has_tokens_without_an_error(text: str) -> None:
    tokens(text)
    known_tokens("NAME", text)
    known_tokens("LOCATION", text)
