"""Files and folders are whole or absent, and belong to whom the umask says."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainables.storage.atomic import new_file, new_folder, write_text


class Killed(BaseException):
    """What no `except Exception` would see."""


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_text_is_written_replaced_and_leaves_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "er" / "a.json"
    write_text(file, "é\n")
    assert file.read_bytes() == b"\xc3\xa9\n"
    write_text(file, "two")
    assert file.read_text() == "two"
    assert names(file.parent) == ["a.json"]


def test_a_reader_sees_the_old_content_until_the_end(tmp_path: Path) -> None:
    file = tmp_path / "a"
    write_text(file, "old")
    with new_file(file) as temporary:
        temporary.write_text("new")
        assert temporary.parent == file.parent
        assert file.read_text() == "old"
    assert file.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Killed])
def test_what_breaks_a_file_leaves_the_old_one_and_no_litter(
    tmp_path: Path, error: type[BaseException]
) -> None:
    write_text(tmp_path / "a", "old")
    for name in ("a", "b"):
        with pytest.raises(error), new_file(tmp_path / name) as file:  # noqa: PT012
            file.write_text("half")
            raise error
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_text_that_cannot_be_encoded_leaves_the_old_one(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a", "\ud800")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_folder_replaces_the_old_one_whole(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with new_folder(tmp_path / "a") as folder:
            (folder / "deep").mkdir()
            (folder / "deep" / name).write_text(name)
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a" / "deep") == ["two"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Killed])
def test_what_breaks_a_folder_leaves_the_old_one_and_no_litter(
    tmp_path: Path, error: type[BaseException]
) -> None:
    with new_folder(tmp_path / "a") as folder:
        (folder / "old").write_text("old")
    for name in ("a", "b"):
        with pytest.raises(error), new_folder(tmp_path / name) as folder:  # noqa: PT012
            (folder / "new").write_text("half")
            raise error
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["old"]


def test_modes_follow_the_umask(tmp_path: Path, umask: int) -> None:
    write_text(tmp_path / "file", "x")
    with new_folder(tmp_path / "folder") as folder:
        (folder / "inside").touch(0o600)  # as safetensors leaves its own
    assert mode(tmp_path / "file") == 0o666 & ~umask
    assert mode(tmp_path / "folder") == 0o777 & ~umask
    assert mode(tmp_path / "folder" / "inside") == 0o666 & ~umask


def test_the_umask_is_left_as_it_was(tmp_path: Path, umask: int) -> None:
    write_text(tmp_path / "file", "x")
    assert os.umask(umask) == umask


@pytest.mark.parametrize(("durable", "flushed"), [(True, 2), (False, 0)])
def test_nobody_waits_for_the_disk_where_a_file_need_not_last(tmp_path, monkeypatch, durable, flushed):
    """Flushed are the file and the folder that names it."""
    calls = []
    monkeypatch.setattr(os, "fsync", calls.append)
    with new_file(tmp_path / "file", durable=durable) as file:
        file.write_text("whole")
    assert (tmp_path / "file").read_text() == "whole"
    assert len(calls) == flushed
