"""Every system call on a folder, reading and writing, so that a test can let any of them fail, wait or be recorded."""

import builtins
import errno
import fcntl
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from windrow.domain.errors import WindrowError

# Those of a path or a descriptor, and those of two paths.
_ONE = (
    "chmod", "fchmod", "fstat", "fsync", "listdir", "lstat", "mkdir", "open", "rmdir", "scandir", "stat", "unlink",
    "utime",
)  # fmt: skip
_TWO = ("link", "rename", "replace")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Call:
    """A system call.

    Args:
        name: What it does: the name of the function of ``os``, ``read``, ``write`` or ``flock``.
        path: On which file or folder, below the folder that is watched.
        target: The second path of a link or a renaming.
        data: What is written.
        is_writing: Whether it can change the disk, or confirms a change.
    """

    name: str
    path: str
    target: str = ""
    data: bytes = b""
    is_writing: bool = False


# Takes a call and what does it; does it, and returns what it returns, or does something worse.
Handler = Callable[[Call, Callable[[], Any]], Any]


@contextmanager
def each_call(root: Path, handler: Handler) -> Iterator[None]:
    """Pass each call of this process on what is in ``root`` to ``handler``, but those that the handler makes.

    What is written goes in two halves, so that a file can also be left half written.
    """
    with _Patch(str(root), handler).patched():
        yield


class FailAt:
    """Lets the call of a given number fail; or that one and all later ones.

    Args:
        number: From 1.
        number_of_error: As the system names it.
        is_lasting: Whether the later ones fail, too.
    """

    def __init__(self, number: int, number_of_error: int, *, is_lasting: bool = False) -> None:
        self.number, self.errno, self.is_lasting, self.calls = number, number_of_error, is_lasting, 0
        self._lock = threading.Lock()

    def __call__(self, call: Call, do: Callable[[], Any]) -> Any:
        """Do it, or fail."""
        with self._lock:
            self.calls += 1
            number = self.calls
        if number == self.number or (self.is_lasting and number > self.number):
            raise OSError(self.errno, os.strerror(self.errno), call.path)
        return do()


def fail_each(
    parent: Path, act: Callable[[Path], object], prepare: Callable[[Path], object] = Path.mkdir, most_calls: int = 1_000
) -> Iterator[tuple[int, Path, object]]:
    """Let each call of a deed fail in turn, in a new folder each time, until one time none has failed.

    Args:
        parent: Where the folders are made.
        act: Does the deed in a folder.
        prepare: Makes the folder.
        most_calls: After so many, it fails.

    Yields:
        The number of the call that failed, the folder, and what the deed returned, or the error that it raised.
    """
    for number in range(1, most_calls):
        folder = parent / str(number)
        prepare(folder)
        failing = FailAt(number, error_for(number))
        outcome: object
        with each_call(folder, failing):
            try:
                outcome = act(folder)
            except WindrowError as error:
                outcome = error
        yield number, folder, outcome
        if failing.calls < number:
            return
    raise AssertionError("it never ends")


class Forbid:
    """Lets each call on some paths fail as one on what belongs to somebody else; a test's user may do everything.

    Args:
        paths: The paths, with all below them.
    """

    def __init__(self, *paths: Path) -> None:
        self._paths = paths

    def __call__(self, call: Call, do: Callable[[], Any]) -> Any:
        """Do it, or fail."""
        if call.name != "stat" and any(Path(call.path).is_relative_to(path) for path in self._paths):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), call.path)
        return do()


