"""What a worker makes of a batch of bronze, without Spark."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.exceptions import InvalidTag

from veil import modalities
from veil.anonymize.worker import Anonymizer
from veil.contracts import Finding, Item, Malformed, Outcome, Span, Unpublishable
from veil.identity import Scope
from veil.keys import FileKey
from veil.objects import ObjectStore
from veil.policy import Policy, load_policy

CONFIG = Path(__file__).parents[2] / "dags" / "config"
NAME = "Quillon Vasterby"
LINK = pa.struct(
    [("ref", pa.string()), ("row_uid", pa.string()), ("subject_uid", pa.string()), ("wrapped", pa.binary())]
)
KNOWN = pa.struct([("kind", pa.string()), ("value", pa.string()), ("role", pa.string())])
TEXT = ("row_uid", "subject_uid", "type", "key", "parent", "content", "object_id", "columns")
BRONZE = pa.schema(
    [
        *((name, pa.string()) for name in TEXT),
        ("part_of", pa.string()),
        ("retired", pa.bool_()),
        ("wrapped", pa.binary()),
        ("known", pa.list_(KNOWN)),
        ("links", pa.list_(LINK)),
        ("current", pa.list_(pa.string())),
        ("denied", pa.bool_()),
        ("deleted", pa.bool_()),
    ]
)
Transform = Callable[[Item], Outcome]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(CONFIG / "products" / "research.toml", CONFIG / "site.toml")


class Bench:
    """A zone with a key, and a worker over rows of it."""

    def __init__(self, folder: Path, policy: Policy) -> None:
        self.folder, self.policy = folder, policy
        self.key = FileKey.create(folder / "zone.key")
        self.secrets: dict[str, bytes] = {}
        self.withheld: frozenset[str] = frozenset()

    def row(self, content: str | None, subject: str = "s1", **further: Any) -> dict[str, Any]:
        secret = self.secrets.setdefault(subject, secrets.token_bytes(32))
        named = {"row_uid": secrets.token_hex(16), "subject_uid": subject, "type": "Observation"}
        fixed = {"key": "Observation/1", "parent": "Observation/1", "retired": False}
        return {**named, **fixed, "content": content, "wrapped": self.key.wrap(secret, subject), **further}

    def stage(self, modality: str, *rows: dict[str, Any]) -> list[dict[str, Any]]:
        key, bronze, staged = self.folder / "zone.key", self.folder / "bronze", self.folder / "staged"
        worker = Anonymizer(self.policy.canonical, modality, 2026, key, str(bronze), str(staged), self.withheld)
        (batch,) = worker(iter([pa.RecordBatch.from_pylist(list(rows), schema=BRONZE)]))
        return [{**row, "dropped": json.loads(row["dropped"])} for row in batch.to_pylist()]


@pytest.fixture
def bench(tmp_path: Path, policy: Policy) -> Bench:
    return Bench(tmp_path, policy)


@pytest.fixture
def with_transform(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Transform], None]:
    """Have a modality's anonymizer do what a test says."""

    def install(name: str, transform: Transform) -> None:
        changed = replace(modalities.get(name), anonymizer=lambda _policy, _year: transform)
        monkeypatch.setattr(modalities, "get", lambda _name: changed)

    return install


def hostile(item: Item) -> Outcome:
    if item.content and NAME in item.content:
        raise ValueError(f"cannot parse {item.content}")
    return Outcome(content="clean")


def test_a_poisonous_item_is_set_aside_by_the_type_of_its_error_and_the_others_go_on(
    bench: Bench, with_transform: Callable[..., None]
) -> None:
    with_transform("text", hostile)
    first, poisoned, last = bench.stage("text", bench.row("a"), bench.row(f"seen: {NAME}"), bench.row("b"))
    assert (first["content"], last["content"]) == ("clean", "clean")
    assert (poisoned["rule"], poisoned["reason"]) == ("failed-anonymizer", "the anonymizer failed: ValueError")
    assert poisoned["content"] is None
    assert "Vasterby" not in json.dumps(poisoned)


