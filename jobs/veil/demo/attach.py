"""Which demo patient has which photographs and other files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random

from veil.demo import dicom, media
from veil.demo.chart import Visit
from veil.demo.drop import Drop
from veil.demo.hospital import Hospital
from veil.demo.people import Person, fold, new_id

CORRUPT_PATIENT = 3
_NAMED = 1
# Of every fifty patients the first five have a photograph; True for a portrait, False for one without a face.
_PHOTOS: Mapping[int, bool] = {0: True, _NAMED: False, 2: True, CORRUPT_PATIENT: True, 4: False}
# The patients with a file of a kind that is recognised and held.
_OTHER: Mapping[int, str] = {0: "gpx", 2: "dicom", 4: "wav", 6: "mp4", 7: "dicom", 9: "gpx"}


def corrupt_path(seed: int) -> str:
    """Give the path of the photograph that is cut off."""
    return f"photos/{new_id(Random(f'{seed}/corrupt'))}.jpg"


def write_media(drop: Drop, hospital: Hospital, person: Person, visit: Visit) -> None:
    """Write the photographs and other files of `person`, taken on the day of `visit`."""
    rng, day = Random(f"{hospital.seed}/media/{person.index}"), visit.end.date()
    face = _PHOTOS.get(person.index % 50)
    if face is not None:
        data, plants = media.photo(rng, person, day, face=face)
        path = f"photos/{new_id(rng)}.jpg"
        if person.index == CORRUPT_PATIENT:
            path, data = corrupt_path(hospital.seed), data[: len(data) * 3 // 5]
        elif person.index == _NAMED:
            name = f"{fold(person.family)}_{fold(person.given)}".replace(" ", "_")
            path = f"photos/{name}_wound.jpg"
            plants.append(("NAME", name, "file name"))
        _write(drop, person, visit, path, (data, plants), day)
    match _OTHER.get(person.index):
        case "gpx":
            _write(drop, person, visit, f"location/{new_id(rng)}.gpx", media.gpx(rng, person, day), day)
        case "dicom":
            # a scanner's export: folders with the names of patients
            folder = f"dicom/{fold(person.family)}_{fold(person.given)}".replace(" ", "_")
            for name, data, plants in dicom.study(rng, person, day):
                _write(drop, person, visit, f"{folder}/{name}.dcm", (data, plants), day)
        case "wav":
            _write(drop, person, visit, f"audio/{new_id(rng)}.wav", media.wav(person), day)
        case "mp4":
            _write(drop, person, visit, f"video/{new_id(rng)}.mp4", media.mp4(person), day)


def _write(drop: Drop, person: Person, visit: Visit, path: str, made: media.Media, day: date) -> None:
    data, plants = made
    drop.file(path, data)
    drop.tie(path, person.reference, visit.reference, day)
    drop.plant(path, plants)
