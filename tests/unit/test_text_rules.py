"""What the rules find without a model, and what medicine needs to keep."""

from __future__ import annotations

import re

import pytest

from veil.contracts import KnownIdentifier
from veil.transforms.text import TextEngine, redact


@pytest.fixture(scope="module")
def engine() -> TextEngine:
    return TextEngine()


def found(engine: TextEngine, text: str) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], span.kind) for span in engine.find(text)]


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("Patient Name: Anneke Vos, age 40", "Anneke Vos", "NAME"),
        ("referred by Dr. Okonkwo today", "Okonkwo", "NAME"),
        ("referred by dr. okonkwo today", "okonkwo", "NAME"),
        ("MRN: 00481516", "00481516", "MRN"),
        ("medical record number 48-15-16", "48-15-16", "MRN"),
        ("SSN 219-09-9999", "219-09-9999", "SSN"),
        ("social security number is 219099999", "219099999", "SSN"),
        ("call (617) 555-0142 x33 please", "(617) 555-0142 x33", "PHONE"),
        ("cell 617.555.0142", "617.555.0142", "PHONE"),
        ("reach her at +44 20 7946 0958", "+44 20 7946 0958", "PHONE"),
        ("Fax: 617-555-0199", "617-555-0199", "FAX"),
        ("write to a.vos@example.org", "a.vos@example.org", "EMAIL"),
        ("write to a.vos @ example . org", "a.vos @ example . org", "EMAIL"),
        ("write to avos [at] example [dot] org", "avos [at] example [dot] org", "EMAIL"),
        ("see https://portal.example.org/p?id=7", "https://portal.example.org/p?id=7", "URL"),
        ("from 192.168.10.4", "192.168.10.4", "IP"),
        ("from 2001:db8::8a2e:370:7334", "2001:db8::8a2e:370:7334", "IP"),
        ("monitor 00:1B:44:11:3A:B7", "00:1B:44:11:3A:B7", "DEVICE"),
        ("card 4111 1111 1111 1111", "4111 1111 1111 1111", "ACCOUNT"),
        ("IBAN GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 32", "ACCOUNT"),
        ("VIN 1M8GDM9AXKP042788", "1M8GDM9AXKP042788", "VEHICLE"),
        ("signed 1234567893", "1234567893", "LICENSE"),
        ("prescriber AB1234563", "AB1234563", "LICENSE"),
        ("license plate 7ABC123", "7ABC123", "VEHICLE"),
        ("serial no. PX-88213", "PX-88213", "DEVICE"),
        ("policy # HX5512887", "HX5512887", "HEALTH_PLAN"),
        ("lives at 12 Oak Street, Springfield, IL 62704", "12 Oak Street, Springfield, IL 62704", "LOCATION"),
        ("moved to Akron, OH last year", "Akron, OH", "LOCATION"),
        ("zip code 62704", "62704", "LOCATION"),
        ("seen at Lakeview Medical Center", "Lakeview Medical Center", "ORGANIZATION"),
        ("she is 93 years old", "93", "AGE"),
        ("a 101-year-old man", "101", "AGE"),
        ("ninety-four years old", "ninety-four", "AGE"),
    ],
)
def test_an_identifier_is_found_whole(engine: TextEngine, text: str, value: str, kind: str) -> None:
    assert (value, kind) in found(engine, text)


@pytest.mark.parametrize(
    "date",
    [
        "3/14/2021",
        "03-14-21",
        "14.3.2021",
        "2021-03-14",
        "2021-03-14T09:30:00Z",
        "20210314",
        "March 14, 2021",
        "Mar. 14th, 2021",
        "MARCH 14 2021",
        "14 March 2021",
        "14-MAR-2025",
        "14-MAR-2025 09:30",
        "the 14th of March",
        "March 14",
        "March 2021",
        "3/2021",
        "3/14",
        "Sunday, March 14, 2021",
    ],
)
def test_a_date_is_found_in_every_form(engine: TextEngine, date: str) -> None:
    spans = found(engine, f"She was seen on {date} for cough.")
    assert [kind for _, kind in spans] == ["DATE"]
    assert spans[0][0].removeprefix("the ") == date.removeprefix("the ")


@pytest.mark.parametrize(
    "text",
    [
        "BP 120/80, HR 72, RR 16, SpO2 98% on room air.",
        "Gleason 3+4, strength 5/5, murmur 2/6, pain 7/10.",
        "WBC 12.3, Hgb 13.1, platelets 250, Na 138, K 4.1, INR 1.2.",
        "Take metoprolol 25 mg twice daily and 1/2 tablet at night.",
        "A Foley catheter was placed; Babinski sign negative; Alzheimer's disease.",
        "He is 58 years old and 89-year-old mother is well.",
        "Viral load 1200000 copies, viral load fell since.",
        "L4-L5 disc, T2DM, C. difficile, S1 S2 normal, FEV1 80%.",
        "Diagnosed in 2021; the patient may return as needed.",
        "Follow up in 2 weeks. See the eye clinic. Emergency Hospital visit.",
    ],
)
def test_clinical_content_survives(engine: TextEngine, text: str) -> None:
    assert found(engine, text) == []


