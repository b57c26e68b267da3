"""Processes that change things at random and are killed by SIGKILL at random moments, and what they leave behind."""

import json
import os
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.storage.examples import fast_folder
from tests.storage.model import Model, Server, Verb, random_verb
from windrow.storage.files import LocalFiles

# A directory is left for a new one after so many deaths, so that looking at all of it stays quick.
DEATHS_A_FOLDER = 20
MOST_VERBS = 50
LONGEST_PAUSE_S = 0.003


@dataclass
class Toll:
    """What was done.

    Args:
        kills: Processes that were killed.
        acknowledged: Verbs that they had said to be done.
        unheard: Deaths after which the verb in progress was found to be done.
        garbage: What ``fsck`` found.
    """

    kills: int = 0
    acknowledged: int = 0
    unheard: int = 0
    garbage: frozenset[str] = frozenset()


def kill_often(kills: int, seed: int, parent: str | None = None) -> Toll:
    """Kill so many processes, and see after each that nothing is lost and nothing is half done.

    Args:
        kills: How many.
        seed: Of all random choices.
        parent: Where data directories are made; in memory if that is left open.
    """
    toll = Toll()
    random = Random(seed)
    while toll.kills < kills:
        with fast_folder(parent) as folder:
            for model, verbs, outcomes in _deaths(Path(folder), random, min(DEATHS_A_FOLDER, kills - toll.kills)):
                toll.kills += 1
                toll.acknowledged += len(outcomes)
                toll.unheard += _see_what_is_left(Path(folder), model, verbs, outcomes)
            toll.garbage |= Server(LocalFiles(Path(folder))).finding_codes(repair=True)
    return toll


def _deaths(folder: Path, random: Random, count: int) -> Iterator[tuple[Model, Sequence[Verb], Sequence[object]]]:
    model, seed = Model(), 0
    for _ in range(count):
        verbs = [random_verb(random, "abcC", "axy", seed + number) for number in range(MOST_VERBS)]
        seed += MOST_VERBS
        yield model, verbs, _die(folder, verbs, random.randrange(8), random.uniform(0, LONGEST_PAUSE_S))


def _die(folder: Path, verbs: Sequence[Verb], kill_after: int, pause_s: float) -> list[object]:
    """Let a process do verbs, kill it a moment after so many of them, and return what it said of those it had done."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            server = Server(LocalFiles(folder))
            for one in verbs:
                os.write(writer, json.dumps(one.on(server)).encode() + b"\n")
        except BaseException:  # noqa: BLE001 - nothing may leave this process
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as acknowledgments:
        lines = [acknowledgments.readline() for _ in range(kill_after)]
        time.sleep(pause_s)
        os.kill(child, signal.SIGKILL)
        lines += acknowledgments.readlines()
    os.waitpid(child, 0)
    return [json.loads(line) for line in lines]


def _see_what_is_left(folder: Path, model: Model, verbs: Sequence[Verb], outcomes: Sequence[object]) -> bool:
    """Bring the model up to what a fresh server finds, which must be what was acknowledged and at most one verb more.

    Returns:
        Whether that one verb was done, and changed something.
    """
    for one, outcome in zip(verbs, outcomes, strict=False):
        assert outcome == one.on(model), f"{one} said {outcome}"
    after = model.copy()
    if len(outcomes) < len(verbs):
        verbs[len(outcomes)].on(after)
    server = Server(LocalFiles(folder))
    state = server.state()
    is_old, is_new = state == model.state(), state == after.state()
    assert is_old or is_new, f"{verbs[len(outcomes)]} left {state} where there was {model.state()}"
    server.finding_codes()
    if not is_old:
        model.classifiers, model.aliases = after.classifiers, after.aliases
    model.half_purged = server.half_purged()
    return not is_old
