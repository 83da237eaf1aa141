"""The zone key, and what pseudonyms look like."""

from __future__ import annotations

import secrets
import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from veil.errors import VeilError
from veil.identity import Scope
from veil.keys import FileKey

SECRET = bytes(range(32))


@pytest.fixture
def key(tmp_path: Path) -> FileKey:
    return FileKey.create(tmp_path / "keys" / "zone.key")


def test_a_secret_opens_for_its_own_subject_alone(key: FileKey) -> None:
    wrapped = key.wrap(SECRET, "one")
    assert key.unwrap(wrapped, "one") == SECRET
    with pytest.raises(InvalidTag):
        key.unwrap(wrapped, "two")


def test_a_secret_does_not_open_under_another_key_or_when_it_was_changed(key: FileKey, tmp_path: Path) -> None:
    wrapped = key.wrap(SECRET, "one")
    with pytest.raises(InvalidTag):
        FileKey.create(tmp_path / "other.key").unwrap(wrapped, "one")
    for at in (0, len(wrapped) // 2, len(wrapped) - 1):
        changed = bytearray(wrapped)
        changed[at] ^= 1
        with pytest.raises(InvalidTag):
            key.unwrap(bytes(changed), "one")


def test_wrapping_twice_shows_neither_the_secret_nor_that_it_is_the_same(key: FileKey) -> None:
    first, second = key.wrap(SECRET, "one"), key.wrap(SECRET, "one")
    assert first != second
    assert SECRET not in first


def test_only_its_owner_can_read_the_key(key: FileKey, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "zone.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(path.read_bytes()) == 32


def test_an_existing_key_is_never_replaced(key: FileKey, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "zone.key"
    before = path.read_bytes()
    assert FileKey.create(path).unwrap(key.wrap(SECRET, "one"), "one") == SECRET
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [None, b"", b"x" * 31, b"x" * 33])
def test_a_missing_or_damaged_key_says_what_to_do_and_is_not_overwritten(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "zone.key"
    if content is not None:
        path.write_bytes(content)
        with pytest.raises(VeilError):
            FileKey.create(path)
        assert path.read_bytes() == content
    with pytest.raises(VeilError) as caught:
        FileKey(path)
    assert caught.value.fix


def test_the_fingerprint_key_is_not_the_zone_key_and_stays_the_same(key: FileKey, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "zone.key"
    assert key.fingerprint_key() == FileKey(path).fingerprint_key()
    assert key.fingerprint_key() != path.read_bytes()


def test_no_key_is_in_the_text_of_its_object(key: FileKey, tmp_path: Path) -> None:
    assert (tmp_path / "keys" / "zone.key").read_bytes().hex() not in repr(key)


def test_pseudonyms_hold_nothing_but_hexadecimal_digits() -> None:
    scope = Scope("research", 1, "tabular+text")
    for made in (scope.subject(SECRET, "u"), scope.row(SECRET, "u"), scope.object(SECRET, "u")):
        assert len(made) == 32
        assert set(made) <= set("0123456789abcdef")


def test_every_offset_is_as_likely_as_any_other() -> None:
    scope = Scope("research", 1, "tabular")
    offsets = [scope.offset_days(secrets.token_bytes(32), "u") for _ in range(20_000)]
    assert set(offsets) >= {-365, -1, 1, 365}
    assert 0 not in offsets
    # the mean of 20,000 has a standard error of 1.5 days
    assert abs(sum(offsets) / len(offsets)) < 12
