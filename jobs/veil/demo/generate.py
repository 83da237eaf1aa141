"""Generates the demo drop: plausible hospital data with identifiers in all the right and wrong places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

import orjson

from veil.demo import clinical, documents, resources, tables
from veil.demo.attach import CORRUPT_PATIENT, corrupt_path, write_media
from veil.demo.bundle import write_bundle
from veil.demo.chart import Event, Visit, make_chart
from veil.demo.drop import Drop
from veil.demo.hospital import Hospital, make_hospital
from veil.demo.notes import write_note
from veil.demo.people import Person, make_person, mrn, new_id
from veil.demo.resources import Resource
from veil.demo.truth import GroundTruth, Planted
from veil.errors import VeilError

_FIRST_EXPORT, _NEXT_EXPORT = "2025-11-30T03:10:00Z", "2025-12-01T03:10:00Z"
_TWO_NOTES = (7, 8)
"""Last digits of the patients with a second note."""
# Which patient has which part. All are below the smallest number of patients.
_LEAKING, _LEAKED, _DENIED, _CHANGED = 8, 9, 5, 6
_FEWEST = max(_LEAKING, _LEAKED, _DENIED, _CHANGED, CORRUPT_PATIENT) + 1
_NOTES = "DocumentReference.content"


def generate(out: Path, *, patients: int = 200, seed: int = 7, night: int = 0) -> GroundTruth:
    """Write a drop folder, without its manifest.

    The same arguments give the same bytes. Memory is needed for the answer key alone.

    Parameters
    ----------
    out
        The folder to write: new or empty.
    patients
        Number of patients under ``fhir/``, at least 10; one more comes as a bundle and a tenth more as CSV tables.
    seed
        Which hospital it is: its people, its charts and all ids.
    night
        0 is the first export. 1 is the full export of the next night: one changed Condition, one new Observation, one
        deleted Procedure, and all else as it was.

    Returns
    -------
    GroundTruth
        The answer key. It holds identifiers and is not written into the drop.

    Raises
    ------
    VeilError
        If the folder is not empty, there are too few patients, or there is no such night.
    """
    if patients < _FEWEST:
        raise VeilError("A demo drop needs more patients", f"Ask for {_FEWEST} at least.")
    if night not in (0, 1):
        raise VeilError("The demo has no such night", "Night 0 is the first export, night 1 the next one.")
    hospital = make_hospital(seed)
    with Drop(out) as drop:
        _staff(drop, hospital)
        for index in range(patients):
            _patient(drop, hospital, make_person(seed, index), night)
        orphan = _faults(drop, hospital)
        write_bundle(drop, hospital, make_person(seed, patients))
        for index in range(patients + 1, patients + 1 + patients // 10):
            person = make_person(seed, index)
            tables.synthea_patient(drop, person, make_chart(hospital, person)[0])
        tables.role_file(drop)
    return GroundTruth(
        identifiers=tuple(drop.planted),
        gate_leak=Planted("MRN", mrn(seed, _LEAKED), "fhir/DocumentReference.ndjson", _NOTES),
        leak_record=f"DocumentReference/{_leak_id(seed)}",
        denied_patient=make_person(seed, _DENIED).id,
        corrupt_file=corrupt_path(seed),
        orphan_record=orphan,
        counts=dict(drop.counts),
    )


def _leak_id(seed: int) -> str:
    return new_id(Random(f"{seed}/leak"))


def _staff(drop: Drop, hospital: Hospital) -> None:
    for clinician in hospital.staff:
        written, plants = resources.practitioner(clinician, _FIRST_EXPORT)
        drop.plant(drop.resource(written), plants)
    for site in hospital.sites:
        for write in (resources.organization, resources.location):
            written, plants = write(site, _FIRST_EXPORT)
            drop.plant(drop.resource(written), plants)


def _patient(drop: Drop, hospital: Hospital, person: Person, night: int) -> None:
    visits, allergies = make_chart(hospital, person)
    drop.plant(drop.resource(resources.patient(person, _FIRST_EXPORT)), resources.patient_plants(person))
    records: Iterable[Resource] = clinical.record(person, visits, allergies)
    if night and person.index == _CHANGED:
        records = _next_night(drop, hospital, records, person, visits[0])
    for record in records:
        drop.resource(record)
    drop.plant("fhir/Encounter.ndjson", [("NAME", person.name, "Encounter.subject.display")])
    if clinical.has_call(person):
        drop.plant("fhir/Condition.ndjson", [("PHONE", clinical.dashed(person.phone), "Condition.note")])
    _notes(drop, hospital, person, visits)
    if person.index == _DENIED or person.index % 10 == 2:
        id = new_id(Random(f"{hospital.seed}/consent/{person.index}"))
        drop.resource(documents.consent(person, id, "deny" if person.index == _DENIED else "permit"))
    write_media(drop, hospital, person, visits[-1])
    if person.index % 3 == 0 or person.index == _DENIED:
        tables.pain_scores(drop, hospital, person, visits[0])


def _notes(drop: Drop, hospital: Hospital, person: Person, visits: Sequence[Visit]) -> None:
    """Write a note of `person`, inline; a second one of some, as a file; and a free-standing one of a few."""
    rng = Random(f"{hospital.seed}/notes/{person.index}")
    for turn in range(2 if person.index % 10 in _TWO_NOTES else 1):
        visit = visits[turn % len(visits)]
        style, text, plants = write_note(rng, person, visit, person.index + turn)
        id, attachment = new_id(rng), documents.inline(text)
        path, where = "fhir/DocumentReference.ndjson", _NOTES
        if person.index == _LEAKING and turn == 0:
            # An anonymizer has to keep a number with a clinical unit: only a join with all known numbers finds it.
            text += f"UFH {mrn(hospital.seed, _LEAKED)} units given overnight, aPTT 62 s.\n"
            id, attachment = _leak_id(hospital.seed), documents.inline(text)
        elif turn == 1:
            path, where = f"notes/{id}.txt", "note"
            attachment = {"url": path}
            drop.file(path, text.encode())
        drop.resource(documents.document(person, visit, id, style, attachment))
        drop.plant(path, [(kind, value, where) for kind, value in plants])
    if person.index % 40 in (1, _DENIED):
        _, text, plants = write_note(rng, person, visits[-1], person.index)
        path = f"notes/{new_id(rng)}.txt"
        drop.file(path, text.encode())
        drop.tie(path, person.reference, visits[-1].reference, visits[-1].end.date())
        drop.plant(path, [(kind, value, "note") for kind, value in plants])


def _next_night(
    drop: Drop, hospital: Hospital, records: Iterable[Resource], person: Person, visit: Visit
) -> Iterator[Resource]:
    """Change the first diagnosis of `visit`, add a measurement, delete its first procedure (Bulk Data, "deleted")."""
    gone = f"Procedure/{visit.procedures[0].id}"
    deletion = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": gone}}],
    }
    drop.append("fhir/deleted/Procedure.ndjson", orjson.dumps(deletion, option=orjson.OPT_APPEND_NEWLINE))
    for record in records:
        if record["id"] == visit.conditions[0].id:
            record["clinicalStatus"]["coding"][0]["code"] = "resolved"
            record["abatementDateTime"] = "2025-11-30"
            record["meta"] |= {"versionId": "2", "lastUpdated": _NEXT_EXPORT}
        if record["id"] != visit.procedures[0].id:
            yield record
    seen = visit.observations[0]
    again = Event(new_id(Random(f"{hospital.seed}/night")), seen.entry, seen.when, seen.value)
    added = clinical.observation(person, visit, again)
    added["meta"]["lastUpdated"] = _NEXT_EXPORT
    yield added


def _faults(drop: Drop, hospital: Hospital) -> str:
    """Write what goes wrong in real exports: a line that is cut off, and a record of nobody, whose key is returned."""
    nobody = make_person(hospital.seed, 10**9)
    visit = make_chart(hospital, nobody)[0][0]
    orphan = clinical.observation(nobody, visit, visit.observations[0])
    drop.append("fhir/Observation.ndjson", b'{"resourceType":"Observation","status":"final","code":{"coding":[{"sys\n')
    drop.resource(orphan)
    return f"Observation/{orphan['id']}"
