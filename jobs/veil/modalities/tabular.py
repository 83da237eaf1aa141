"""Structured records: FHIR resources and rows of CSV tables."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from veil.contracts import Finding, Item, Outcome, Profile, Unpublishable
from veil.detect import canaries, structure
from veil.detect.tokens import tokens
from veil.modalities.base import Candidate, Gate, Modality, SearchToken, Transform
from veil.modalities.text import engine
from veil.policy import Policy
from veil.readers.formats import tabular_format
from veil.transforms.records import FhirAnonymizer, anonymize_row
from veil.transforms.text import redact

_SHORTEST_TEXT = 3
_LONG_NUMBER = 10**6
"""From seven digits on a number is a measurement less often than it is somebody's."""


def _anonymizer(policy: Policy, reference_year: int) -> Transform:
    anonymize_fhir = FhirAnonymizer(policy.plan, reference_year)

    def anonymize(item: Item) -> Outcome:
        findings: list[Finding] = []

        def text(path: str, value: str) -> str:
            if len(value) < _SHORTEST_TEXT and value.casefold() not in _own_words(item):
                return value
            spans = engine().find(value, item.known)
            findings.extend(Finding(path, span, value[span.start : span.end]) for span in spans)
            return redact(
                value,
                spans,
                profile=policy.profile,
                offset_days=item.offset_days,
                reference_year=reference_year,
                surrogates=item.surrogates,
            )

        record = orjson.loads(item.content or "null")
        if item.columns is None:
            published, dropped = anonymize_fhir(record, item, text)
        else:
            published, dropped = anonymize_row(
                record, item.columns, policy.plan, item, text, reference_year=reference_year
            )
        if not published:
            raise Unpublishable("the policy names no field of this type of record")
        return Outcome(
            orjson.dumps(published, option=orjson.OPT_SORT_KEYS).decode(), findings=findings, dropped=dropped
        )

    return anonymize


def _own_words(item: Item) -> set[str]:
    """Give the words of what is known: a name may be as short as "Li"."""
    return {word for known in item.known for word in known.value.casefold().split()}


def _detect(candidate: Candidate, profile: Profile) -> list[str]:
    return structure.violations(orjson.loads(candidate.content or "null"), profile=profile)


def _canaries(profile: Profile) -> list[Candidate]:
    return [Candidate(content) for content in canaries.record_canaries(profile)]


def _tokens(candidate: Candidate) -> Iterator[SearchToken]:
    for is_code, value in _leaves(orjson.loads(candidate.content or "null")):
        for token in tokens(value):
            yield SearchToken(token, free=not is_code)


def _leaves(value: object, is_code: bool = False) -> Iterator[tuple[bool, str]]:
    """Walk the strings of a record, its names and its long numbers among them.

    A terminology's code may be anybody's number by chance: it is no free text.
    """
    if isinstance(value, dict):
        is_coding = isinstance(value.get("system"), str)
        for key, child in value.items():
            yield False, str(key).replace("_", " ")
            yield from _leaves(child, is_coding and key == "code")
    elif isinstance(value, list):
        for child in value:
            yield from _leaves(child)
    elif isinstance(value, str):
        yield is_code, value
    elif isinstance(value, int) and value >= _LONG_NUMBER:
        yield False, str(value)


MODALITY = Modality(
    name="tabular",
    title="Structured records",
    recognise=tabular_format,
    anonymizer=_anonymizer,
    gate=Gate(_detect, _canaries, _tokens),
)
