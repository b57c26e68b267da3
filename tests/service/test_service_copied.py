"""Copying with nothing but ``cp``, while services run on both sides: a backup, and a classifier that moves."""

import itertools
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.service.examples import ROWS, SHOUTING, Open, ask, fit, listed
from windrow.domain.alias import AliasChangeRequest, PromoteRequest
from windrow.domain.classifier import DeleteRequest, DescribeRequest, RestoreRequest
from windrow.domain.errors import ClassifierNotFound, InvalidArtifact, NotFound, WindrowError
from windrow.domain.integrity import FsckRequest
from windrow.domain.prediction import Prediction
from windrow.service.service import Service
from windrow.storage.artifact import ARTIFACT

pytestmark = pytest.mark.slow

NAMES = ("a", "b", "c", "d")
ALIASES = ("first", "second")
BACKUPS = 8
CHANGES_A_BACKUP = 30
# Trainings that are told apart by their labels.
VARIANTS = tuple(tuple(replace(row, label=f"{row.label} {mark}") for row in ROWS[mark:]) for mark in range(3))
TEXT = "error on screen"

Numbers = dict[str, int]


def cp(source: Path, target: Path) -> None:
    done = subprocess.run(["cp", "-r", source, target], capture_output=True, text=True)
    # What was being written when the copy began may be gone a moment later, and is no content.
    assert all("/.aside/" in line for line in done.stderr.splitlines()), done.stderr


