"""Where compiled kernels are kept, so that they are compiled once for an installation.

What Numba brings along for this asks every folder whether it can be written when a module is
imported, and ends the program where none can or the disk is full; it believes what it finds in a
file; two processes that compile at once can leave one's code under the other's name; and it does
not see that a kernel that is called, or a constant, has changed. Here a file holds one kernel for
one signature. Its name is a hash of all that the machine code depends on, so that there is no index
to keep and nothing stale to find; its checksum stands in it; and it lies in the first folder that
takes it: beside the source, in the user's cache, or in the user's own folder for temporary files.
``NUMBA_CACHE_DIR`` names one in place of that beside the source.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import EnumType
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

import numba
import numpy as np
from numba.core import sigutils
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps
from numba.core.types.containers import BaseTuple
from numba.misc.appdirs import AppDirs

from dsct_gym.atomic import make_folder, write_bytes
from dsct_gym.errors import InputError

SUFFIX: Final = ".nbc"
VARIABLE: Final = "NUMBA_CACHE_DIR"
COMPILING: Final = "dsct-gym: compiling kernels, once for an installation (ahead: dsct-gym warm-up)"
NOT_KEPT: Final = (
    "kernels cannot be kept, every process compiles them anew; "
    f"set {VARIABLE} to a folder that can be written"
)

_MARK: Final = b"dsct-gym kernel 1\n"
_CHECK: Final = hashlib.sha256().digest_size
_CONSTANTS: Final = (bool, int, float, complex, str, bytes, type(None), np.generic)

_log = logging.getLogger("dsct_gym")
_told: set[str] = set()

Listener = Callable[[str, bool], None]
"""Hears the name of a kernel, and False when it is about to be compiled, True when it has been."""

_listeners: list[Listener] = []


@contextmanager
def hearing(listener: Listener) -> Iterator[None]:
    """Has a function called before and after each kernel that is compiled."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell_of_compilation(kernel: str, *, done: bool) -> None:
    """Has all who listen hear that a kernel is about to be compiled, or that it has been."""
    for listener in _listeners:
        listener(kernel, done)