class _Patch:
    def __init__(self, root: str, handler: Handler) -> None:
        self._root = root
        self._handler = handler
        self._inside = threading.local()
        self._former = {name: getattr(os, name) for name in (*_ONE, *_TWO)}
        self._readlink = os.readlink

    @contextmanager
    def patched(self) -> Iterator[None]:
        former_open, former_io_open, former_flock = builtins.open, io.open, fcntl.flock
        for name in _ONE:
            setattr(os, name, partial(self._one, name))
        for name in _TWO:
            setattr(os, name, partial(self._two, name))
        fcntl.flock = self._flock(former_flock)
        builtins.open = io.open = partial(self._open_file, former_io_open)
        try:
            yield
        finally:
            builtins.open, io.open, fcntl.flock = former_open, former_io_open, former_flock
            for name, call in self._former.items():
                setattr(os, name, call)

    def handle(self, call: Call, do: Callable[[], Any]) -> Any:
        if getattr(self._inside, "is_so", False):
            return do()
        self._inside.is_so = True
        try:
            return self._handler(call, partial(self._do, do))
        finally:
            self._inside.is_so = False

    def _do(self, do: Callable[[], Any]) -> Any:
        return do()

    def watched(self, path: Any, dir_fd: int | None = None) -> str | None:
        """Return the absolute path where it lies below the folder."""
        if getattr(self._inside, "is_so", False):
            return None
        try:
            if isinstance(path, int):
                found = self._readlink(f"/proc/self/fd/{path}").removesuffix(" (deleted)")
            else:
                found = os.fspath(path)
                if dir_fd is not None:
                    found = f"{self._readlink(f'/proc/self/fd/{dir_fd}')}/{found}"
        except (OSError, TypeError):
            return None
        is_below = isinstance(found, str) and (found == self._root or found.startswith(f"{self._root}/"))
        return found if is_below else None

    def _one(self, name: str, path: Any = ".", *args: Any, **kwargs: Any) -> Any:
        do = partial(self._former[name], path, *args, **kwargs)
        found = self.watched(path, kwargs.get("dir_fd"))
        if found is None:
            return do()
        is_writing = name in ("chmod", "fchmod", "fsync", "mkdir", "rmdir", "unlink", "utime")
        if name == "open":
            flags = args[0] if args else kwargs["flags"]
            is_writing = bool(flags & _WRITING)
            name = "create" if flags & os.O_CREAT else name
        return self.handle(Call(name, found, is_writing=is_writing), do)

    def _two(self, name: str, source: Any, target: Any, **kwargs: Any) -> Any:
        do = partial(self._former[name], source, target, **kwargs)
        found, second = self.watched(source), self.watched(target)
        if found is None and second is None:
            return do()
        return self.handle(Call(name, found or "", second or "", is_writing=True), do)

    def _flock(self, former: Callable[..., Any]) -> Callable[..., Any]:
        def flock(file: Any, operation: int) -> Any:
            found = self.watched(file if isinstance(file, int) else file.fileno())
            do = partial(former, file, operation)
            return do() if found is None else self.handle(Call("flock", found), do)

        return flock

    def _open_file(self, former: Callable[..., Any], path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        found = self.watched(path)
        if found is None:
            return former(path, mode, *args, **kwargs)
        opener = kwargs.get("opener")
        raw_mode = mode.replace("t", "").replace("b", "")
        is_creating = bool(set(raw_mode) & set("wxa")) and not isinstance(path, int)
        make = partial(_WatchedFile, self, path, raw_mode, opener)
        # Where there is an opener, it makes the call, and that is seen.
        if opener is not None or isinstance(path, int):
            raw = make()
        else:
            call = Call("create" if is_creating else "open", found, is_writing=is_creating)
            raw = self.handle(call, make)
        raw.place = found
        if kwargs.get("buffering", args[0] if args else -1) == 0:
            return raw
        buffered = io.BufferedReader(raw) if raw_mode == "r" else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, kwargs.get("encoding"))


class _WatchedFile(io.FileIO):
    place = ""

    def __init__(self, patch: _Patch, path: Any, mode: str, opener: Any) -> None:
        self._patch = patch
        super().__init__(path, mode, opener=opener)

    def write(self, data: Any) -> int:
        done = 0
        for half in (memoryview(data)[: len(data) // 2], memoryview(data)[len(data) // 2 :]):
            if half:
                call = Call("write", self.place, data=bytes(half), is_writing=True)
                done += self._patch.handle(call, partial(super().write, half))
        return done

    def readall(self) -> bytes:
        return self._patch.handle(Call("read", self.place), super().readall)  # type: ignore[no-any-return]

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        return self._patch.handle(Call("read", self.place), partial(super().read, size))  # type: ignore[no-any-return]

    def readinto(self, buffer: Any) -> int:
        return self._patch.handle(Call("read", self.place), partial(super().readinto, buffer))  # type: ignore[no-any-return]


def error_for(number: int) -> int:
    """Return which error a call of a number fails with: a disk that fails, no right, no descriptor, in turns."""
    return (errno.EIO, errno.EACCES, errno.EMFILE)[number % 3]