def test_a_record_that_is_no_json_quotes_nothing(bench: Bench) -> None:
    (staged,) = bench.stage("tabular", bench.row('{"resourceType": "Patient", "name": [{"family": "Vasterby"'))
    assert staged["rule"] == "failed-anonymizer"
    assert staged["content"] is None
    assert "Vasterby" not in json.dumps(staged)


@pytest.mark.parametrize("error", [Unpublishable, Malformed])
def test_a_reason_for_a_person_is_kept(
    error: type[Exception], bench: Bench, with_transform: Callable[..., None]
) -> None:
    def refuse(_item: Item) -> Outcome:
        raise error("the note is empty")

    with_transform("text", refuse)
    (staged,) = bench.stage("text", bench.row(""))
    assert (staged["rule"], staged["reason"], staged["content"]) == ("unpublishable", "the note is empty", None)


def finds(item: Item) -> Outcome:
    span = Span(5, 21, "NAME", "lexicon", "known")
    return Outcome("seen [NAME]", findings=[Finding("text", span, (item.content or "")[5:21])], dropped={"line": 2})


def test_a_finding_says_where_and_never_what(bench: Bench, with_transform: Callable[..., None]) -> None:
    with_transform("text", finds)
    (staged,) = bench.stage("text", bench.row(f"seen {NAME}"))
    (finding,) = staged["findings"]
    assert {name: finding[name] for name in ("path", "start", "end", "kind", "detector", "rule")} == {
        "path": "text", "start": 5, "end": 21, "kind": "NAME", "detector": "lexicon", "rule": "known"
    }  # fmt: skip
    assert "Vasterby" not in json.dumps(staged)
    assert staged["dropped"] == {"line": 2}


def test_the_hash_of_a_finding_cannot_be_guessed_without_the_zone_key(
    bench: Bench, policy: Policy, tmp_path: Path, with_transform: Callable[..., None]
) -> None:
    with_transform("text", finds)

    def hashed(where: Bench, text: str) -> str:
        (staged,) = where.stage("text", where.row(text))
        return str(staged["findings"][0]["value_hmac"])

    mine = hashed(bench, f"seen {NAME}")
    assert mine == hashed(bench, f"seen {NAME} again")
    assert mine != hashed(bench, "seen Quillon Westerby")
    assert mine != hashed(Bench(tmp_path / "elsewhere", policy), f"seen {NAME}")
    assert mine not in (
        digest(NAME.encode()).hexdigest()[:32] for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5)
    )


