"""Mutants of every file of a data directory: a server starts, names the damage, and answers right or not at all."""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.service.examples import SHOUTING, ask, fake_service, fit
from tests.storage.examples import fast_folder
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import DeleteRequest, DescribeRequest
from windrow.domain.errors import WindrowError
from windrow.domain.integrity import FsckRequest
from windrow.service.service import Service

TEXTS = ("charged twice", "crash on start", "something else")
ASKED = ("a", "b", "b@1", "live", "pinned")


def _flip(content: bytes, random: Random) -> bytes:
    altered = bytearray(content)
    altered[random.randrange(len(content))] ^= 1 << random.randrange(8)
    return bytes(altered)


def _zero(content: bytes, random: Random) -> bytes:
    start = random.randrange(len(content))
    end = random.randrange(start, len(content)) + 1
    return content[:start] + bytes(end - start) + content[end:]


MUTATIONS: Mapping[str, Callable[[bytes, Random], bytes]] = {
    "a flipped bit": _flip,
    "a shorter file": lambda content, random: content[: random.randrange(len(content))],
    "a longer file": lambda content, random: content + random.randbytes(random.randrange(1, 100)),
    "zeros": _zero,
    "an empty file": lambda content, random: b"",
    "noise": lambda content, random: random.randbytes(len(content)),
    "another order": lambda content, random: content[len(content) // 2 :] + content[: len(content) // 2],
}


@dataclass
class Damages:
    """What was done.

    Args:
        mutants: Files that were altered.
        named: Of these, those that ``fsck`` named.
        refused: Questions that were refused, by the code of the error.
        answered: Questions that were answered, each as before.
    """

    mutants: int = 0
    named: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    answered: int = 0


def damage_often(mutants: int, seed: int, parent: str | None = None) -> Damages:
    """Alter one file after the other, each in a whole directory, and see what a server makes of it.

    Args:
        mutants: How many.
        seed: Of all random choices.
        parent: Where data directories are made; in memory if that is left open.
    """
    damages, random = Damages(), Random(seed)
    with fast_folder(parent) as folder:
        whole = Path(folder, "whole")
        right = _make(whole)
        files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file() and path.stat().st_size)
        for number in range(mutants):
            file, what = files[number % len(files)], random.choice(sorted(MUTATIONS))
            root = Path(folder, str(number))
            shutil.copytree(whole, root)
            content = (root / file).read_bytes()
            altered = MUTATIONS[what](content, random)
            if altered != content:
                (root / file).write_bytes(altered)
                try:
                    _see(root, file, right, damages)
                except Exception as error:
                    error.add_note(f"{what} in {file}, mutant {number} of seed {seed}")
                    raise
            shutil.rmtree(root, ignore_errors=True)
    return damages


def _make(root: Path) -> dict[str, object]:
    with closing(fake_service(root)) as service:
        fit(service, "a")
        fit(service, "b")
        fit(service, "b", SHOUTING)
        fit(service, "gone")
        service.delete(DeleteRequest("gone"))
        service.describe(DescribeRequest("a", description="said"))
        service.promote(PromoteRequest("live", "a"))
        service.promote(PromoteRequest("live", "b"))
        service.promote(PromoteRequest("pinned", "b@1"))
        return {name: _answers(service, name) for name in ASKED}


def _answers(service: Service, name: str) -> object:
    try:
        return [ask(service, name, text) for text in TEXTS]
    except WindrowError as error:
        return error


def _see(root: Path, file: Path, right: Mapping[str, object], damages: Damages) -> None:
    damages.mutants += 1
    with closing(fake_service(root)) as service:
        service.start()
        for name in ASKED:
            answers = _answers(service, name)
            if isinstance(answers, WindrowError):
                assert file.parts[1] in _needs(name), f"{name} was refused: {answers.detail}"
                damages.refused[answers.code] += 1
            else:
                assert answers == right[name], f"{name} answered otherwise"
                damages.answered += 1
        findings = service.fsck(FsckRequest()).findings
    is_named = any(finding.path == str(file) for finding in findings)
    if file.parts[0] in ("classifiers", "aliases", "jobs"):
        assert is_named, f"fsck found only {findings}"
    damages.named += is_named


def _needs(name: str) -> set[str]:
    """Return the folders that an answer depends on."""
    return {"a": {"a"}, "b": {"b"}, "b@1": {"b"}, "live": {"live", "b"}, "pinned": {"pinned", "b"}}[name]
