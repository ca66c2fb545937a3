"""Files appear whole or not at all; links, pipes and permissions stay what they are."""

import os
from pathlib import Path

import pytest

from dsct_gym.atomic import make_folder, write_bytes, write_text
from dsct_gym.errors import InputError


def test_nothing_is_left_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept"
    write_bytes(path, b"before")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(InputError, match="cannot be written: No space left"):
        write_text(path, "after")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_written_with_the_usual_permissions(tmp_path: Path) -> None:
    ordinary, written = tmp_path / "ordinary", tmp_path / "written"
    ordinary.write_text("x", encoding="utf-8")
    write_text(written, "x")
    assert written.stat().st_mode == ordinary.stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("before", encoding="utf-8")
    link.symlink_to(target)
    write_text(link, "after")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "after"


def test_a_pipe_is_written_directly() -> None:
    reader, writer = os.pipe()
    try:
        write_text(f"/dev/fd/{writer}", "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
        os.close(writer)


def test_folders_are_made_with_those_above_or_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert make_folder(folder) == folder
    assert make_folder(folder).is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file: cannot be made: File exists"):
        make_folder(tmp_path / "file")
