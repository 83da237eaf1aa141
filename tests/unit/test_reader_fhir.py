from __future__ import annotations

import base64
import json
from typing import Any

import orjson
import pytest

from veil.contracts import KnownIdentifier, Malformed, Record
from veil.readers.fhir import parse, parse_bundle, parse_deletions
from veil.readers.problem import Problem
from veil.readers.times import utc

_MRN = {"type": {"coding": [{"code": "MR"}]}, "system": "http://h.example/mrn", "value": "M-1"}


def _parse(**resource: Any) -> Record:
    return parse(orjson.dumps(resource))


def _patient(**more: Any) -> Record:
    return _parse(resourceType="Patient", id="p1", **more)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff{}", "not valid UTF-8"),
        (b'{"resourceType":"Patient"', "not valid JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"id":"1"}', "no resourceType"),
        (b'{"resourceType":"Patient"}', "no usable id"),
        (b'{"resourceType":"Patient","id":7}', "no usable id"),
        (b'{"resourceType":"Patient","id":"a/b"}', "no usable id"),
        (b'{"resourceType":"Patient","id":"1","id" :"2"}', "an object has the same key twice"),
        (b'{"resourceType":"P","id":"1","x":' + b"[" * 400 + b"]" * 400 + b"}", "nested too deeply"),
        (b'{"resourceType":"P","id":"1","x":' + b"[" * 90_000 + b"]" * 90_000 + b"}", "nested too deeply"),
        (b'{"resourceType":"Media","id":"1","content":{"data":"!"}}', "the data of an attachment is not valid base64"),
    ],
)
def test_a_malformed_line_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        parse(data)


def test_a_colon_after_a_quote_inside_text_is_no_repeated_key() -> None:
    text = 'she said ": " and "x":1'
    assert json.loads(_parse(resourceType="Basic", id="1", note=text).content)["note"] == text


def test_an_encounter_in_its_envelope() -> None:
    record = _parse(
        resourceType="Encounter",
        id="e1",
        meta={"lastUpdated": "2025-03-01T12:00:00.5+02:00"},
        subject={"reference": "https://ehr.example/fhir/Patient/p1/_history/3"},
        period={"start": "2025-02-28T23:30:00-05:00"},
        type=[{"text": "x"}, {"coding": [{"system": "http://snomed.info/sct", "code": "185347001"}]}],
        contained=[{"resourceType": "Location", "id": "l", "partOf": {"reference": "Location/l2"}}],
        extension=[{"url": "u", "valueReference": {"reference": "Organization/o"}}],
        basedOn=[{"reference": "Location/l2"}],
    )
    assert (record.key, record.subject, record.version) == ("Encounter/e1", "Patient/p1", "2025-03-01T10:00:00.500000Z")
    assert record.start == "2025-03-01T04:30:00.000000Z"
    assert (record.code_system, record.code) == ("http://snomed.info/sct", "185347001")
    assert record.references == (
        "https://ehr.example/fhir/Patient/p1/_history/3",
        "Location/l2",
        "Organization/o",
    )


