"""Photographs."""

from __future__ import annotations

import json

from veil.contracts import Item, Outcome, Profile, Unpublishable
from veil.detect import canaries
from veil.detect import photo as detect
from veil.modalities.base import Candidate, Gate, Modality, Transform
from veil.policy import Policy
from veil.readers.formats import photo_format
from veil.transforms.photo import clean


def _anonymizer(_policy: Policy, _reference_year: int) -> Transform:
    def anonymize(item: Item) -> Outcome:
        if item.payload is None:
            raise Unpublishable("the photograph's file is missing")
        photo = clean(item.payload)
        facts = {"width": photo.width, "height": photo.height, "faces": len(photo.faces)}
        return Outcome(content=json.dumps(facts), payload=photo.payload)

    return anonymize


def _detect(candidate: Candidate, _profile: Profile) -> list[str]:
    return ["no-payload"] if candidate.payload is None else detect.leaks(candidate.payload)


def _canaries(_profile: Profile) -> list[Candidate]:
    return [Candidate("{}", payload) for payload in canaries.photo_canaries()]


MODALITY = Modality(
    name="photo",
    title="Photographs",
    recognise=photo_format,
    anonymizer=_anonymizer,
    gate=Gate(_detect, _canaries, lambda _candidate: ()),
    binary=True,
)