class _Shared:
    """Kernels that other processes may be about to compile as well.

    A lock falls with the process that holds it, and none is taken while another is held: compiling
    a kernel compiles no other.

    Args:
        folder: Where the locks are, one for each kernel that was compiled.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: int | None = None

    def claim(self, name: str) -> None:
        """Waits until nobody else compiles a kernel; then it is there, or for us to compile."""
        self.release()
        with suppress(ImportError, OSError):  # without locks, it may be compiled twice
            import fcntl

            self._held = os.open(self._folder / name, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._held, fcntl.LOCK_EX)

    def release(self) -> None:
        """Lets others have the kernel that was claimed last."""
        if self._held is not None:
            os.close(self._held)
            self._held = None


_shared: list[_Shared] = []


@contextmanager
def sharing(folder: Path) -> Iterator[None]:
    """Has the processes that share a folder compile no kernel twice, and in silence.

    Args:
        folder: On this machine; empty at the beginning, of no use afterwards.
    """
    shared = _Shared(folder)
    _shared.append(shared)
    _told.update(("compiling", "elsewhere", "nowhere"))
    try:
        yield
    finally:
        _shared.remove(shared)
        shared.release()


def keeping_folder(source: str) -> Path:
    """Where kernels of a source file are kept.

    Raises:
        InputError: If no folder takes them.
    """
    first = None
    for folder in _folders(source, make=True):
        try:
            probe = make_folder(folder) / f"{secrets.token_hex(8)}.tmp"
            write_bytes(probe, _MARK)
            probe.unlink()
        except (InputError, OSError) as error:
            first = first or error
        else:
            return folder
    raise InputError(f"{NOT_KEPT} ({first})")


class KernelCache(NullCache):  # type: ignore[misc]
    """Keeps one kernel; stands in the place of Numba's own cache.

    Nothing that goes wrong with a file keeps a kernel from being compiled and called.

    Args:
        function: The kernel in Python.
        options: How it is compiled.
    """

    def __init__(self, function: FunctionType, options: Mapping[str, object]) -> None:
        self._function = function
        self._options = options

    @property
    def cache_path(self) -> str:
        """The folder that is looked into first."""
        return str(next(_folders(self._source)))

    def load_overload(self, sig: object, target_context: Any) -> Any:
        """The kernel for a signature as it was compiled before; None where there is none."""
        target_context.refresh()
        name = self._name(sig, target_context.codegen())
        found = self._find(name, target_context)
        if found is None and _shared:
            _shared[-1].claim(name)
            found = self._find(name, target_context)
        if found is None:
            _tell("compiling", COMPILING)
            tell_of_compilation(self._label, done=False)
        return found

    def _find(self, name: str, target_context: Any) -> Any:
        """What is kept under a name; None where there is nothing that can be used."""
        for folder in _folders(self._source):
            content = _read(folder / name)
            if content is not None:
                # Written by this very version, to judge by its name and its checksum.
                with suppress(Exception):
                    return CompileResult._rebuild(target_context, *pickle.loads(content))
        return None

    def save_overload(self, sig: object, data: Any) -> None:
        """Keeps a kernel that has been compiled, or says once why that cannot be."""
        tell_of_compilation(self._label, done=True)
        try:
            self._save(sig, data)
        finally:
            if _shared:
                _shared[-1].release()

    def _save(self, sig: object, data: Any) -> None:
        if data.library.has_dynamic_globals:  # its code holds addresses of this process
            return
        try:
            folder, refused = self._keep(self._name(sig, data.codegen), dumps(data._reduce()))
        except Exception as error:  # whatever it is, the kernel has been compiled and can be called
            _tell(
                "nowhere",
                f"dsct-gym: {NOT_KEPT} ({error})",
            )
            return
        if refused:
            _tell(
                "elsewhere",
                f"dsct-gym: kernels are kept in {folder.parent}, {VARIABLE} moves them ({refused})",
            )
        self._drop_former(folder)

    def _keep(self, name: str, content: bytes) -> tuple[Path, InputError | None]:
        """Writes a file; returns its folder, and why it is not one that should have come first.

        Raises:
            InputError: If no folder takes it.
        """
        first = None
        for folder in _folders(self._source, make=True):
            try:
                check = hashlib.sha256(content).digest()
                write_bytes(make_folder(folder) / name, _MARK + check + content)
            except InputError as error:
                first = first or error
            else:
                return folder, first
        raise first or InputError("there is no folder")

    @property
    def _source(self) -> str:
        return self._function.__code__.co_filename

    @property
    def _label(self) -> str:
        return f"{Path(self._source).stem}.{self._function.__qualname__}"

    @cached_property
    def _stamp(self) -> str:
        """Hash of all that the code of the kernel depends on, whatever it is called with."""
        versions = (numba.__version__, np.__version__, sys.version, sys.implementation.cache_tag)
        parts = _describe_code(self._function, self._options, {self._function})
        digest = hashlib.sha256("\n".join([*versions, *parts]).encode())
        return digest.hexdigest()[:16]

    def _name(self, sig: object, codegen: Any) -> str:
        """Name of the file of a signature on this processor."""
        arguments, _ = sigutils.normalize_signature(sig)
        described = (codegen.magic_tuple(), [*map(_describe_type, arguments)])
        key = hashlib.sha256(repr(described).encode()).hexdigest()[:16]
        return f"{self._prefix}{self._stamp}-{key}{SUFFIX}"

    @property
    def _prefix(self) -> str:
        label = self._label.replace("<", "").replace(">", "")
        return f"{label}-{sys.implementation.cache_tag}-"

    def _drop_former(self, folder: Path) -> None:
        """Deletes what an earlier version of the kernel has left in a folder."""
        with suppress(OSError):
            for path in folder.glob(f"{self._prefix}*{SUFFIX}"):
                if not path.name.startswith(self._prefix + self._stamp):
                    path.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    """What was kept in a file; None where there is none, or not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    check, kept = content[len(_MARK) :][:_CHECK], content[len(_MARK) + _CHECK :]
    whole = content.startswith(_MARK) and hashlib.sha256(kept).digest() == check
    return kept if whole else None