class Busy:
    """Somebody who changes things in a data directory: as many as it is told, drawn at random.

    Args:
        service: Does it.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.labels: dict[tuple[str, int], tuple[str, ...]] = {}
        self._random = Random(7)
        for name in NAMES:
            self._fit(name)
        for alias, name in zip(ALIASES, NAMES, strict=False):
            self._promote(alias, name)

    def change(self, times: int) -> None:
        """Fit, promote, roll back, describe, delete and restore; what is refused counts too."""
        for number in range(times):
            name, alias = self._random.choice(NAMES), self._random.choice(ALIASES)
            verb = self._random.choice(["fit", "fit", "promote", "roll back", "describe", "delete", "restore"])
            try:
                match verb:
                    case "fit":
                        self._fit(name)
                    case "promote":
                        self._promote(alias, name)
                    case "roll back":
                        self.service.rollback(AliasChangeRequest(alias))
                    case "describe":
                        self.service.describe(
                            DescribeRequest(name, description=f"described {number} {self._random.random()}")
                        )
                    case "delete":
                        self.service.delete(DeleteRequest(name))
                    case "restore":
                        self.service.restore(RestoreRequest(name))
            except WindrowError:  # it was not possible at that moment
                continue

    def _fit(self, name: str) -> None:
        rows = self._random.choice(VARIANTS)
        revision = fit(self.service, name, rows=rows)
        self.labels[name, revision] = tuple(sorted({row.label for row in rows}))

    def _promote(self, alias: str, name: str) -> None:
        self.service.promote(PromoteRequest(alias, name, author="somebody"))


def highest_numbers(service: Service) -> Numbers:
    """Return how far each log has come."""
    names = service.dependencies.store.names
    return {
        **{f"classifiers/{name}": names.classifiers.newest(name).number for name in NAMES},
        **{f"aliases/{alias}": names.aliases.newest(alias).number for alias in ALIASES},
    }


def test_a_backup_during_changes_holds_the_state_before_or_after_each_and_answers(opened: Open, tmp_path: Path) -> None:
    service = opened()
    busy = Busy(service)
    for number in range(BACKUPS):
        before = highest_numbers(service)
        work = threading.Thread(target=busy.change, args=(CHANGES_A_BACKUP,))
        work.start()
        cp(service.dependencies.settings.local_dir, tmp_path / f"backup {number}")
        work.join()
        backup = opened(tmp_path / f"backup {number}")
        assert_within(before, highest_numbers(backup), highest_numbers(service))
        assert_sound(backup, busy)


def assert_within(before: Numbers, copied: Numbers, after: Numbers) -> None:
    for place, number in copied.items():
        assert before[place] <= number <= after[place], place


def assert_sound(backup: Service, busy: Busy) -> None:
    """Assert that nothing is damaged, each classifier answers for itself, and an alias does or is told not to."""
    report = backup.fsck(FsckRequest())
    assert {finding.severity for finding in report.findings} <= {"garbage", "notice"}
    for classifier in listed(backup):
        name, revision = classifier.name, classifier.revision
        answer = ask(backup, name, TEXT)
        assert (answer.model_name, answer.revision) == (name, revision)
        assert tuple(answer.scores) == busy.labels[name, revision]
    # Aliases and classifiers are copied one after the other, so an alias may be ahead of what it points to.
    dangling = {finding.path for finding in report.findings if finding.code == "alias_dangling"}
    for alias in backup.list_aliases().aliases:
        assert alias.answers == (f"aliases/{alias.alias}" not in dangling)
        if alias.answers:
            assert ask(backup, alias.alias, TEXT).model_name == alias.model_name


def test_a_backup_is_put_in_place_by_copying_it_back(opened: Open, tmp_path: Path) -> None:
    service = opened()
    busy = Busy(service)
    expected = ask(service, "first", TEXT)
    cp(service.dependencies.settings.local_dir, tmp_path / "backup")
    busy.change(CHANGES_A_BACKUP)
    service.close()
    shutil.rmtree(service.dependencies.settings.local_dir)
    cp(tmp_path / "backup", service.dependencies.settings.local_dir)
    restarted = opened()
    assert restarted.fsck(FsckRequest()).sound
    assert ask(restarted, "first", TEXT) == expected
    assert fit(restarted, "a") == 2


class Asking:
    """Threads that ask for a name again and again, and keep what they hear."""

    def __init__(self, service: Service, name: str, threads: int = 4) -> None:
        self.heard: list[Prediction | WindrowError] = []
        self._service, self._name = service, name
        self._heard_one = threading.Semaphore(0)
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> None:
        """Wait until so many more have been heard."""
        for _ in range(count):
            assert self._heard_one.acquire(timeout=60)

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.heard.append(ask(self._service, self._name, TEXT))
            except WindrowError as error:
                self.heard.append(error)
            self._heard_one.release()


def test_a_classifier_moves_into_another_directory_while_both_are_used_and_is_there_at_once_and_whole(
    service: Service, opened: Open, tmp_path: Path
) -> None:
    there = opened(tmp_path / "there")
    fit(there, "other")
    fit(service, "moving")
    folder = there.dependencies.settings.local_dir / "classifiers"
    labels_of: dict[int, tuple[str, ...]] = {1: ("billing", "bug")}

    def train_again() -> None:
        for rows in VARIANTS:
            labels_of[fit(service, "moving", rows=rows)] = tuple(sorted({row.label for row in rows}))

    asking, training = Asking(there, "moving"), threading.Thread(target=train_again)
    asking.wait_for(50)
    training.start()
    cp(service.dependencies.settings.local_dir / "classifiers" / "moving", folder / ".moving")
    asking.wait_for(50)
    (folder / ".moving").rename(folder / "moving")  # what mv does within one file system
    found = ask(there, "moving", TEXT)
    asking.wait_for(50)
    asking.stop()
    training.join()
    assert len(asking.heard) >= 150
    for heard in asking.heard:
        if isinstance(heard, Prediction):
            assert heard == found
        else:
            assert isinstance(heard, ClassifierNotFound)
    assert tuple(found.scores) == labels_of[found.revision]
    assert ask(there, "other", TEXT).model_name == "other"
    assert {finding.severity for finding in there.fsck(FsckRequest()).findings} <= {"garbage"}


def test_a_plain_copy_in_place_is_not_there_or_unusable_or_right_but_never_wrong(
    service: Service, opened: Open, tmp_path: Path
) -> None:
    there = opened(tmp_path / "there")
    fit(there, "other")
    fit(service, "moving")
    fit(service, "moving", rows=SHOUTING[1:])
    right = {revision: ask(service, f"moving@{revision}", TEXT) for revision in (1, 2)}
    asking = Asking(there, "moving")
    asking.wait_for(20)
    cp(
        service.dependencies.settings.local_dir / "classifiers" / "moving",
        there.dependencies.settings.local_dir / "classifiers",
    )
    asking.wait_for(20)
    asking.stop()
    for heard in asking.heard:
        if isinstance(heard, Prediction):
            assert heard == right[heard.revision]
        else:
            assert isinstance(heard, ClassifierNotFound | InvalidArtifact)
    assert ask(there, "moving", TEXT) == right[2]


def pieces(source: Path, target: Path) -> Iterator[None]:
    """Copy a file like ``cp`` does: its name first, then its bytes, piece by piece."""
    content = source.read_bytes()
    target.parent.mkdir(parents=True, exist_ok=True)
    for end in (0, len(content) // 2, len(content)):
        target.write_bytes(content[:end])
        yield


def test_in_whatever_order_the_files_of_a_plain_copy_come_only_what_is_whole_answers(
    opened: Open, tmp_path: Path
) -> None:
    """The newest numbered file counts as soon as its name is there, and answers once it and its blob are whole."""
    here, there = opened(keep_training_data=False), opened(tmp_path / "there", classifier_cache_bytes=0)
    fit(here, "moving")
    fit(here, "moving", rows=SHOUTING[1:])
    fit(there, "other")
    root = here.dependencies.settings.local_dir / "classifiers" / "moving"
    target = there.dependencies.settings.local_dir / "classifiers" / "moving"
    files = [path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file()]
    entries = {revision: here.dependencies.store.names.revision("moving", revision) for revision in (1, 2)}
    artifact_of = {revision: Path("blobs", entry.blobs[ARTIFACT].file_name) for revision, entry in entries.items()}
    right = {revision: ask(here, f"moving@{revision}", TEXT) for revision in artifact_of}
    for order in itertools.permutations(files):
        whole: set[Path] = set()
        begun: set[Path] = set()
        for file in order:
            begun.add(file)
            for _ in pieces(root / file, target / file):
                if (target / file).stat().st_size == (root / file).stat().st_size:
                    whole.add(file)
                newest = max((revision for revision in (1, 2) if Path(f"00000{revision}.json") in begun), default=0)
                assert_answer(there, newest, whole, artifact_of, right)
        shutil.rmtree(target)
        with pytest.raises(NotFound):
            ask(there, "moving", TEXT)


def assert_answer(
    there: Service, newest: int, whole: set[Path], artifact_of: dict[int, Path], right: dict[int, Prediction]
) -> None:
    if newest == 0:
        with pytest.raises(ClassifierNotFound):
            ask(there, "moving", TEXT)
    elif {Path(f"00000{newest}.json"), artifact_of[newest]} <= whole:
        assert ask(there, "moving", TEXT) == right[newest]
    else:
        with pytest.raises(InvalidArtifact):
            ask(there, "moving", TEXT)
