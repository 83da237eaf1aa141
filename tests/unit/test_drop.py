from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from veil.cli.drop import drop
from veil.errors import VeilError
from veil.readers import formats
from veil.readers.landing import land
from veil.readers.manifest import Manifest, build_manifest, read_manifest

RECOGNISERS: list[tuple[str, Callable[[str, bytes], str | None]]] = [
    ("tabular", formats.tabular_format),
    ("text", formats.text_format),
    ("photo", formats.photo_format),
]
_SECRET = "Ana-Soto"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "delivered"
    (root / "photos").mkdir(parents=True)
    (root / "Patient.ndjson").write_bytes(b'{"resourceType":"Patient","id":"p"}\n')
    (root / "photos" / f"{_SECRET}.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (root / ".DS_Store").write_bytes(b"x")
    (root / "files.csv").write_text(f"path,patient,encounter,date\nphotos/{_SECRET}.jpg,Patient/p,,2025-01-02\n")
    return root


def _build(folder: Path) -> Manifest:
    return build_manifest(folder, "ehr", RECOGNISERS)


def test_a_folder_is_described(folder: Path) -> None:
    record, photo = _build(folder).files
    assert (record.path, record.modality, record.format, record.subject) == (
        "Patient.ndjson",
        "tabular",
        "fhir-ndjson",
        None,
    )
    assert (photo.modality, photo.subject, photo.encounter, photo.date) == ("photo", "Patient/p", None, "2025-01-02")
    assert (photo.size, photo.sha256) == (4, hashlib.sha256(b"\xff\xd8\xff\xe0").hexdigest())


def test_a_manifest_comes_back_as_it_was_written(folder: Path) -> None:
    manifest = _build(folder)
    (folder / "manifest.json").write_bytes(manifest.to_json())
    assert read_manifest(folder / "manifest.json") == manifest
    assert _SECRET not in repr(manifest)


def _empty(folder: Path) -> None:
    for path in (folder / "Patient.ndjson", folder / "photos" / f"{_SECRET}.jpg"):
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_empty, "no files"),
        (lambda f: (f / _SECRET).symlink_to("/etc/passwd"), "symbolic link"),
        (lambda f: os.mkfifo(f / _SECRET), "special file"),
        (lambda f: (f / f"a\\{_SECRET}").touch(), "portable relative path"),
        (lambda f: (f / "files.csv").write_text(f"path,patient\n{_SECRET},x\n"), "another header"),
        (
            lambda f: (f / "files.csv").write_text(f"path,patient,encounter,date\n{_SECRET},,,\n"),
            "file that the drop lacks",
        ),
        (
            lambda f: (f / "files.csv").write_text(f"path,patient,encounter,date\nPatient.ndjson,{_SECRET},,\n"),
            "The patient in line 2",
        ),
        (
            lambda f: (f / "files.csv").write_text("path,patient,encounter,date\nPatient.ndjson,,,tomorrow\n"),
            "The date in line 2",
        ),
    ],
)
def test_what_a_folder_must_not_hold(folder: Path, spoil: Callable[[Path], object], problem: str) -> None:
    spoil(folder)
    with pytest.raises(VeilError, match=problem) as error:
        _build(folder)
    assert error.value.fix
    assert _SECRET not in str(error.value)


def _manifest(folder: Path, **change: Any) -> Path:
    entry = {"path": "Patient.ndjson", "modality": "tabular", "size": 36, "sha256": "0" * 64, "format": "fhir-ndjson"}
    path = folder / "manifest.json"
    path.write_text(json.dumps({"version": 1, "source": "ehr", "files": [{**entry, **change}]}))
    return path


@pytest.mark.parametrize(
    "change",
    [
        {"path": path}
        for path in ("/etc/passwd", "../x", "a/../../x", "a\\b", "C:x", "a//b", "./a", "", "a\x00b", ".x", "x" * 2000)
    ]
    + [{"size": -1}, {"size": True}, {"size": "36"}, {"sha256": "0" * 63}, {"modality": "../x"}, {"extra": 1}]
    + [{"subject": "Ana Soto"}, {"encounter": "Patient/p"}, {"date": "soon"}, {"path": None}, {"path": 3}],
)
def test_a_manifest_that_breaks_the_rules_is_refused_whole(folder: Path, change: dict[str, Any]) -> None:
    with pytest.raises(VeilError) as error:
        read_manifest(_manifest(folder, **change))
    assert not any(len(str(value)) > 3 and str(value) in str(error.value) for value in change.values())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version":2,"source":"ehr","files":[1]}',
        '{"version":1,"source":"../x","files":[1]}',
        '{"version":1,"source":"ehr","files":[]}',
        '{"version":1,"version":1,"source":"ehr","files":[1]}',
        "[" * 100_000,
    ],
)
def test_a_manifest_that_is_none(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(VeilError):
        read_manifest(folder / "manifest.json")


def test_a_file_that_is_listed_twice(folder: Path) -> None:
    path = _manifest(folder)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "files": document["files"] * 2}))
    with pytest.raises(VeilError, match="twice"):
        read_manifest(path)


