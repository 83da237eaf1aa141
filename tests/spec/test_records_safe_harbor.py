"""What a reader of published records sees, clause by clause (45 CFR 164.514(b)(2), and the expert profile)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from veil.contracts import Item, Malformed, Unpublishable
from veil.policy import Policy, load_policy
from veil.transforms.records import FhirAnonymizer

PRODUCT = Path(__file__).parents[2] / "dags" / "config" / "products" / "research.toml"
SNOMED = "http://snomed.info/sct"
REFERENCES = {
    "Patient/1": "a" * 32,
    "urn:uuid:1": "a" * 32,
    "https://ehr.example/fhir/Patient/1/_history/2": "a" * 32,
    "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1": "b" * 32,
    "Device/1": "c" * 32,
}


@pytest.fixture(scope="module")
def safe_harbor() -> Policy:
    return load_policy(PRODUCT)


@pytest.fixture(scope="module")
def expert(safe_harbor: Policy) -> Policy:
    return Policy.from_canonical(safe_harbor.canonical.replace('"safe_harbor","purpose"', '"expert","purpose"'))


def item(kind: str = "Patient", offset: int = 0) -> Item:
    return Item(kind, "f" * 32, "e" * 32, references=REFERENCES, offset_days=offset)


def published(policy: Policy, kind: str, offset: int = 0, **fields: Any) -> tuple[dict[str, Any], dict[str, int]]:
    resource = {"resourceType": kind, **fields}
    return FhirAnonymizer(policy.plan, 2025)(resource, item(kind, offset), lambda _, t: f"<{t}>")


def test_a_patient_keeps_what_research_needs_and_nothing_that_identifies(safe_harbor: Policy) -> None:
    out, dropped = published(
        safe_harbor,
        "Patient",
        id="1",
        meta={"lastUpdated": "2025-01-02T03:04:05Z"},
        text={"status": "generated", "div": "<div>Ortiz</div>"},
        identifier=[{"value": "123"}],
        name=[{"family": "Ortiz"}],
        telecom=[{"value": "617-555-0182"}],
        gender="female",
        birthDate="1980-02-03",
        address=[{"line": ["1 Elm"], "city": "Boston", "state": "MA", "postalCode": "02139-1234", "country": "US"}],
        photo=[{"url": "x"}],
        contained=[{"resourceType": "Patient"}],
        vendorField="Ortiz",
    )
    assert out == {
        "resourceType": "Patient",
        "id": "f" * 32,
        "gender": "female",
        "birthDate": "1980",
        "address": [{"state": "MA", "postalCode": "021", "country": "US"}],
    }
    assert dropped["Patient.?"] == 1
    assert dropped["Patient.name"] == 1
    assert not any("vendor" in path for path in dropped)


@pytest.mark.parametrize(
    ("zip_code", "area"),
    [("03601", "000"), ("20201", "000"), ("10115", "101"), ("668391105", "668"), ("2139", None), ("SW1A 1AA", None)],
)
def test_a_zip_area_of_20000_people_or_fewer_is_000(safe_harbor: Policy, zip_code: str, area: str | None) -> None:
    out, _ = published(safe_harbor, "Patient", address={"postalCode": zip_code})
    assert out.get("address", {}).get("postalCode") == area


def test_no_year_of_an_event_is_older_than_a_life_of_89(safe_harbor: Policy) -> None:
    old, recent = ({"onsetDateTime": f"{year}-04-07"} for year in (1930, 1950))
    assert "onsetDateTime" not in published(safe_harbor, "Condition", **old)[0]
    assert published(safe_harbor, "Condition", **recent)[0]["onsetDateTime"] == "1950"


@pytest.mark.parametrize(
    "fields",
    [
        {"valueInteger": 97, "code": {"coding": [{"system": "http://loinc.org", "code": "30525-0"}]}},
        {"valueQuantity": {"value": 97}, "code": {"coding": [{"code": "63900-5"}]}},
        {"valueQuantity": {"value": 97, "unit": "years of age"}},
        {"valueQuantity": {"value": 1170, "unit": "mos"}},
    ],
)
def test_an_age_over_89_in_a_measurement_is_grouped(safe_harbor: Policy, fields: dict[str, Any]) -> None:
    out, _ = published(safe_harbor, "Observation", **fields)
    assert (out.get("valueInteger") or out["valueQuantity"]["value"]) in (90, 1080)


def test_postal_codes_of_other_countries_are_dropped(safe_harbor: Policy) -> None:
    out, _ = published(safe_harbor, "Patient", address=[{"postalCode": "10115", "country": "DE"}])
    assert out["address"] == [{"country": "DE"}]


@pytest.mark.parametrize(
    ("born", "died", "seen"),
    [
        ("1936-12-31", None, {"birthDate": "1936"}),
        ("1935-12-31", None, {}),
        ("1920", "1990-01-01", {"birthDate": "1920", "deceasedDateTime": "1990"}),
        ("1920", "2010-01-01", {}),
        ("1990", "1890", {"birthDate": "1990"}),
        ("not a date", "2010-01-01", {"deceasedDateTime": "2010"}),
    ],
)
def test_no_year_tells_an_age_over_89(safe_harbor: Policy, born: str, died: str | None, seen: dict[str, str]) -> None:
    dates: dict[str, Any] = {"birthDate": born} | ({"deceasedDateTime": died} if died else {})
    out, _ = published(safe_harbor, "Patient", **dates)
    assert {key: out[key] for key in out if key != "resourceType"} == seen


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        ({"value": 93, "unit": "years"}, 90),
        ({"value": 93, "code": "a"}, 90),
        ({"value": 93, "code": {}, "unit": "Years"}, 90),
        ({"value": 1116, "code": "mo"}, 1080),
        ({"value": 93, "unit": "mg/dL", "code": "mg/dL"}, 93),
        ({"value": 42.5, "unit": "a"}, 42.5),
    ],
)
def test_a_measured_age_over_89_is_grouped(safe_harbor: Policy, quantity: dict[str, Any], value: float) -> None:
    out, _ = published(safe_harbor, "Observation", valueQuantity=quantity)
    assert out["valueQuantity"]["value"] == value


def test_an_age_without_a_unit_is_in_years(safe_harbor: Policy) -> None:
    out, _ = published(safe_harbor, "Condition", onsetAge={"value": 99})
    assert out["onsetAge"] == {"value": 90}


def test_clinical_codes_and_values_are_kept(safe_harbor: Policy) -> None:
    concept = {"coding": [{"system": SNOMED, "code": "91302008", "display": "Sepsis"}], "text": "Sepsis"}
    quantity = {"value": 7.2, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}
    component = [{"code": concept, "valueQuantity": quantity}]
    out, dropped = published(safe_harbor, "Observation", status="final", code=concept, component=component)
    assert out == {"resourceType": "Observation", "status": "final", "code": concept, "component": component}
    assert dropped == {}


def test_labels_of_unknown_code_systems_and_free_text_are_read_as_text(safe_harbor: Policy) -> None:
    coding = [{"system": "http://local.example/codes", "code": "GLU", "display": "Mrs Ortiz"}]
    code = {"coding": coding, "text": "for Mrs Ortiz"}
    out, _ = published(safe_harbor, "Condition", code=code, note=[{"text": "call her", "authorString": "Dr Wu"}])
    assert out["code"]["coding"][0] == {**coding[0], "display": "<Mrs Ortiz>"}
    assert out["code"]["text"] == "<for Mrs Ortiz>"
    assert out["note"] == [{"text": "<call her>"}]


def test_a_long_number_posing_as_a_local_code_is_dropped_when_the_text_engine_objects(safe_harbor: Policy) -> None:
    coding = {"system": "http://hl7.org/fhir/sid/us-ssn", "code": "999-94-5397"}
    out, dropped = published(safe_harbor, "Condition", code={"coding": [coding]})
    assert "code" not in out["code"]["coding"][0]
    assert dropped["Condition.code.coding.code"] == 1


@pytest.mark.parametrize("written", ["Patient/1", "urn:uuid:1", "https://ehr.example/fhir/Patient/1/_history/2"])
def test_a_reference_leads_to_the_published_id(safe_harbor: Policy, written: str) -> None:
    out, _ = published(safe_harbor, "Condition", subject={"reference": written, "display": "Mrs Ortiz"})
    assert out["subject"] == {"reference": "Patient/" + "a" * 32}


@pytest.mark.parametrize("written", ["Patient/2", "#1", "Device/1", "urn:uuid:2", 7, {"reference": "Patient/1"}])
def test_a_reference_without_a_published_target_is_dropped(safe_harbor: Policy, written: object) -> None:
    out, dropped = published(safe_harbor, "Condition", subject={"reference": written})
    assert out == {"resourceType": "Condition"}
    assert dropped == {"Condition.subject.reference": 1}


def test_a_conditional_reference_is_followed(safe_harbor: Policy) -> None:
    written = "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1"
    out, _ = published(safe_harbor, "MedicationRequest", requester={"reference": written})
    assert out["requester"] == {"reference": "Practitioner/" + "b" * 32}


def test_extensions_are_allowed_by_url(safe_harbor: Policy) -> None:
    core = "http://hl7.org/fhir/us/core/StructureDefinition/"
    white = {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3"}}
    race = {"url": core + "us-core-race", "extension": [white, {"url": "text", "valueString": "White"}]}
    vendor = {"url": "http://vendor.example/mrn", "valueString": "4830291"}
    out, dropped = published(safe_harbor, "Patient", extension=[race, vendor])
    assert out["extension"] == [{"url": core + "us-core-race", "extension": [white]}]
    assert dropped["Patient.extension.?"] == 1


def test_a_note_is_published_only_as_what_it_is(safe_harbor: Policy) -> None:
    out, _ = published(
        safe_harbor,
        "DocumentReference",
        status="current",
        date="2021-03-04T05:06:07.123Z",
        author=[{"display": "Dr Wu"}],
        content=[{"attachment": {"data": "SGVsbG8="}}],
    )
    assert out == {"resourceType": "DocumentReference", "status": "current", "date": "2021"}


@pytest.mark.parametrize("kind", ["Consent", "Device", "Claim", "Ortiz"])
def test_an_unknown_resource_type_is_held_without_naming_it(safe_harbor: Policy, kind: str) -> None:
    with pytest.raises(Unpublishable) as held:
        published(safe_harbor, kind, id="1")
    assert kind not in str(held.value)


@pytest.mark.parametrize("record", [None, [], "x", {}, {"resourceType": 7}, {"resourceType": ["Patient"]}])
def test_what_is_no_resource_is_malformed(safe_harbor: Policy, record: object) -> None:
    with pytest.raises(Malformed):
        FhirAnonymizer(safe_harbor.plan, 2025)(record, item(), lambda _, t: t)


@pytest.mark.parametrize(
    ("written", "moved"),
    [
        ("2021-03-04T05:06:07.123-05:00", "2021-02-22T05:06:07.123-05:00"),
        ("2021-03-04", "2021-02-22"),
        ("2021-03", "2021-03"),
        ("2021", "2021"),
        ("0001-01-01", None),
        ("2021-02-30", None),
    ],
)
def test_expert_dates_move_and_keep_their_precision(expert: Policy, written: str, moved: str | None) -> None:
    out, _ = published(expert, "Condition", offset=-10, recordedDate=written)
    assert out.get("recordedDate") == moved


def test_expert_never_publishes_a_true_date(expert: Policy) -> None:
    with pytest.raises(Unpublishable, match="offset"):
        published(expert, "Condition", offset=0, recordedDate="2021-03-04")


@pytest.mark.parametrize("code", ["2021-03-04", "seen 3/4/2021", "2021/3/4", "a\nb", "x" * 129, "\ud800", ""])
def test_a_code_that_is_none_is_dropped(safe_harbor: Policy, code: str) -> None:
    out, dropped = published(safe_harbor, "Condition", abatementBoolean=code)
    assert "abatementBoolean" not in out
    assert dropped == {"Condition.abatementBoolean": 1}


@pytest.mark.parametrize("code", ["2106-3", "urn:oid:2.16.840.1.113883.6.238", "mm[Hg]", "185347001", "J45.909"])
def test_codes_that_only_resemble_dates_are_kept(safe_harbor: Policy, code: str) -> None:
    out, _ = published(safe_harbor, "Condition", severity={"coding": [{"system": SNOMED, "code": code}]})
    assert out["severity"]["coding"][0]["code"] == code


def test_text_that_no_file_can_hold_is_dropped(safe_harbor: Policy) -> None:
    out, dropped = published(safe_harbor, "Condition", note=[{"text": "\ud800"}])
    assert out == {"resourceType": "Condition"}
    assert dropped == {"Condition.note.text": 1}


@pytest.mark.parametrize(
    ("unit", "cleaned"),
    [
        ("mg/dL", "mg/dL"),
        ("10*3/uL", "10*3/uL"),
        ("{#}/HPF", "{#}/HPF"),
        ("mm[Hg]", "mm[Hg]"),
        ("beats per minute", "beats per minute"),
        ("°C", "°C"),
        ("call 218-555-0143", "<call 218-555-0143>"),
        ("tabs given by Wilhelmina Prendergast", "<tabs given by Wilhelmina Prendergast>"),
    ],
)
def test_a_unit_that_is_none_is_read_as_text(safe_harbor: Policy, unit: str, cleaned: str) -> None:
    out, _ = published(safe_harbor, "Observation", valueQuantity={"value": 2, "unit": unit, "code": unit})
    assert out["valueQuantity"] == {"value": 2, "unit": cleaned, "code": cleaned}


def test_what_a_modifier_may_turn_into_its_opposite_is_held(safe_harbor: Policy) -> None:
    modifier = {"url": "http://hospital.example/negated", "valueBoolean": True}
    with pytest.raises(Unpublishable, match="changes what the record means"):
        published(safe_harbor, "Condition", modifierExtension=[modifier])


@pytest.mark.parametrize("value", [6175550199, 512441188, 20240305, 20240305.0, 617555019])
def test_a_number_that_nobody_measures_is_not_published(safe_harbor: Policy, value: float) -> None:
    out, dropped = published(
        safe_harbor, "Observation", valueInteger=value, valueQuantity={"value": value, "unit": "mg"}
    )
    assert "valueInteger" not in out
    assert out["valueQuantity"] == {"unit": "mg"}
    assert sum(dropped.values()) == 2


@pytest.mark.parametrize("value", [120, 6.2, 250_000, 12_500_000, 20_249_999, 1_000_000_000, -5])
def test_a_measured_number_is_published(safe_harbor: Policy, value: float) -> None:
    out, _ = published(safe_harbor, "Observation", valueQuantity={"value": value, "unit": "mg"})
    assert out["valueQuantity"]["value"] == value
