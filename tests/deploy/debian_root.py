"""Builds an image's stages in bare Debian roots, and runs the result, with the same commands and without a daemon.

``mmdebstrap`` makes the root that ``debian:<suite>-slim`` is, too. A command of a build runs there by ``chroot``. The
network is there for ``apt-get`` alone: pip finds in a folder what was downloaded before. The result runs with the user,
the variables and the command that the Dockerfile names, with a root that nobody can write, in a network of its own that
leads nowhere.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.deploy.dockerfile import Instruction, Stage

WHEELS = "/wheels"
TIMEOUT_S = 900
# The seccomp filter and capabilities of a daemon are not rebuilt here; that no right is left is.
NO_RIGHTS = ["--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]


@dataclass(frozen=True)
class Image:
    """What a stage became: a root, and how it is run."""

    root: Path
    variables: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"})
    arguments: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    folder: str = "/"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()

    @property
    def size_mb(self) -> int:
        """What the root takes on a disk, as ``du`` counts it."""
        done = subprocess.run(["du", "--summarize", "-B1000000", self.root], capture_output=True, text=True, check=True)
        return int(done.stdout.split()[0])


def configured(image: Image, each: Instruction) -> Image:
    """Return an image with what an instruction says of how it is run."""
    changed: dict[str, Any]
    match each.keyword:
        case "ENV":
            changed = {"variables": image.variables | dict(word.split("=", 1) for word in each.words)}
        case "ARG":
            changed = {"arguments": image.arguments | dict([each.text.split("=", 1)])}
        case "VOLUME":
            changed = {"volumes": (*image.volumes, each.text)}
        case "HEALTHCHECK":
            changed = {"health": tuple(replace(each, text=each.text.removeprefix("CMD").strip()).words)}
        case "ENTRYPOINT" | "CMD":
            changed = {"entrypoint" if each.keyword == "ENTRYPOINT" else "command": tuple(each.words)}
        case "USER" | "WORKDIR":
            changed = {"user" if each.keyword == "USER" else "folder": each.text}
        case _:
            changed = {}
    return replace(image, **changed)


class Builder:
    """Builds stages, each once.

    Args:
        stages: Of the Dockerfile.
        context: The folder that COPY copies from.
        wheels: Where pip finds every package.
        folder: Where the roots are made.
    """

    def __init__(self, stages: Mapping[str, Stage], context: Path, wheels: Path, folder: Path) -> None:
        self._stages = stages
        self._context = context
        self._wheels = wheels
        self._folder = folder
        self._built: dict[str, Image] = {}
        self.seconds: dict[str, float] = {}

    def build(self, name: str) -> Image:
        """Return what a stage becomes, after each stage that it needs."""
        if name not in self._built:
            began = time.monotonic()
            self._built[name] = self._build(name)
            self.seconds[name] = time.monotonic() - began
        return self._built[name]

    def _build(self, name: str) -> Image:
        stage = self._stages.get(name)
        if stage is None:
            return self._bare(name)
        before = self.build(stage.base)
        image = replace(before, root=self._folder / name)
        subprocess.run(["cp", "--archive", before.root, image.root], check=True)
        for instruction in stage.instructions:
            image = self._do(instruction, image)
        return image

    def _bare(self, image: str) -> Image:
        found = re.fullmatch(r"debian:(\w+)-slim", image)
        assert found is not None, f"{image} is no image that mmdebstrap makes"
        root = self._folder / found[1]
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", found[1], root], check=True, timeout=TIMEOUT_S)
        return Image(root)

    def _do(self, each: Instruction, image: Image) -> Image:
        if each.keyword == "RUN":
            self._run(each.text, image)
        elif each.keyword == "COPY":
            self._copy(each, image)
        elif each.keyword == "WORKDIR":
            (image.root / each.text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        return configured(image, each)

    def _run(self, command: str, image: Image) -> None:
        pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        variables = image.variables | image.arguments | pip | {"DEBIAN_FRONTEND": "noninteractive"}
        mounts = {"/dev": "/dev", "/etc/resolv.conf": "/etc/resolv.conf", str(self._wheels): WHEELS}
        inside = [
            "chroot",
            str(image.root),
            *environment(variables),
            "sh",
            "-ec",
            f'cd "$0" && {command}',
            image.folder,
        ]
        done = subprocess.run(
            in_namespaces(image.root, mounts, inside), capture_output=True, text=True, timeout=TIMEOUT_S
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def _copy(self, each: Instruction, image: Image) -> None:
        *sources, target = each.words
        source_root = self.build(each.flags["from"]).root if "from" in each.flags else self._context
        into = image.root / image.folder.lstrip("/") / target if target[0] != "/" else image.root / target[1:]
        for pattern in sources:
            found = list(source_root.glob(pattern.lstrip("/")))
            assert found, f"COPY finds no {pattern}"
            for source in found:
                if source.is_dir():
                    shutil.copytree(source, into, symlinks=True)
                else:
                    into.mkdir(parents=True, exist_ok=True)
                    shutil.copy(source, into)


class Container:
    """An image at work: a user without rights, a root that nobody can write, and no network but its own.

    Args:
        image: What runs.
        mounts: What is mounted where, beside a folder in memory on ``/tmp``; each place must be there already or is
            made before the root is closed.
        variables: Beside those of the image.
        log: Where it writes.
    """

    def __init__(self, image: Image, mounts: Mapping[Path, str], variables: Mapping[str, str], log: Path) -> None:
        self._image = image
        user, group = image.user.split(":")
        rights = ["setpriv", f"--reuid={user}", f"--regid={group}", *NO_RIGHTS]
        self._inside = ["chroot", str(image.root), *rights, *environment(image.variables | dict(variables))]
        places = {str(source): place for source, place in mounts.items()} | {"/dev": "/dev"}
        command = [*self._inside, *image.entrypoint, *image.command]
        closed = in_namespaces(image.root, places, command, closed=True)
        with log.open("w") as sink:
            self._process = subprocess.Popen(closed, stdout=sink, stderr=sink)

    @property
    def pid(self) -> int:
        """The server's process id, seen from outside."""
        return int(self._children()[0])

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def is_healthy(self) -> bool:
        """Run the image's own health check in it."""
        return bool(self._children()) and self.execute(*self._image.health).returncode == 0

    def execute(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in it, as its user."""
        return self._enter(["--net", "--mount", "--pid"], [*self._inside, *command])

    def from_outside(self, script: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run commands of the machine beside it, which reach its ports as if they were published."""
        return self._enter(["--net"], ["env", *(f"{k}={v}" for k, v in variables.items()), *_bash(script)], folder)

    def _children(self) -> list[str]:
        """Return the process ids of what ``unshare`` has started, which is one process once it has."""
        return Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()

    def _enter(
        self, which: Sequence[str], command: Sequence[str], folder: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        enter = ["nsenter", "--target", str(self.pid), *which, *command]
        return subprocess.run(enter, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=folder)

    def stop(self) -> int:
        """Ask it to end, as ``docker stop`` does, and return its exit status."""
        os.kill(self.pid, signal.SIGTERM)
        return self._process.wait(TIMEOUT_S)

    def kill(self) -> None:
        """End it and all that it started.

        With the first process of its namespace all others end. Once that has another user, it does not end with
        ``unshare`` by itself.
        """
        for pid in self._children():
            os.kill(int(pid), signal.SIGKILL)
        self._process.kill()
        self._process.wait(TIMEOUT_S)


def environment(variables: Mapping[str, str]) -> list[str]:
    """Return the beginning of a command that runs with these variables and no others."""
    return ["env", "--ignore-environment", *(f"{name}={value}" for name, value in variables.items())]


def in_namespaces(root: Path, mounts: Mapping[str, str], command: Sequence[str], *, closed: bool = False) -> list[str]:
    """Return a command that runs another one with mounts of its own, and, closed, with a network of its own.

    Args:
        root: A root, into which is mounted.
        mounts: What is mounted where in the root.
        command: What is run.
        closed: Whether the root cannot be written, and the network leads nowhere.
    """
    for source, place in mounts.items():
        target = root / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if Path(source).is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.touch(exist_ok=True)
    steps = [f"mount --bind {root} {root}"] if closed else []
    steps += ["ip link set lo up", f"mount -o remount,bind,ro {root}"] if closed else []
    steps += [f"mount --rbind {source} {root}{place}" for source, place in mounts.items()]
    steps += [f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp"] if closed else []
    steps += [f"mount -t proc proc {root}/proc"]
    spaces = ["--mount", "--pid", "--fork", "--kill-child", *(["--net"] if closed else [])]
    return ["unshare", *spaces, "sh", "-ec", "\n".join([*steps, 'exec "$@"']), "sh", *command]


def _bash(script: str) -> list[str]:
    return ["bash", "-euo", "pipefail", "-c", script]