def test_a_link_out_of_the_drop_is_refused_even_under_an_innocent_folder(folder: Path) -> None:
    (folder / "linked").symlink_to("/etc")
    with pytest.raises(VeilError, match="link out of the drop"):
        read_manifest(_manifest(folder, path="linked/passwd"))


@pytest.mark.parametrize(
    ("change", "reason"), [({"path": "gone.csv"}, "missing"), ({"size": 5}, "size"), ({"path": "photos"}, "regular")]
)
def test_a_file_that_cannot_be_taken_is_a_problem_of_its_own(folder: Path, change: dict[str, Any], reason: str) -> None:
    (problem,) = read_manifest(_manifest(folder, **change)).problems
    assert problem.position == 0
    assert reason in problem.reason


def _landed(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_drop_lands_whole_and_once(folder: Path, tmp_path: Path) -> None:
    root, manifest = tmp_path / "landing", _build(folder)
    final = land(folder, manifest, root, drop_id="d1")
    assert final == root / "ehr" / "d1"
    assert _landed(root) == ["ehr/d1/Patient.ndjson", "ehr/d1/manifest.json", f"ehr/d1/photos/{_SECRET}.jpg"]
    assert read_manifest(final / "manifest.json") == manifest
    (folder / "Patient.ndjson").write_bytes(b"changed")
    assert land(folder, manifest, root, drop_id="d1") == final
    assert (final / "Patient.ndjson").stat().st_size == 36


@pytest.mark.parametrize("step", range(1, 12))
def test_whatever_is_killed_when_a_second_call_completes_the_drop(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    class Killed(BaseException):
        pass

    root, manifest = tmp_path / "landing", _build(folder)
    remaining = [step]

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            remaining[0] -= 1
            if remaining[0] == 0:
                raise Killed
            return real(*args, **options)

        return call

    with monkeypatch.context() as patch:
        for name in ("fsync", "rename", "replace"):
            patch.setattr(os, name, dying(getattr(os, name)))
        with contextlib.suppress(Killed):
            land(folder, manifest, root, drop_id="d1")
    visible = root / "ehr" / "d1" / "manifest.json"
    if visible.exists():
        assert read_manifest(visible) == manifest
    final = land(folder, manifest, root, drop_id="d1")
    assert read_manifest(final / "manifest.json") == manifest
    assert _landed(root) == ["ehr/d1/Patient.ndjson", "ehr/d1/manifest.json", f"ehr/d1/photos/{_SECRET}.jpg"]


def test_a_file_that_becomes_a_link_after_the_check_is_not_copied(folder: Path, tmp_path: Path) -> None:
    manifest = _build(folder)
    (folder / "Patient.ndjson").unlink()
    (folder / "Patient.ndjson").symlink_to("/etc/passwd")
    with pytest.raises(VeilError, match="link out of it"):
        land(folder, manifest, tmp_path / "landing", drop_id="d1")
    assert _landed(tmp_path / "landing") == []


@pytest.fixture
def veil(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    modalities = types.ModuleType("veil.modalities")
    modalities.recognisers = lambda: RECOGNISERS  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "veil.modalities", modalities)

    def run(*args: str) -> Any:
        return CliRunner().invoke(drop, [*args, "--landing", str(tmp_path / "landing")])

    return run


def test_the_command_lands_and_counts_without_a_name(folder: Path, veil: Callable[..., Any]) -> None:
    result = veil(str(folder), "--source", "ehr", "--json")
    assert result.exit_code == 0
    report = json.loads(result.output)
    assert (report["files"], report["problems"]) == ({"photo": 1, "tabular": 1}, 0)
    assert _SECRET not in result.output + veil(str(folder), "--source", "ehr").output


@pytest.mark.parametrize("source", ["Ehr", "a/b", "..", "", "x" * 33])
def test_the_command_refuses_a_bad_source(folder: Path, veil: Callable[..., Any], source: str) -> None:
    result = veil(str(folder), "--source", source)
    assert result.exit_code == 1
    assert "source" in result.output


def test_the_command_refuses_a_manifest_of_another_source(folder: Path, veil: Callable[..., Any]) -> None:
    _manifest(folder)
    result = veil(str(folder), "--source", "pacs", "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["fix"]


def test_the_command_says_when_there_is_no_drop(tmp_path: Path, veil: Callable[..., Any]) -> None:
    result = veil(str(tmp_path / _SECRET), "--source", "ehr")
    assert result.exit_code == 1
    assert _SECRET not in result.output