@pytest.mark.parametrize(
    ("target", "subject"),
    [
        ({"reference": "Patient/p"}, "Patient/p"),
        ({"reference": "Patient?identifier=http://h|7"}, "identifier:http://h|7"),
        ({"identifier": {"system": "http://h", "value": "7"}}, "identifier:http://h|7"),
        ({"reference": "#c"}, "identifier:http://h.example/mrn|M-1"),
        ({"reference": "Group/g"}, None),
        ({"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}, None),
        ("Patient/p", None),
    ],
)
def test_whom_a_record_is_about(target: object, subject: str | None) -> None:
    contained = [{"resourceType": "Patient", "id": "c", "identifier": [_MRN]}]
    assert _parse(resourceType="Condition", id="1", subject=target, contained=contained).subject == subject


def test_a_practitioner_is_its_own_subject_and_found_by_its_identifier() -> None:
    record = _parse(resourceType="Practitioner", id="d", identifier=[{"system": "http://npi", "value": "1"}])
    assert (record.subject, record.aliases) == ("Practitioner/d", ("Practitioner?identifier=http://npi|1",))


def test_a_patient_is_not_merged_by_a_number_that_several_people_share() -> None:
    shared = [{"type": {"coding": [{"code": code}]}, "system": "s", "value": "9"} for code in ("SS", "MB", "AN")]
    untyped = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-99-9999"}
    link = [{"other": {"reference": "Patient/old"}, "type": "replaces"}]
    record = _patient(identifier=[*shared, untyped, _MRN], link=link)
    expected = ("identifier:http://h.example/mrn|M-1", "Patient?identifier=http://h.example/mrn|M-1", "Patient/old")
    assert record.aliases == expected


def test_what_is_known_of_a_patient() -> None:
    maiden = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
    place = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
    record = _patient(
        name=[
            {
                "family": "Ortiz",
                "given": ["Maria", "del Carmen"],
                "prefix": ["Mrs."],
                "text": "Mrs. Maria del Carmen Ortiz",
            },
            {"use": "nickname", "given": ["Mari"]},
            {"text": "Soto, Maria, MD"},
        ],
        telecom=[{"system": "phone", "value": "617-555-0182"}, {"system": "email", "value": "m@example.org"}],
        address=[{"line": ["1 Elm St"], "city": "Salem", "state": "MA", "postalCode": "01970"}],
        identifier=[_MRN, {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "000-12-3456"}],
        birthDate="1950-02-03",
        contact=[{"name": {"text": "Luis Ortiz"}, "telecom": [{"system": "phone", "value": "617-555-0183"}]}],
        extension=[{"url": maiden, "valueString": "Vega"}, {"url": place, "valueAddress": {"city": "Lynn"}}],
    )
    subject = {
        ("NAME", "Maria del Carmen Ortiz"),
        ("NAME", "Mari"),
        ("NAME", "Maria Soto"),
        ("PHONE", "617-555-0182"),
        ("EMAIL", "m@example.org"),
        ("LOCATION", "1 Elm St"),
        ("LOCATION", "Salem"),
        ("LOCATION", "01970"),
        ("MRN", "M-1"),
        ("SSN", "000-12-3456"),
        ("DATE", "1950-02-03"),
        ("LOCATION", "Lynn"),
    }
    assert {(one.kind, one.value) for one in record.known if one.role == "subject"} == subject
    relatives = {("NAME", "Luis Ortiz"), ("PHONE", "617-555-0183"), ("NAME", "Vega")}
    assert {(one.kind, one.value) for one in record.known if one.role == "relative"} == relatives


def test_a_place_is_known_by_its_names() -> None:
    record = _parse(resourceType="Organization", id="o", name="Elm Clinic", alias=["EC"])
    assert record.known == (
        KnownIdentifier("ORGANIZATION", "Elm Clinic", "organization"),
        KnownIdentifier("ORGANIZATION", "EC", "organization"),
    )


def test_a_note_is_taken_out_of_its_record() -> None:
    attachment = {"contentType": "text/plain", "data": base64.b64encode(b"note").decode()}
    other = {"contentType": "text/plain", "url": "notes/a.txt"}
    remote = {"contentType": "text/plain", "url": "https://ehr.example/Binary/1"}
    content = [{"attachment": one} for one in (attachment, other, remote)]
    record = _parse(resourceType="DocumentReference", id="1", content=content)
    assert [(a.path, a.data, a.url) for a in record.attachments] == [
        ("content[0].attachment", b"note", None),
        ("content[1].attachment", None, "notes/a.txt"),
    ]
    assert '"data"' not in record.content


@pytest.mark.parametrize("url", ["../x", "a/../../x", "/etc/passwd", "a\\b", "a\x00b"])
def test_an_attachment_cannot_point_out_of_the_drop(url: str) -> None:
    with pytest.raises(Malformed, match="leaves the drop"):
        _parse(resourceType="Media", id="1", content={"contentType": "image/png", "url": url})


def test_a_bundle_resolves_its_own_urns() -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    entry: list[Any] = [
        {"fullUrl": "urn:uuid:e", "resource": {"resourceType": "Encounter", "id": "e", "subject": {"reference": urn}}},
        {"fullUrl": urn, "resource": {"resourceType": "Patient"}},
        {"resource": {"resourceType": "Condition"}},
        7,
    ]
    found = list(parse_bundle(orjson.dumps({"resourceType": "Bundle", "entry": entry})))
    encounter, patient, *problems = found
    assert isinstance(encounter, Record)
    assert isinstance(patient, Record)
    assert encounter.subject == "Patient/0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0" == patient.subject
    assert (encounter.references, encounter.aliases, patient.aliases) == ((urn,), ("urn:uuid:e",), (urn,))
    assert problems == [Problem(2, "no usable id"), Problem(3, "an entry without a resource")]


def test_deletions_become_tombstones() -> None:
    entry = [
        {"request": {"method": "DELETE", "url": "Patient/p"}},
        {"request": {"method": "DELETE", "url": "Condition/c"}},
    ]
    found = parse_deletions(
        orjson.dumps({"resourceType": "Bundle", "timestamp": "2025-01-01T00:00:00Z", "entry": entry})
    )
    assert [(one.key, one.subject, one.deleted, one.version) for one in found] == [
        ("Patient/p", "Patient/p", True, "2025-01-01T00:00:00.000000Z"),
        ("Condition/c", None, True, "2025-01-01T00:00:00.000000Z"),
    ]
    with pytest.raises(Malformed, match="one record"):
        parse_deletions(
            orjson.dumps({"resourceType": "Bundle", "entry": [{"request": {"method": "DELETE", "url": "Patient?x=1"}}]})
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025", "2025"),
        ("2025-02", "2025-02"),
        ("2025-02-03", "2025-02-03"),
        ("2025-02-03T04:05:06+01:00", "2025-02-03T03:05:06.000000Z"),
        ("2025-02-03 04:05", "2025-02-03T04:05:00.000000Z"),
        ("0001-01-01T00:00:00+14:00", None),
        ("2025-02-30T00:00:00Z", None),
        ("20250203", None),
        (20250203, None),
    ],
)
def test_times_in_utc(text: object, expected: str | None) -> None:
    assert utc(text) == expected
