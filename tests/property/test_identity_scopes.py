"""Nothing of one product, epoch or linkage group can be compared with another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from veil.identity import Scope

names = st.from_regex(r"[a-z][a-z0-9_+-]{0,20}", fullmatch=True)
scopes = st.builds(Scope, product=names, epoch=st.integers(1, 999), group=names)
secrets = st.binary(min_size=32, max_size=32)
uids = st.text("0123456789abcdef", min_size=32, max_size=32)


def published(scope: Scope, secret: bytes, uid: str) -> dict[str, str]:
    return {
        "subject": scope.subject(secret, uid),
        "row": scope.row(secret, uid),
        "object": scope.object(secret, uid),
        "offset": scope.derive(secret, "offset", uid).hex(),
    }


@given(scopes, secrets, uids)
def test_the_same_subject_has_the_same_names_in_the_same_scope(scope: Scope, secret: bytes, uid: str) -> None:
    again = Scope(scope.product, scope.epoch, scope.group)
    assert published(scope, secret, uid) == published(again, secret, uid)
    assert scope.offset_days(secret, uid) == again.offset_days(secret, uid)


@given(scopes, secrets, uids, st.data())
def test_products_epochs_and_groups_share_nothing(scope: Scope, secret: bytes, uid: str, data: Any) -> None:
    others = [
        replace(scope, product=data.draw(names.filter(lambda name: name != scope.product))),
        replace(scope, epoch=scope.epoch + data.draw(st.integers(1, 999))),
        replace(scope, group=data.draw(names.filter(lambda name: name != scope.group))),
    ]
    mine = set(published(scope, secret, uid).values())
    for other in others:
        assert not mine & set(published(other, secret, uid).values())


@given(scopes, scopes, secrets, uids)
def test_no_two_scopes_run_into_each_other(one: Scope, other: Scope, secret: bytes, uid: str) -> None:
    shared = set(published(one, secret, uid).values()) & set(published(other, secret, uid).values())
    assert bool(shared) == (one == other)


@given(scopes, secrets, secrets, uids, uids)
def test_subjects_share_nothing(scope: Scope, secret: bytes, other_secret: bytes, uid: str, other_uid: str) -> None:
    mine = published(scope, secret, uid)
    assert len(set(mine.values())) == len(mine)
    if secret != other_secret:
        assert not set(mine.values()) & set(published(scope, other_secret, uid).values())
    if uid != other_uid:
        assert not set(mine.values()) & set(published(scope, secret, other_uid).values())


@given(scopes, secrets, uids)
def test_no_published_name_shows_what_it_was_made_of(scope: Scope, secret: bytes, uid: str) -> None:
    for name in published(scope, secret, uid).values():
        assert name not in (uid, secret.hex(), secret.hex()[:32])


@given(scopes, secrets, uids)
def test_a_date_is_always_shifted_and_by_a_year_at_the_most(scope: Scope, secret: bytes, uid: str) -> None:
    assert 1 <= abs(scope.offset_days(secret, uid)) <= 365
