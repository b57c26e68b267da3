"""What names mean is answered from memory, and never for longer than until the next look after a change."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.examples import new_revision, open_aliases, open_catalog, open_names, promote
from windrow.domain.alias import ChangeNote
from windrow.domain.classifier import DescribeRequest
from windrow.domain.errors import AliasNotFound, ClassifierNotFound, DataDirectoryUnavailable, InvalidName
from windrow.domain.names import Reference
from windrow.execution.model_watch import IDLE_AFTER_S, MAX_IDLE, MAX_KNOWN, STALLED_AFTER_S, ModelWatch
from windrow.storage.alias_store import Aliases
from windrow.storage.catalog import Catalog, ResolvedModel
from windrow.storage.data_directory import DataDirectory


@dataclass
class Setup:
    """A watch on classifiers in memory, whose clock stands still."""

    root: Path
    files: MemoryFiles = field(default_factory=MemoryFiles)
    now_s: float = 1_000.0

    def __post_init__(self) -> None:
        self.names = open_names(self.files)
        self.catalog, self.aliases = Catalog(self.names), Aliases(self.names)
        self.directory = DataDirectory(self.root)
        self.directory.prepare()
        self.returned = threading.Semaphore(0)
        self.watch = ModelWatch(
            self.catalog, self.names, self.directory, self.returned.release, clock_s=lambda: self.now_s
        )

    def find(self, *names: str) -> None:
        """Look names up on the disk."""
        for name in names:
            self.watch.find(name)

    def known(self, name: str) -> str | None:
        """Return what a name means in memory."""
        model = self.watch.known(name)
        return None if model is None else told(model)

    def vanish(self) -> None:
        """Move the data directory away, and have that seen."""
        self.root.rename(self.root.with_name("aside"))
        self.watch.update()


def told(model: ResolvedModel) -> str:
    return f"{model.entry.record.name}@{model.entry.record.revision}"


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    setup = Setup(tmp_path / "data")
    for name in ("tickets_v1", "tickets_v2", "tickets_v2"):
        open_catalog(setup.files).publish(new_revision(name))
    promote(setup.files, "live", "tickets_v1")
    setup.watch.update()
    return setup


NAMES = {
    "tickets_v2": "tickets_v2@2",
    "tickets_v2@1": "tickets_v2@1",
    "live": "tickets_v1@1",
    "tickets@latest": "tickets_v2@2",
}


def test_a_name_that_was_looked_up_is_known_without_the_disk(setup: Setup) -> None:
    assert [setup.known(name) for name in NAMES] == [None] * len(NAMES)
    setup.find(*NAMES)
    calls = setup.files.calls.copy()
    assert {name: setup.known(name) for name in NAMES} == NAMES
    assert setup.files.calls == calls


def test_a_look_at_what_did_not_change_reads_and_lists_nothing(setup: Setup) -> None:
    setup.find(*NAMES)
    before = setup.files.calls.copy()
    setup.watch.update()
    assert {name: setup.known(name) for name in NAMES} == NAMES
    looks = setup.files.calls - before
    # The folder of classifiers, those of two classifiers, and that of the alias: each once.
    assert looks == {"version_token": 4}


def test_nothing_is_known_while_nobody_watches(tmp_path: Path) -> None:
    setup = Setup(tmp_path / "data")
    open_catalog(setup.files).publish(new_revision("tickets"))
    setup.find("tickets")
    assert setup.known("tickets") is None


CHANGES: dict[str, tuple[str, Callable[[MemoryFiles], object], str]] = {
    "a refit": ("tickets_v2", lambda files: open_catalog(files).publish(new_revision("tickets_v2")), "tickets_v2@3"),
    "a refit of what an alias points to": (
        "live",
        lambda files: open_catalog(files).publish(new_revision("tickets_v1")),
        "tickets_v1@2",
    ),
    "a promotion": ("live", lambda files: promote(files, "live", "tickets_v2"), "tickets_v2@2"),
    "a higher version": (
        "tickets@latest",
        lambda files: open_catalog(files).publish(new_revision("tickets_v3")),
        "tickets_v3@1",
    ),
    "a deletion of the highest version": (
        "tickets@latest",
        lambda files: open_catalog(files).delete("tickets_v2"),
        "tickets_v1@1",
    ),
    "a description": (
        "tickets_v2@1",
        lambda files: open_catalog(files).describe(DescribeRequest("tickets_v2", description="other")),
        "tickets_v2@1",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_others_change_is_not_known_after_the_next_look(change: str, setup: Setup) -> None:
    name, act, after = CHANGES[change]
    setup.find(name)
    act(setup.files)
    assert setup.known(name) == NAMES[name]
    setup.watch.update()
    assert setup.known(name) is None
    assert told(setup.watch.find(name)) == after
    assert setup.known(name) == after


def test_a_higher_version_that_comes_back_is_seen(setup: Setup) -> None:
    open_catalog(setup.files).delete("tickets_v2")
    setup.find("tickets@latest")
    open_catalog(setup.files).restore("tickets_v2")
    setup.watch.update()
    assert setup.known("tickets@latest") is None


@pytest.mark.parametrize("change", CHANGES)
def test_what_this_process_changes_is_forgotten_at_once(change: str, setup: Setup) -> None:
    name, _, after = CHANGES[change]
    setup.find(*NAMES)
    match change:
        case "a refit" | "a refit of what an alias points to" | "a higher version":
            setup.catalog.publish(new_revision(after.partition("@")[0]))
        case "a promotion":
            setup.aliases.promote("live", Reference("tickets_v2"), ChangeNote())
        case "a deletion of the highest version":
            setup.catalog.delete("tickets_v2")
        case "a description":
            setup.catalog.describe(DescribeRequest("tickets_v2", description="other"))
    assert setup.known(name) is None
    assert told(setup.watch.find(name)) == after


def test_what_this_process_changed_and_looked_up_holds_when_the_directory_vanishes(setup: Setup) -> None:
    setup.find(*NAMES)
    setup.catalog.describe(DescribeRequest("tickets_v2", description="other"))
    setup.aliases.promote("live", Reference("tickets_v2"), ChangeNote())
    setup.watch.look_up_changed()
    setup.vanish()
    assert {name: setup.known(name) for name in NAMES} == {**NAMES, "live": "tickets_v2@2"}


def test_what_this_process_deleted_is_looked_up_and_means_nothing(setup: Setup) -> None:
    setup.find("tickets_v2", "tickets@latest")
    setup.catalog.delete("tickets_v2")
    setup.watch.look_up_changed()
    assert setup.known("tickets_v2") is None
    assert setup.known("tickets@latest") == "tickets_v1@1"


def test_what_is_found_while_this_process_changes_it_is_not_kept(setup: Setup) -> None:
    find = setup.catalog.find

    def change_after_finding(reference: object) -> ResolvedModel:
        model = find(reference)  # type: ignore[arg-type]
        setup.catalog.find = find  # type: ignore[method-assign]
        setup.catalog.publish(new_revision("tickets_v2"))
        return model

    setup.find("tickets_v2")
    setup.catalog.find = change_after_finding  # type: ignore[method-assign]
    assert told(setup.watch.find("tickets_v2")) == "tickets_v2@2"
    assert setup.known("tickets_v2") is None
    assert told(setup.watch.find("tickets_v2")) == "tickets_v2@3"


def test_what_means_nothing_is_an_error_and_is_not_kept(setup: Setup) -> None:
    for name, error in (("nobody", ClassifierNotFound), ("!", InvalidName), ("nobody@latest", ClassifierNotFound)):
        with pytest.raises(error):
            setup.watch.find(name)
        assert setup.known(name) is None
    setup.find("live")
    open_aliases(setup.files).remove("live", ChangeNote())
    setup.watch.update()
    with pytest.raises((ClassifierNotFound, AliasNotFound)):
        setup.watch.find("live")
    setup.vanish()
    assert setup.known("live") is None


def test_while_the_directory_is_gone_what_was_known_still_holds_and_then_the_look_goes_on(setup: Setup) -> None:
    setup.find(*NAMES)
    setup.watch.check_ready()
    setup.vanish()
    setup.files.kept.clear()
    setup.files._changes.update(["classifiers", "classifiers/tickets_v2", "aliases/live"])
    for _ in range(2):
        setup.watch.update()
        assert {name: setup.known(name) for name in NAMES} == NAMES
    for _ in range(2):
        with pytest.raises(DataDirectoryUnavailable, match="is not where it was"):
            setup.watch.check_ready()
    assert not setup.returned.acquire(blocking=False)
    setup.root.with_name("aside").rename(setup.root)
    setup.watch.update()
    assert setup.returned.acquire(timeout=30)
    setup.watch.check_ready()
    assert setup.known("tickets_v2") is None


def test_a_look_up_in_a_directory_that_is_gone_is_answered_by_what_was_known(setup: Setup) -> None:
    setup.find("live")

    def gone(_: object) -> ResolvedModel:
        raise DataDirectoryUnavailable("It is gone. Bring it back.")

    setup.catalog.find = gone  # type: ignore[method-assign, assignment]
    assert told(setup.watch.find("live")) == "tickets_v1@1"
    with pytest.raises(DataDirectoryUnavailable):
        setup.watch.find("tickets_v2")


def test_while_a_look_hangs_what_was_known_still_holds_and_the_server_is_not_ready(setup: Setup) -> None:
    setup.find("tickets_v2", "live")
    open_catalog(setup.files).publish(new_revision("tickets_v2"))
    setup.watch.update()
    assert setup.known("tickets_v2") is None
    hangs, may_go_on = threading.Event(), threading.Event()
    check = setup.directory.check

    def hang() -> None:
        hangs.set()
        assert may_go_on.wait(30)
        check()

    setup.directory.check = hang  # type: ignore[method-assign]
    looking = threading.Thread(target=setup.watch.update)
    looking.start()
    assert hangs.wait(30)
    assert setup.known("tickets_v2") is None
    setup.watch.check_ready()
    setup.now_s += STALLED_AFTER_S + 0.1
    assert setup.known("tickets_v2") == "tickets_v2@2"
    with pytest.raises(DataDirectoryUnavailable, match="does not answer"):
        setup.watch.check_ready()
    assert not setup.watch.is_ready
    may_go_on.set()
    looking.join()
    setup.watch.check_ready()
    assert setup.watch.is_ready
    assert setup.known("tickets_v2") is None


def test_names_that_nobody_asks_for_are_looked_at_no_more(setup: Setup) -> None:
    setup.find("live", "tickets_v1")
    setup.watch.update()
    setup.now_s += IDLE_AFTER_S - 1
    setup.watch.update()
    assert setup.known("live") == "tickets_v1@1"
    setup.now_s += 1
    setup.watch.update()
    assert setup.known("live") == "tickets_v1@1"
    assert setup.known("tickets_v1") is None
    assert told(setup.watch.find("tickets_v1")) == "tickets_v1@1"


def test_of_many_idle_names_those_asked_for_last_are_looked_at(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.execution.model_watch.MAX_IDLE", 2)
    setup.find(*NAMES)
    setup.watch.update()
    setup.now_s += 1
    assert setup.known("live") is not None
    setup.watch.update()
    setup.now_s += 1
    assert setup.known("tickets_v2") is not None
    setup.watch.update()  # tickets_v2 was asked for; of the others, two are looked at
    setup.watch.update()  # of all, two
    watched = [name for name, known in setup.watch._known.items() if known.is_confirmed]
    assert watched == ["tickets_v2", "live"]


def test_only_so_many_names_are_kept(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_KNOWN > MAX_IDLE
    monkeypatch.setattr("windrow.execution.model_watch.MAX_KNOWN", 2)
    setup.find("tickets_v1", "tickets_v2", "tickets_v1", "live")
    assert [setup.known(name) for name in ("tickets_v1", "tickets_v2", "live")] == [
        "tickets_v1@1",
        None,
        "tickets_v1@1",
    ]
