"""What the rules find without a model, and what medicine needs to keep."""

from __future__ import annotations

import pytest

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
        ("March 2021", "[DATE]"),
    ],
)
def test_expert_moves_a_complete_date_in_its_own_form(engine: TextEngine, date: str, shifted: str) -> None:
    text = f"Seen on {date}."
    assert redact(text, engine.find(text), profile="expert", offset_days=-10) == f"Seen on {shifted}."
