"""Invented names: the same for the same name, of the same gender, and nobody's."""

from __future__ import annotations

import secrets

import pytest

from veil.contracts import KnownIdentifier, SurrogateSeed
from veil.detect import text as gate
from veil.modalities.text import engine
from veil.surrogates import is_surrogate, vocabulary
from veil.transforms.text import redact
from veil.transforms.text.surrogates import surrogate
from veil.transforms.text.words import WORD, lexicon

SEED = SurrogateSeed(secrets.token_bytes(32))


def cleaned(note: str, seed: SurrogateSeed = SEED, known: tuple[KnownIdentifier, ...] = ()) -> str:
    return redact(note, engine().find(note, known), profile="safe_harbor", surrogates=seed)


def test_a_name_is_the_same_in_every_note_of_a_subject_and_another_for_another_subject() -> None:
    first = cleaned("Mr. John Halloran was seen. Halloran feels well.")
    second = cleaned("SEEN AGAIN: HALLORAN, JOHN. Dr. Okafor agrees.")
    family = first.split(" was")[0].split()[-1]
    assert first.count(family) == 2
    assert family.upper() in second
    assert family not in cleaned("Mr. John Halloran was seen.", SurrogateSeed(secrets.token_bytes(32)))


@pytest.mark.parametrize(
    ("name", "gender"), [("Margaret", "female"), ("Peggy", "female"), ("Robert", "male"), ("Bob", "male")]
)
def test_gender_is_kept(name: str, gender: str) -> None:
    tails = vocabulary().given_tails
    assert surrogate(name, SEED).endswith(tails["female" if gender == "female" else "male"])


def test_a_nickname_stands_for_the_same_person() -> None:
    assert surrogate("Bob", SEED) == surrogate("Robert", SEED)


@pytest.mark.parametrize("name", ["Smith, John", "O'Brien-Halloran", "JOHN Q. SMITH", "smith"])
def test_case_punctuation_and_initials_are_kept(name: str) -> None:
    drawn = surrogate(name, SEED)
    assert [c for c in drawn if not c.isalpha()] == [c for c in name if not c.isalpha() and c != "'"]
    assert [word.isupper() for word in WORD.findall(drawn)] == [word.isupper() for word in WORD.findall(name)]


def test_nothing_that_can_be_drawn_is_a_real_name_and_none_that_the_vault_holds() -> None:
    names = [f"Name{chr(97 + i)}{chr(97 + j)}" for i in range(26) for j in range(20)]
    drawn = {surrogate(name, SEED).lower() for name in names}
    lists = lexicon()
    assert not {word for word in drawn if word in lists.given or word in lists.family or lists.common(word)}
    taken = frozenset(list(drawn)[: len(drawn) // 2])
    assert not taken & {surrogate(name, SurrogateSeed(SEED.key, taken)).lower() for name in names}


@pytest.mark.parametrize(
    "note",
    [
        "Seen by Dr. John Halloran, MD.\nPatient: Aisha Rahmani. Call 415-555-0123.",
        "Margaret Okonkwo is a 54 year old woman seen with her husband Tom Okonkwo at Mercy Hospital.",
        "PATIENT: HALLORAN, JOHN\nPCP: Dr Priya Venkataraman\nShe lives at 12 Elm Street, Springfield, IL 62704.",
        "Spoke to Pedro Martinez-Ruiz's daughter Lucia about the plan; Dr. Chen-Wu agrees.",
    ],
)
def test_a_second_pass_changes_nothing_whatever_was_drawn(note: str) -> None:
    for key in range(12):
        once = cleaned(note, SurrogateSeed(bytes([key]) * 32))
        assert cleaned(once, SurrogateSeed(secrets.token_bytes(32))) == once


def test_the_gate_takes_invented_names_for_what_they_are() -> None:
    once = cleaned("Seen by Dr. John Halloran, MD.\nPatient: Aisha Rahmani. Call 415-555-0123.")
    assert "Halloran" not in once
    assert all(is_surrogate(word) for word in WORD.findall(once.split("Patient: ")[1].split(".")[0]))
    assert gate.leaks(once, profile="safe_harbor") == []
    assert "name-after-title" in gate.leaks("Seen by Dr. John Halloran, MD.", profile="safe_harbor")