@pytest.mark.parametrize("text", ["SSN 000-12-3456x", "ratio 666-12-3456", "code 4111 1111 1111 1112"])
def test_a_number_that_its_standard_forbids_is_not_taken_for_it(engine: TextEngine, text: str) -> None:
    assert not {"SSN", "ACCOUNT"} & {kind for value, kind in found(engine, text) if len(value) > 11}


def test_safe_harbor_keeps_the_year_and_nothing_else_of_a_date(engine: TextEngine) -> None:
    text = "Seen 3/14/21, again March 5, 2022, and on 4/17. DOB 1/2/1930. Aged 94."
    result = redact(text, engine.find(text), profile="safe_harbor")
    assert result == "Seen 2021, again 2022, and on [DATE]. DOB [DATE]. Aged 90+."


@pytest.mark.parametrize(
    ("date", "shifted"),
    [
        ("03/14/2021", "03/04/2021"),
        ("3/14/21", "3/4/21"),
        ("2021-03-14", "2021-03-04"),
        ("March 14th, 2021", "March 4th, 2021"),
        ("14-MAR-2021", "04-MAR-2021"),
        ("Sunday, March 14, 2021", "Thursday, March 4, 2021"),
        ("3/14", "[DATE]"),
    ],
)
def test_expert_moves_a_complete_date_in_its_own_form(engine: TextEngine, date: str, shifted: str) -> None:
    text = f"Seen on {date}."
    assert redact(text, engine.find(text), profile="expert", offset_days=-10) == f"Seen on {shifted}."


@pytest.mark.parametrize(
    ("date", "shifted"),
    [
        ("March 2021", "June 2020"),
        ("03/2021", "06/2020"),
        ("3/2021", "6/2020"),
        ("2021-03", "2020-06"),
        ("Mar '21", "Jun '20"),
    ],
)
def test_expert_moves_a_month_from_its_middle(engine: TextEngine, date: str, shifted: str) -> None:
    text = f"Since {date} better."
    assert redact(text, engine.find(text), profile="expert", offset_days=-270) == f"Since {shifted} better."


@pytest.mark.parametrize(
    "dated",
    ["DOB&nbsp;1931&#8209;05&#8209;02", "<td>DOB</td><td>05/02/1931</td>", "<b>DOB</b>: 5/2/1931", "Bday: 5/2/31"],
)
def test_a_date_of_birth_shows_its_year_at_most_whatever_markup_stands_before_it(
    engine: TextEngine, dated: str
) -> None:
    cleaned = redact(dated, engine.find(dated), profile="expert", offset_days=-270, reference_year=2026)
    assert not re.search(r"[/-]\d|19\d\d", cleaned)


HOPE = KnownIdentifier("NAME", "Hope Grant")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("HOPE has a rash. Hope denies fever.", "[NAME] has a rash. [NAME] denies fever."),
        ("We hope it helps. Hope for the best.", "We hope it helps. Hope for the best."),
        ("Patient: Ng, Li", "Patient: [NAME]"),
        ("GRANT,HOPE 34F", "[NAME] 34F"),
        ("Patient: Alert, Oriented", "Patient: Alert, Oriented"),
        ("Bramwell, Tobias J. was seen", "[NAME] was seen"),
        ("Aunt Marta DVT. Dr. JOHN LEE", "Aunt [NAME] DVT. Dr. [NAME]"),
        ("Grandma d. 101, father died 94, brother 93 alive.", "Grandma d. 90+, father died 90+, brother 90+ alive."),
        ("Temperature died down, 94 beats", "Temperature died down, 94 beats"),
        ("IMG_20230714_101522.jpg, scan-2023-07-14", "IMG_2023.jpg, scan-2023"),
        ("Date of birth: O4/12/l987", "Date of birth: [DATE]"),
        ("He lives in Duluth, born in May", "He lives in [LOCATION], born in [DATE]"),
        ("from Duluth MN", "from [LOCATION] MN"),
        ("moved to Hospice, lives in Ohio", "moved to Hospice, lives in Ohio"),
        ("PID|1||55120^^^MRN||OK^IVO^R\nnext", "PID|[ID]\nnext"),
        ("Prisoner # A77120, C-file 28 771 904, UPIN A12345", "Prisoner # [ID], C-file [ID], UPIN [ID]"),
        ("MyChart user gdelacruz55, follow @hope_90", "MyChart user [ID], follow [ID]"),
        ("Headache 8/10, seen 11/2/23. Grip 4/5", "Headache 8/10, seen 2023. Grip 4/5"),
        ("Lotrel 5/10 daily, seen 11/2/23", "Lotrel 5/10 daily, seen 2023"),
        ("EKG with 2 mm ST depression", "EKG with 2 mm ST depression"),
        ("variant rs80359550, Circle of Willis", "variant rs80359550, Circle of Willis"),
    ],
)
def test_what_notes_write_beside_the_plain_forms(engine: TextEngine, text: str, cleaned: str) -> None:
    assert redact(text, engine.find(text, [HOPE]), profile="safe_harbor") == cleaned
