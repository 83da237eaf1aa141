"""What stands in notes as people and systems write them: markup, labels, tables, odd dates, ages and places."""

from __future__ import annotations

import unicodedata

import pytest

from veil.contracts import KnownIdentifier, SurrogateSeed
from veil.modalities.text import engine
from veil.transforms.text import redact

LONG = KnownIdentifier("NAME", "Mary Long")
THANH = KnownIdentifier("NAME", "Thanh Do")


def cleaned(text: str, profile: str = "safe_harbor", offset_days: int = 0) -> str:
    spans = engine().find(text, [LONG])
    return redact(text, spans, profile=profile, offset_days=offset_days)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("<b>Name</b>Oyelaran<b>DOB</b>03/14/1952<b>SSN</b>512-44-1188", ["Oyelaran", "03/14", "512-44"]),
        ("<b>Oyelaran</b><i>Zbigniew</i> was seen.", ["Oyelaran", "Zbigniew"]),
        (r"{\rtf1\ansi Patient\tab Oyelaran\cell DOB\cell 03/14/1952\row}", ["Oyelaran", "03/14"]),
        (r"Patient\nOyelaran\nDOB\n03/14/1952", ["Oyelaran", "03/14"]),
        ("PATIENT: LONG here. Patient: Long.", ["LONG", "Long"]),
        ("Surgeon: Young\ncc: J. Cook\nName:\nYoung\nPatient: Young", ["Young", "Cook"]),
        ("Surgeon: Y. Wu, MD and T. Long, PA-C", ["Wu", "Long"]),
        ("Mr.Young called. Seen by mr young.", ["Young", "young"]),
        ("STONE, M", ["STONE"]),
        ("pt from Pittsburgh, retired. Transferred from Cincinnati.", ["Pittsburgh", "Cincinnati"]),
        ("TRANSFERRED FROM DULUTH, MN. He resides in boston with dtr", ["DULUTH", "boston"]),
        ("413•555•0189, 413·555·0180, x617-555-0199, pgr 2213, ext. 5-4471", ["555", "2213", "4471"]),
    ],
)
def test_what_names_somebody_goes(text: str, gone: list[str]) -> None:
    told = cleaned(text)
    assert [value for value in gone if value in told] == []


@pytest.mark.parametrize(
    "text",
    [
        *("94yF here", "92m w/ chf", "94 WF", "94 (ninety-four) year old", "93.5 yo", "Age: ninety-four"),
        *(
            "at the age of ninety four",
            "father: 94, A&W",
            "She was 92 when she fell",
            "Dx at 92",
            "Age at diagnosis: 92",
        ),
        "between 91 and 95 years old",
    ],
)
def test_an_age_over_89_is_grouped(text: str) -> None:
    told = cleaned(text)
    assert "90+" in told
    assert not any(age in told.split("(")[0].replace("90+", "") for age in ("91", "92", "93", "94", "95", "ninety"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("DOB 3 14 52", "DOB [DATE]"),
        ("DOB: 031452", "DOB: [DATE]"),
        ("Seen 03/ 14/2024", "Seen 2024"),
        ("14. 3. 2024", "2024"),
        ("Febuary 3, 2024", "2024"),
        ("Seen 2/30/24", "Seen [DATE]"),
        ("3/14pm", "[DATE]pm"),
        ("2024/09", "2024"),
        ("Mar.14,2024", "2024"),
        ("DOB_03/14/1952", "DOB_1952"),
    ],
)
def test_a_date_that_no_calendar_would_write_leaves_its_year_at_most(text: str, left: str) -> None:
    assert cleaned(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "pH 7.32/48/88/24, seen today",
        "BiPAP 12/5. PS 10/5. L 4/5; grip 4/5. HAS-BLED 3/9, Alvarado 7/10",
        "viral load was 1250000",
        "AAOx3, Ted hose, Western Blot, Harris hip score, Barthel Index, Katz ADL, Jackson-Pratt",
        "Patient: Stable.",
    ],
)
def test_what_medicine_needs_stays(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("Admitted 05/04/2024, discharged 13/04/2024.", "Admitted 27/02/2024, discharged 06/03/2024."),
        ("Admitted 04/05/2024, discharged 04/13/2024.", "Admitted 02/27/2024, discharged 03/06/2024."),
        ("DOB (mm/dd/yyyy): 03/14/1940", "DOB (mm/dd/yyyy): 1940"),
        ("birthday is 3/14/1940", "birthday is 1940"),
    ],
)
def test_expert_reads_the_dates_of_a_note_in_one_order_and_births_by_year(text: str, moved: str) -> None:
    assert cleaned(text, "expert", -38) == moved


def test_a_name_that_is_a_degree_too_is_replaced_and_no_accent_is_left_beside_another_letter() -> None:
    text = unicodedata.normalize("NFD", "Thanh Do was seen by José García-López, DO.")
    drawn = redact(text, engine().find(text, [THANH]), profile="safe_harbor", surrogates=SurrogateSeed(bytes(32)))
    assert " Do " not in drawn
    assert drawn == unicodedata.normalize("NFC", drawn)