def test_a_slice_says_how_many_of_its_study_are_held(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def clean(item: Item) -> Outcome:
        if item.content == "broken":
            raise Unpublishable("damaged")
        return Outcome('{"modality": "MR"}', b"pixels")

    changed = replace(modalities.get("dicom"), anonymizer=lambda _policy, _year: clean)
    monkeypatch.setattr(modalities, "get", lambda _name: changed)
    first, second = "ImagingStudy/1", "ImagingStudy/2"
    wholes = {"a": first, "broken": first, "b": first, "withheld": first, "c": second, "alone": None}
    # the head of a subject's rows carries the secret for all of them
    rows = [bench.row(content, part_of=whole) for content, whole in wholes.items()]
    rows = [rows[0], *({**row, "wrapped": None} for row in rows[1:])]
    rows.append({**rows[1], "row_uid": "gone", "deleted": True})
    bench.withheld = frozenset([rows[3]["row_uid"]])
    told = {row["row_uid"]: row["content"] for row in bench.stage("dicom", *rows)}
    said = [json.loads(told[row["row_uid"]] or "{}") for row in rows]
    of_first = {"modality": "MR", "received": 4, "held": 2}
    of_second = {"modality": "MR", "received": 1, "held": 0}
    assert said == [of_first, {}, of_first, {}, of_second, {"modality": "MR"}, {}]


def test_a_retired_row_yields_its_ids_and_nothing_else(bench: Bench, with_transform: Callable[..., None]) -> None:
    with_transform("text", hostile)
    row = bench.row(f"seen {NAME}")
    live, retired = bench.stage("text", {**row, "content": "fine"}, {**row, "retired": True})
    assert retired["retired"]
    assert (retired["row_id"], retired["subject"]) == (live["row_id"], live["subject"])
    empty = ("content", "record_id", "object_id", "sha256", "rule", "reason")
    assert [retired[name] for name in empty] == [None] * len(empty)
    assert (retired["findings"], retired["dropped"]) == ([], {})


def test_ids_come_from_the_secret_of_the_subject_in_the_scope_of_the_product(bench: Bench, policy: Policy) -> None:
    row = bench.row('{"resourceType": "Observation", "status": "final"}')
    (staged,) = bench.stage("tabular", row)
    scope = Scope(policy.product, policy.epoch, policy.group_of("tabular"))
    assert staged["row_id"] == scope.row(bench.secrets["s1"], row["row_uid"])
    assert staged["subject"] == scope.subject(bench.secrets["s1"], "s1")


def test_records_and_their_notes_share_a_pseudonym_and_photographs_do_not(
    bench: Bench, with_transform: Callable[..., None]
) -> None:
    with_transform("text", lambda _item: Outcome("clean"))
    row = bench.row("x")
    subjects = {name: bench.stage(name, row)[0]["subject"] for name in ("tabular", "text", "photo")}
    assert subjects["tabular"] == subjects["text"] != subjects["photo"]


def test_a_secret_that_belongs_to_somebody_else_stops_the_job(bench: Bench) -> None:
    row = bench.row("{}")
    with pytest.raises(InvalidTag):
        bench.stage("tabular", {**row, "subject_uid": "s2"})


def test_a_reference_becomes_the_published_id_of_its_target_and_one_without_a_target_is_dropped(bench: Bench) -> None:
    patient = bench.row('{"resourceType": "Patient", "gender": "male"}', type="Patient")
    link = {name: patient[name] for name in ("row_uid", "subject_uid", "wrapped")} | {"ref": "Patient/77"}
    record = {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": "Patient/77"},
        "encounter": {"reference": "Encounter/visit"},
    }
    target, staged = bench.stage("tabular", patient, bench.row(json.dumps(record), links=[link]))
    published = json.loads(staged["content"])
    assert target["row_id"] in json.dumps(published["subject"])
    assert "visit" not in staged["content"]
    assert "Patient/77" not in staged["content"]
    assert not published.get("encounter")


def test_a_note_names_its_record_only_if_the_record_is_published_in_the_same_group(
    bench: Bench, with_transform: Callable[..., None]
) -> None:
    with_transform("text", lambda _item: Outcome("clean"))
    parent = bench.row("{}")
    link = {name: parent[name] for name in ("row_uid", "subject_uid", "wrapped")} | {"ref": "DocumentReference/9"}
    note = bench.row("x", key="text/1", parent="DocumentReference/9")
    record, linked, unlinked = bench.stage("text", parent, {**note, "links": [link]}, note)
    assert linked["record_id"] == record["row_id"]
    assert unlinked["record_id"] is None


def test_a_payload_is_staged_under_an_id_that_is_not_its_row_and_its_digest_is_noted(
    bench: Bench, tmp_path: Path, with_transform: Callable[..., None]
) -> None:
    with_transform("photo", lambda item: Outcome("{}", payload=b"clean " + (item.payload or b"")))
    ObjectStore(tmp_path / "bronze").put("ab12", b"raw")
    (staged,) = bench.stage("photo", bench.row("{}", object_id="ab12"))
    assert ObjectStore(tmp_path / "staged").get(staged["object_id"]) == b"clean raw"
    assert staged["sha256"] == hashlib.sha256(b"clean raw").hexdigest()
    assert staged["object_id"] not in (staged["row_id"], staged["subject"], "ab12")


def test_a_binary_item_without_a_payload_is_set_aside(bench: Bench, with_transform: Callable[..., None]) -> None:
    with_transform("photo", lambda _item: Outcome("{}"))
    (staged,) = bench.stage("photo", bench.row("{}"))
    assert staged["rule"] == "failed-anonymizer"
    assert (staged["content"], staged["object_id"]) == (None, None)


@pytest.mark.parametrize(("profile", "shifts"), [("safe_harbor", False), ("expert", True)])
def test_dates_shift_under_the_expert_profile_alone(
    profile: str, shifts: bool, bench: Bench, with_transform: Callable[..., None]
) -> None:
    seen: list[int] = []

    def note(item: Item) -> Outcome:
        seen.append(item.offset_days)
        return Outcome("clean")

    with_transform("text", note)
    changed = bench.policy.canonical.replace('"safe_harbor","purpose"', f'"{profile}","purpose"')
    bench.policy = Policy.from_canonical(changed)
    assert bench.policy.profile == profile
    bench.stage("text", bench.row("a"), bench.row("b"), bench.row("c", subject="s2"))
    assert seen[0] == seen[1]
    assert [offset != 0 for offset in seen] == [shifts] * 3


def test_a_held_modality_has_no_worker(bench: Bench) -> None:
    with pytest.raises(ValueError, match="no anonymizer"):
        bench.stage("audio", bench.row("x"))


def test_a_head_serves_the_rows_behind_it_and_only_current_ones_are_staged(
    bench: Bench, with_transform: Callable[..., None]
) -> None:
    with_transform("text", lambda item: Outcome(f"{len(item.known)} known"))
    rows = [{**bench.row(text), "wrapped": None} for text in ("a", "b", "c")]
    known = [{"kind": "NAME", "value": NAME, "role": "subject"}]
    head = {**bench.row(None), "row_uid": None, "known": known, "current": [rows[0]["row_uid"], rows[2]["row_uid"]]}
    other = {**bench.row("d", subject="s2"), "wrapped": None}  # of a subject without a head: their secret is gone
    staged = bench.stage("text", head, *rows, other)
    assert [row["row_uid"] for row in staged] == [rows[0]["row_uid"], rows[2]["row_uid"]]
    assert {row["content"] for row in staged} == {"1 known"}


def test_what_one_note_tells_the_others_of_the_subject_are_searched_for(bench: Bench) -> None:
    notes = ("Mr. Zenatrol was seen today and felt well.", "she was asking for zenatrol twice a day")
    rows = [{**bench.row(text), "wrapped": None, "type": "text"} for text in notes]
    first, second = bench.stage("text", {**bench.row(None), "row_uid": None}, *rows)
    assert "Zenatrol" not in first["content"]
    assert second["content"] == "she was asking for [NAME] twice a day"


def test_of_a_subject_who_denies_and_of_a_row_that_is_withheld_ids_alone_are_staged(bench: Bench) -> None:
    row = {**bench.row('{"resourceType": "Observation", "status": "final"}'), "wrapped": None}
    head = {**bench.row(None), "row_uid": None, "denied": True}
    bench.withheld = frozenset()
    (denied,) = bench.stage("tabular", head, row)
    bench.withheld = frozenset({row["row_uid"]})
    (withheld,) = bench.stage("tabular", {**head, "denied": None}, row)
    assert denied["retired"]
    assert withheld["retired"]
    assert (denied["content"], withheld["content"]) == (None, None)


def test_a_deletion_that_was_superseded_takes_nothing_back(bench: Bench) -> None:
    row = {**bench.row('{"resourceType": "Observation", "status": "final"}'), "wrapped": None, "deleted": True}
    head = {**bench.row(None), "row_uid": None, "current": [row["row_uid"]]}
    (taken_back,) = bench.stage("tabular", head, row)
    assert taken_back["retired"]
    assert bench.stage("tabular", {**head, "current": []}, row) == []