def _folders(source: str, *, make: bool = False) -> Iterator[Path]:
    """Where the kernels of a source file may lie, the place to be preferred first.

    Args:
        source: The file.
        make: Whether the folder for temporary files is made where there is none yet.
    """
    home = Path(source).parent
    below = f"{home.name}_{hashlib.sha256(str(home).encode()).hexdigest()[:16]}"
    if numba.config.CACHE_DIR:
        yield Path(numba.config.CACHE_DIR) / below
    elif Path(source).is_file():
        yield home / "__pycache__"
    user = Path(AppDirs("dsct-gym", appauthor=False).user_cache_dir)
    if user.is_absolute():  # not so where nobody knows the user's home
        yield user / below
    temporary = _own_temporary(make)
    if temporary is not None:
        yield temporary / below


def _own_temporary(make: bool) -> Path | None:
    """The user's own folder for temporary files, None where it is somebody else's.

    What is read from there is run: a folder that another user made first is not taken.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    try:
        folder = Path(tempfile.gettempdir()) / f"dsct-gym-{user}"
        if make:
            folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    private = not hasattr(os, "getuid") or (status.st_uid == user and not status.st_mode & 0o022)
    return folder if stat.S_ISDIR(status.st_mode) and private else None


def _tell(what: str, line: str) -> None:
    """One line for the user, once in a process, on stderr where logging is not set up otherwise."""
    if what not in _told:
        _told.add(what)
        _log.warning(line)


def _describe_type(of: Any) -> tuple[str, ...]:
    """A type of Numba with the fields of every named tuple in it.

    Fields of one type that change places leave the type as it is, but not the code.
    """
    if not isinstance(of, BaseTuple):
        return (str(of),)
    kind = getattr(of, "instance_class", None)
    inner = tuple(part for each in of for part in _describe_type(each))
    return (str(of), _describe_class(kind) if kind is not None else "", *inner)


def _describe_class(kind: type) -> str:
    """A named tuple with its fields, an enumeration with its members, of another class the name."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(kind, EnumType):
        return f"{name} {[*kind.__members__.items()]}"
    return f"{name} {getattr(kind, '_fields', '')}"


def _describe_code(
    function: FunctionType, options: Mapping[str, object], seen: set[object]
) -> Iterator[str]:
    """All that the machine code of a function is made from, what it calls included."""
    yield f"{function.__module__}.{function.__qualname__} {sorted(options.items())!r}"
    yield repr((function.__defaults__, function.__kwdefaults__))
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        yield repr((code.co_code.hex(), code.co_varnames, code.co_names, code.co_freevars))
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                codes.append(constant)
            elif constant != function.__doc__:
                yield repr(
                    sorted(constant, key=repr) if isinstance(constant, frozenset) else constant
                )
        for name in code.co_names:
            if name in function.__globals__:
                yield from _describe(name, function.__globals__[name], code.co_names, seen)
    for cell in function.__closure__ or ():
        yield from _describe("", cell.cell_contents, (), seen)


def _describe(name: str, thing: Any, names: tuple[str, ...], seen: set[object]) -> Iterator[str]:
    """What the code depends on through one global name.

    Args:
        name: The name.
        thing: What it stands for.
        names: Attributes that may be asked of it, where it is a module.
        seen: Functions that have been described.
    """
    if isinstance(thing, Dispatcher | FunctionType):
        function: FunctionType = thing.py_func if isinstance(thing, Dispatcher) else thing
        yield f"{name} calls {function.__qualname__}"
        if function not in seen:
            seen.add(function)
            yield from _describe_code(function, getattr(thing, "targetoptions", {}), seen)
    elif isinstance(thing, ModuleType):
        yield f"{name} module {thing.__name__}"
        if thing.__name__.partition(".")[0] not in ("numpy", "math", "numba"):
            for attribute in names:
                if hasattr(thing, attribute):
                    yield from _describe(attribute, getattr(thing, attribute), (), seen)
    elif isinstance(thing, type):
        yield f"{name} {_describe_class(thing)}"
    elif isinstance(thing, tuple):
        yield f"{name} {type(thing).__qualname__}"
        for part in thing:
            yield from _describe("", part, (), seen)
    elif isinstance(thing, np.ndarray):
        yield f"{name} {thing.dtype} {thing.shape} {thing.tobytes().hex()}"
    elif isinstance(thing, _CONSTANTS):
        yield f"{name} {type(thing).__qualname__} {thing!r}"
    else:
        yield f"{name} {getattr(thing, '__module__', '')} {getattr(thing, '__qualname__', '')}"
