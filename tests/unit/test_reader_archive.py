"""Zip archives: one bad file does not stop the others, and none is inflated beyond what is announced."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from veil.contracts import Malformed
from veil.readers import archive
from veil.readers.archive import Member, members
from veil.readers.problem import Problem


def zipped(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def test_files_come_one_by_one_with_their_place(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a/": b"", "a/1": b"one", "../2": b"two"})
    assert list(members(path)) == [Member(1, "a/1", b"one"), Member(2, "../2", b"two")]


def test_a_damaged_file_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"1": b"damaged" * 10, "2": b"two"}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"damaged", b"dAmaged", 1))
    first, second = members(path)
    assert isinstance(first, Problem)
    assert first.reason.startswith("a file in the archive is damaged")
    assert second == Member(1, "2", b"two")


def test_a_file_that_is_larger_than_it_says_is_not_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.zip", {"1": bytes(1 << 20)})
    monkeypatch.setattr(archive, "LARGEST", 1 << 16)
    [problem] = members(path)
    assert isinstance(problem, Problem)
    assert "larger than" in problem.reason


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + bytes(1000), b""])
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(Malformed, match="the archive is damaged"):
        list(members(tmp_path / "a.zip"))


def test_an_archive_of_too_many_files_is_refused_before_any_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_FILES", 1)
    with pytest.raises(Malformed, match="more than 1 files"):
        next(members(zipped(tmp_path / "a.zip", {"1": b"", "2": b""})))
