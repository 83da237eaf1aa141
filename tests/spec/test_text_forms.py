"""Forms that notes are full of: what has to go, and what has to stay."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest

from veil import modalities
from veil.contracts import Item, KnownIdentifier, Profile, Unpublishable
from veil.files import policy_of
from veil.modalities.text import engine
from veil.transforms.text import redact

OFFSET = -100


def cleaned(text: str, profile: Profile = "safe_harbor", *known: KnownIdentifier) -> str:
    days = OFFSET if profile == "expert" else 0
    return redact(text, engine().find(text, known), profile=profile, offset_days=days, reference_year=2026)


@pytest.mark.parametrize(
    "range_", ["3/11/24-3/15/24", "3/11/2024–3/15/2024", "11.03.2024-15.03.2024", "2024-03-11/2024-03-15"]
)
def test_both_ends_of_a_range_of_dates_are_treated(range_: str) -> None:
    assert "11" not in cleaned(f"Hospital course {range_}.")
    moved = cleaned(f"Hospital course {range_}.", "expert")
    assert not any(end in moved for end in ("3/11/", "3/15/", "11.03", "15.03", "03-11", "03-15"))


def test_of_a_date_of_birth_only_the_year_stays_under_expert() -> None:
    born = KnownIdentifier("DATE", "1961-05-12")
    moved = f"{date(2024, 3, 11) + timedelta(days=OFFSET):%m/%d/%Y}"
    assert cleaned("DOB 05/12/1961, seen 03/11/2024.", "expert") == f"DOB 1961, seen {moved}."
    assert cleaned("Born 12 May 1932.", "expert") == "Born [DATE]."
    assert "05/12" not in cleaned("The date 05/12/1961 is on file.", "expert", born) or "1961" not in cleaned(
        "The date 05/12/1961 is on file.", "expert", born
    )


@pytest.mark.parametrize(
    "text",
    [
        "His O2 sat was 93 and HR was 94. Her weight is 92.",
        "GFR is 94. LDL was 101. Glucose was 98, and BUN was 91.",
        "Subarachnoid hemorrhage, Hunt and Hess 3.",
    ],
)
def test_measurements_are_no_ages_and_eponyms_no_names(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(
    "text",
    ["Pt 93/F admitted.", "She is 94, she says.", "Her wife, 92, lives there.", "Her 93rd birthday.", "Age (yrs): 93."],
)
def test_ages_over_89_are_grouped(text: str) -> None:
    assert "90+" in cleaned(text)
    assert "9" not in cleaned(text).replace("90+", "")


def test_who_was_called_on_a_day_was_not_called_on_a_telephone() -> None:
    assert cleaned("Pt called on 02/11/2024 and again.") == "Pt called on 2024 and again."
    assert "[PHONE]" in cleaned("Pt called 617-555-0182 again.")


def test_a_year_of_birth_of_two_digits_tells_no_age() -> None:
    assert cleaned("DOB 4/7/34.") == "DOB [DATE]."


def test_a_known_number_is_found_without_its_leading_zeros() -> None:
    assert "482213" not in cleaned("Chart 482213 pulled.", "safe_harbor", KnownIdentifier("MRN", "00482213"))


def test_surrogates_are_the_same_in_every_process() -> None:
    program = (
        "from veil.contracts import SurrogateSeed\n"
        "from veil.transforms.text.surrogates import surrogate\n"
        "print([surrogate(name, SurrogateSeed(bytes(32))) for name in ('Samantha', 'Christopher', 'Patricia', 'Alex')])"
    )
    drawn = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(drawn) == 1


def test_text_that_is_written_invisibly_is_not_passed_on() -> None:
    anonymizer = modalities.get("text").anonymizer
    assert anonymizer is not None
    hidden = "".join(chr(0xE0000 + ord(char)) for char in "Quillona Vasterby")
    note = f"She was seen in the clinic today and feels well.{hidden}"
    with pytest.raises(Unpublishable, match="control characters"):
        anonymizer(policy_of("safe_harbor"), 2026)(Item("text", "a", "b", content=note))
