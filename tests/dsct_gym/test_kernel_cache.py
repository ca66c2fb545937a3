"""Compiled kernels are kept where they can be, and found again only as what they are."""

import errno
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from dsct_gym import kernel_cache

LENT = """
from enum import IntEnum
from typing import NamedTuple
from dsct_gym.jit import helper

FACTOR = 3.0

class Place(IntEnum):
    LEFT = 0
    RIGHT = 1

class Pair(NamedTuple):
    one: float
    other: float

@helper
def scaled(value):
    return FACTOR * value
"""

KERNELS = """
import lent
from lent import Pair, Place, scaled
from dsct_gym.jit import kernel

@kernel
def answer(value):
    '''Triples and adds one.'''
    return scaled(value) + 1.0

@kernel
def first(pair):
    return pair.one

@kernel
def made(one, other):
    return Pair(one=one, other=other)[0]

@kernel
def right(values):
    return values[Place.RIGHT]

@kernel
def factor():
    return lent.FACTOR
"""


class House:
    """A folder with two modules of kernels, a home and a place for temporary files."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._monkeypatch = monkeypatch
        self.beside = root / "__pycache__"
        self.home = root / "home"
        self.temporary = root / "tmp"
        self.temporary.mkdir()
        monkeypatch.setattr("numba.config.CACHE_DIR", "")
        monkeypatch.setattr("tempfile.tempdir", str(self.temporary))
        monkeypatch.setenv("HOME", str(self.home))
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        self.write("lent", LENT)
        self.write("kernels", KERNELS)

    def write(self, name: str, text: str) -> None:
        (self.root / f"{name}.py").write_text(text)

    def load(self) -> ModuleType:
        """The kernels as a process that starts now has them."""
        self._monkeypatch.setattr(kernel_cache, "_told", set())
        for name in ("lent", "kernels"):
            path = self.root / f"{name}.py"
            module = ModuleType(name)
            self._monkeypatch.setitem(sys.modules, name, module)
            exec(compile(path.read_text(), path, "exec"), module.__dict__)
        return sys.modules["kernels"]

    def kept(self) -> list[Path]:
        return sorted(self.root.rglob("*.nbc"))

    def spoil(self, content: Callable[[bytes], bytes]) -> None:
        for path in self.kept():
            path.write_bytes(content(path.read_bytes()))


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(tmp_path, monkeypatch)


def found(kernel: object) -> bool:
    """Whether a kernel that has been called with one signature was found instead of compiled."""
    stats = kernel.stats  # type: ignore[attr-defined]
    assert stats.cache_hits or stats.cache_misses
    return bool(stats.cache_hits) and not stats.cache_misses


def test_what_is_compiled_is_found_again(house, caplog):
    kernels = house.load()
    assert kernels.answer(2.0) == 7.0
    assert not found(kernels.answer)
    assert [path.parent for path in house.kept()] == [house.beside]
    assert [record.message for record in caplog.records] == [kernel_cache.COMPILING]
    caplog.clear()
    kernels = house.load()
    assert kernels.answer(2.0) == 7.0
    assert found(kernels.answer)
    assert caplog.records == []


def test_every_signature_has_its_own(house):
    house.load().answer(2.0)
    kernels = house.load()
    assert kernels.answer(2) == 7.0
    assert not found(kernels.answer)
    assert len(house.kept()) == 2
    for value in (2, 2.0):
        kernels = house.load()
        assert kernels.answer(value) == 7.0
        assert found(kernels.answer)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: b"garbage" * 1000,
        lambda content: bytes(255 - byte for byte in content),
        lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
    ],
    ids=["emptied", "half", "one byte short", "garbage", "inverted", "one bit"],
)
def test_what_is_damaged_is_compiled_again(house, damage):
    house.load().answer(2.0)
    house.spoil(damage)
    kernels = house.load()
    assert kernels.answer(2.0) == 7.0
    assert not found(kernels.answer)
    kernels = house.load()
    assert kernels.answer(2.0) == 7.0
    assert found(kernels.answer)


def test_what_is_damaged_is_never_unpickled(house):
    class Trap:
        def __reduce__(self):
            return Path.touch, (house.root / "sprung",)

    house.load().answer(2.0)
    house.spoil(lambda content: content[:50] + pickle.dumps(Trap()))
    assert house.load().answer(2.0) == 7.0
    assert not (house.root / "sprung").exists()


@pytest.mark.parametrize(
    ("name", "old", "new", "call", "expected"),
    [
        ("kernels", "scaled(value) + 1.0", "scaled(value) + 2.0", ("answer", 2.0), 8.0),
        ("lent", "FACTOR * value", "value - FACTOR", ("answer", 2.0), 0.0),
        ("lent", "FACTOR = 3.0", "FACTOR = 5.0", ("answer", 2.0), 11.0),
        ("lent", "FACTOR = 3.0", "FACTOR = 5.0", ("factor",), 5.0),
        ("lent", "RIGHT = 1", "RIGHT = 2", ("right", np.arange(3.0)), 2.0),
        ("lent", "one: float\n    other: float", "other: float\n    one: float", ("first",), 2.0),
        ("lent", "one: float\n    other: float", "other: float\n    one: float", ("made",), 2.0),
    ],
)
def test_a_change_in_what_it_is_made_from_counts(house, name, old, new, call, expected):
    """Wherever it is: in the kernel, in a helper of another file, in a constant, in a tuple."""

    def play():
        kernels = house.load()
        kernel = getattr(kernels, call[0])
        arguments = {
            "first": lambda: (sys.modules["lent"].Pair(1.0, 2.0),),
            "made": lambda: (1.0, 2.0),
        }.get(call[0], lambda: call[1:])()
        return kernel(*arguments), kernel

    before, _ = play()
    assert before != expected
    text = (house.root / f"{name}.py").read_text()
    assert old in text
    house.write(name, text.replace(old, new))
    after, kernel = play()
    # A tuple is made and read by place: what changes is which field the first one is.
    assert after == expected
    assert not found(kernel)


def test_what_a_former_version_left_goes(house):
    house.load().answer(2.0)
    house.write("lent", LENT.replace("FACTOR = 3.0", "FACTOR = 5.0"))
    house.load().answer(2.0)
    assert len(house.kept()) == 1


def test_a_change_of_words_does_not(house):
    house.load().answer(2.0)
    house.write("kernels", "# Moved.\n" + KERNELS.replace("Triples and adds one", "As before"))
    kernels = house.load()
    assert kernels.answer(2.0) == 7.0
    assert found(kernels.answer)


class TestSurroundings:
    """Folders that are read-only, full, somebody else's, or not there at all."""

    @pytest.fixture
    def refused(self, monkeypatch):
        """Folders in which nothing can be written; even root is told so."""
        folders: dict[Path, int] = {}
        replace = Path.replace

        def refuse(path, target):
            for folder, number in folders.items():
                if folder in path.parents:
                    raise OSError(number, os.strerror(number), str(path))
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", refuse)
        return folders

    @pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES, errno.EDQUOT])
    def test_the_users_cache_is_next(self, house, refused, number, caplog):
        refused[house.beside] = number
        assert house.load().answer(2.0) == 7.0
        (kept,) = house.kept()
        assert house.home in kept.parents
        told = [record.message for record in caplog.records]
        assert len(told) == 2
        assert f"in {kept.parent.parent}, " in told[1]
        assert os.strerror(number) in told[1]
        assert "NUMBA_CACHE_DIR" in told[1]
        caplog.clear()
        kernels = house.load()
        assert kernels.answer(2.0) == 7.0
        assert found(kernels.answer)
        assert caplog.records == []

    def test_a_folder_that_can_only_be_read_is_read(self, house, refused, caplog):
        house.load().answer(2.0)
        refused[house.root] = errno.EROFS
        caplog.clear()
        kernels = house.load()
        assert kernels.answer(2.0) == 7.0
        assert found(kernels.answer)
        assert caplog.records == []

    def test_without_a_home_there_are_temporary_files(self, house):
        house.beside.write_text("no folder")
        house.home.write_text("no folder")
        assert house.load().answer(2.0) == 7.0
        (kept,) = house.kept()
        assert house.temporary in kept.parents
        kernels = house.load()
        assert kernels.answer(2.0) == 7.0
        assert found(kernels.answer)

    def test_temporary_files_of_another_user_are_left_alone(self, house, monkeypatch):
        house.beside.write_text("no folder")
        house.home.write_text("no folder")
        house.load().answer(2.0)
        assert len(house.kept()) == 1
        for folder in house.temporary.iterdir():
            folder.chmod(0o777)
        kernels = house.load()
        assert kernels.answer(2.0) == 7.0
        assert not found(kernels.answer)

    def test_without_any_folder_every_process_compiles(self, house, caplog):
        for path in (house.beside, house.home):
            path.write_text("no folder")
        house.temporary.rmdir()
        for _ in range(2):
            caplog.clear()
            kernels = house.load()
            assert kernels.answer(2.0) == 7.0
            assert kernels.first(sys.modules["lent"].Pair(1.0, 2.0)) == 1.0
            told = [record.message for record in caplog.records]
            assert len(told) == 2, "one line, however many kernels"
            assert "cannot be kept" in told[1]
            assert "NUMBA_CACHE_DIR" in told[1]
            assert "\n" not in told[1]
        assert house.kept() == []

    def test_the_variable_comes_first(self, house, monkeypatch):
        monkeypatch.setattr("numba.config.CACHE_DIR", str(house.root / "chosen"))
        house.load().answer(2.0)
        (kept,) = house.kept()
        assert house.root / "chosen" in kept.parents

    def test_a_kernel_that_cannot_be_written_down_is_still_called(self, house, monkeypatch):
        def fail(content):
            raise pickle.PicklingError("no")

        monkeypatch.setattr(kernel_cache, "dumps", fail)
        assert house.load().answer(2.0) == 7.0


def test_lines_go_to_stderr_where_nobody_has_set_up_logging(house):
    house.beside.write_text("no folder")
    script = f"import sys; sys.path.insert(0, {str(house.root)!r}); import kernels; "
    script += "print(kernels.answer(2.0))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout == "7.0\n"
    assert len(done.stderr.splitlines()) == 2


def test_processes_that_compile_at_once_do_not_mix_up_their_kernels(house):
    script = f"import sys; sys.path.insert(0, {str(house.root)!r}); import kernels; "
    values = ["2", "2.0", "True", "2j"] * 2
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script + f"assert kernels.answer({value}) == 3 * ({value}) + 1"]
        )
        for value in values
    ]
    assert [process.wait() for process in running] == [0] * len(values)
    assert len(house.kept()) == 4
    for value in (2, 2.0, True, 2j):
        kernels = house.load()
        assert kernels.answer(value) == 3 * value + 1
        assert found(kernels.answer)


def test_numba_may_be_switched_off(house):
    script = f"import sys; sys.path.insert(0, {str(house.root)!r}); import kernels; "
    script += "print(kernels.answer(2.0))"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert house.kept() == []
