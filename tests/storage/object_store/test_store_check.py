"""A check finds in an object store what it finds in a folder, and what only a store can have; a repair hurts nobody."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.bucket import unreachable
from tests.storage.breakage import ALL, GARBAGE, UNNEEDED, Break, blob_of, fill, put
from tests.storage.examples import fast_folder
from tests.storage.model import Server
from tests.storage.object_store.stores import Store
from windrow.domain.clock import utc_now
from windrow.domain.errors import DataDirectoryUnavailable
from windrow.domain.integrity import FINDINGS, IntegrityReport
from windrow.storage.artifact import ARTIFACT
from windrow.storage.files import LocalFiles
from windrow.storage.fsck import check
from windrow.storage.lock import DirectoryLock
from windrow.storage.namespace import Namespace
from windrow.storage.object_store import leftovers
from windrow.storage.object_store.commit_log import CHECKPOINTS, COMMITS, numbered_key
from windrow.storage.object_store.store_check import CHECKS

Found = set[tuple[str, str, str]]


@pytest.fixture(autouse=True)
def _no_waiting_for_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_ATTEMPT_S", 0.0)


@pytest.fixture(scope="module")
def sound() -> Iterator[Path]:
    """A folder with something of everything, and nothing wrong; to be copied."""
    with fast_folder() as folder:
        root = Path(folder, "sound")
        fill(Server(LocalFiles(root)))
        yield root


@pytest.fixture
def root(sound: Path) -> Iterator[Path]:
    with fast_folder() as folder:
        yield Path(shutil.copytree(sound, Path(folder, "data")))


@pytest.fixture
def store() -> Iterator[Store]:
    """A store with something of everything, and nothing wrong."""
    with fast_folder() as folder:
        store = Store(Path(folder, "machine"))
        fill(store.server)
        yield store


@pytest.fixture
def empty(tmp_path: Path) -> Store:
    return Store(tmp_path / "machine")


def found(report: IntegrityReport) -> Found:
    return {(finding.severity, finding.code, finding.path) for finding in report.findings}


def objects(store: Store) -> dict[str, bytes]:
    """Return what is in a store, but what only tells the time."""
    return {key: content for key, (content, _) in store.bucket.objects_by_key.items() if key != "retention/now"}


def test_a_sound_store_has_no_finding_and_everything_in_it_is_counted(store: Store, root: Path) -> None:
    report = store.check()
    assert report.findings == ()
    local = check(root, Namespace(LocalFiles(root), DirectoryLock(root)))
    assert (report.classifiers, report.records, report.blobs) == (local.classifiers, local.records, local.blobs)
    stored = store.files.stored()
    assert report.size_bytes == sum(file.size_bytes for _, file in stored)


def test_an_empty_store_is_sound_and_nothing_is_put_there(empty: Store) -> None:
    assert empty.check() == IntegrityReport(0, 0, 0, 0, ())
    assert objects(empty) == {}


# What a store cannot have: links, pipes, empty folders, and keys that break the grammar.
NEVER = {
    "a name that breaks the grammar",
    "an alias that breaks the grammar",
    "a link among the classifiers",
    "a link beside the numbers",
    "a link among the blobs",
    "a link aside",
    "a folder in a number's place",
    "a pipe",
    "a file aside",
    "an empty classifier",
    "an empty folder of blobs",
    "an empty alias",
    "a copy in a copy",
    "a copy in progress",
    "a file beside the numbers",
    "a folder beside the numbers",
    "a folder beside an alias's numbers",
    "a file aside that is not Windrow's",
}
OF_A_STORE = sorted(ALL.keys() - NEVER)


def uploaded(store: Store, root: Path) -> None:
    """Take over a folder, its base models on the machine's disk."""
    store.upload(root)
    if (root / "base_models").exists():
        shutil.copytree(root / "base_models", store.folder / "base_models")


@pytest.mark.parametrize("case", OF_A_STORE)
def test_what_is_wrong_in_a_folder_is_found_in_a_store_and_nothing_is_changed(
    empty: Store, root: Path, case: str
) -> None:
    ALL[case][2](root)
    uploaded(empty, root)
    before = objects(empty)
    later = Namespace(LocalFiles(root), DirectoryLock(root), lambda: utc_now() + timedelta(hours=2))
    expected = {each for each in found(check(root, later)) if each[1] != "aside_file"}
    if "half built" in case:  # the machine's folder was just made, so it may be being built
        assert found(empty.check()) == expected
        return
    assert expected
    assert found(empty.check()) == expected
    assert objects(empty) == before


@pytest.mark.parametrize("case", sorted(NEVER))
def test_what_a_store_cannot_have_cannot_be_brought_there(empty: Store, root: Path, case: str) -> None:
    ALL[case][2](root)
    try:
        uploaded(empty, root)
    except ValueError:
        return
    assert empty.check().findings == ()


@pytest.mark.parametrize("case", sorted(GARBAGE.keys() - NEVER - {"graphs half built"}))
def test_a_repair_removes_garbage_and_what_lives_goes_on(empty: Store, root: Path, case: str) -> None:
    place = GARBAGE[case][1](root)
    uploaded(empty, root)
    before = Server(LocalFiles(root)).state()
    report = empty.check(repair=True)
    assert [(each.path, each.repaired) for each in report.findings] == [(place, True)]
    assert empty.check().findings == empty.other().check(repair=True).findings == ()
    assert empty.other().server.state() == before
    assert not [key for key, _ in empty.files.stored() if key.startswith(f"{place}/") or key == place]


@pytest.mark.parametrize("case", sorted(ALL.keys() - GARBAGE.keys() - NEVER))
def test_a_repair_touches_neither_damage_nor_what_is_foreign(empty: Store, root: Path, case: str) -> None:
    ALL[case][2](root)
    uploaded(empty, root)
    before = objects(empty)
    assert not any(finding.repaired for finding in empty.check(repair=True).findings)
    assert objects(empty) == before


KEPT: dict[str, Break] = {
    "a blob": lambda root: put(root, f"classifiers/gone/blobs/{UNNEEDED}", b"rows"),
    "blobs without a record": lambda root: put(root, f"classifiers/lone/blobs/{UNNEEDED}", b"rows"),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_could_be_rows_is_kept_in_lost_and_found(empty: Store, root: Path, case: str) -> None:
    KEPT[case](root)
    uploaded(empty, root)
    (finding,) = empty.check(repair=True).findings
    assert finding.repaired and "lost+found" in finding.detail
    kept = {key: content for key, content in objects(empty).items() if key.startswith("lost+found/")}
    assert [*kept.values()] == [b"rows"]
    assert UNNEEDED in next(iter(kept))
    assert empty.check().findings == ()


@pytest.mark.parametrize("case", KEPT)
def test_what_may_be_a_copy_in_progress_stays_for_an_hour(empty: Store, root: Path, case: str) -> None:
    KEPT[case](root)
    empty.upload(root, utc_now)
    before = objects(empty)
    for repair in (False, True):
        (finding,) = empty.check(repair=repair).findings
        assert "Look again later" in finding.detail and not finding.repaired
    assert objects(empty) == before
    empty.bucket.clock = lambda: utc_now() + timedelta(hours=2)
    assert [each.repaired for each in empty.check(repair=True).findings] == [True]


PLACES: dict[str, Break] = {
    "a newest record": lambda root: "classifiers/tickets/000003.json",
    "an older record": lambda root: "classifiers/tickets/000001.json",
    "an only record": lambda root: "classifiers/bystander/000001.json",
    "an artifact": blob_of,
    "an alias": lambda root: "aliases/answer/000002.json",
}


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", ["lost", "altered", "cut off"])
def test_a_content_that_is_lost_or_altered_is_damage_that_no_copy_hides(
    store: Store, root: Path, place: str, how: str
) -> None:
    key = PLACES[place](root)
    store.files.get(key)  # so that it is on this machine
    if how == "lost":
        store.bucket.remove(store.object_of(key))
    else:
        store.alter(store.object_of(key), flipped if how == "altered" else lambda content: content[:-1])
    before = objects(store)
    for repair in (False, True):
        report = store.check(repair=repair)
        code = "content_missing" if how == "lost" else "content_altered"
        assert {each for each in found(report) if each[0] == "damage"} == {("damage", code, key)}
        assert all("from a backup" in each.detail for each in report.findings if each.severity == "damage")
        # Which blobs are needed is unknown where a record is.
        assert {each[1] for each in found(report)} <= {code, "blob_unreferenced"}
        assert objects(store) == before


def test_a_lost_record_keeps_what_only_it_may_need(store: Store, root: Path) -> None:
    artifact = blob_of(root, ARTIFACT, 1)
    store.bucket.remove(store.object_of("classifiers/tickets/000001.json"))
    store.bucket.remove(store.object_of("classifiers/tickets/000003.json"))
    store.check(repair=True)
    assert store.object_of(artifact) in store.bucket.objects_by_key


def test_keys_that_are_lost_are_damage(empty: Store) -> None:
    empty.files.put_new("access/keys/000001.json", b"{}")
    assert found(empty.check()) == {("damage", "keys_unreadable", "access/keys/000001.json")}
    empty.bucket.remove(empty.object_of("access/keys/000001.json"))
    assert found(empty.check()) == {("damage", "content_missing", "access/keys/000001.json")}


def test_what_is_not_windrows_is_told_and_stays(store: Store) -> None:
    strange = [
        "commits/README",
        "checkpoints/1.json",
        "files/classifiers/tickets/note",
        "notes/today",
        "loose/other/x",
        "loose/jobs/a b",
    ]
    for key in strange:
        store.bucket.put(key, b"?")
    store.files.put_new("server.log", b"?")
    store.files.put_new("classifiers/README", b"?")
    before = objects(store)
    report = store.check(repair=True)
    assert {(each.severity, each.code) for each in report.findings} == {("notice", "foreign_file")}
    assert {each.path for each in report.findings} == {
        *strange[:3],
        "notes",
        "loose/other",
        "jobs/a b",
        "server.log",
        "classifiers/README",
    }
    assert objects(store) == before


def test_what_servers_keep_for_themselves_is_not_looked_at(store: Store) -> None:
    for key in ("loose/jobs/.owners/0123", "loose/jobs/../x", "selftest/1", "retention/now", "lost+found/x"):
        store.bucket.put(key, b"?")
    assert store.check(repair=True).findings == ()


LOG: dict[str, tuple[str, str, Callable[[Store], object]]] = {
    "a commit that is lost": (
        "commit_missing",
        numbered_key(COMMITS, 3),
        lambda store: store.bucket.remove(numbered_key(COMMITS, 3)),
    ),
    "a commit that is cut off": (
        "commit_unreadable",
        numbered_key(COMMITS, 3),
        lambda store: store.alter(numbered_key(COMMITS, 3), lambda content: content[:-5]),
    ),
    "a commit that is another one": (
        "commit_unreadable",
        numbered_key(COMMITS, 3),
        lambda store: store.bucket.put(numbered_key(COMMITS, 3), store.bucket.get(numbered_key(COMMITS, 4))),
    ),
    "a checkpoint of more commits than there are": (
        "commit_missing",
        numbered_key(COMMITS, 900),
        lambda store: store.bucket.put(numbered_key(CHECKPOINTS, 900), store.bucket.get(newest(store, CHECKPOINTS))),
    ),
    "a checkpoint that is cut off": (
        "checkpoint_unreadable",
        numbered_key(CHECKPOINTS, 65),
        lambda store: store.alter(newest(store, CHECKPOINTS), lambda content: content[: len(content) // 2]),
    ),
    "a checkpoint that is lost": (
        "checkpoint_unreadable",
        numbered_key(CHECKPOINTS, 65),
        lambda store: store.bucket.remove(newest(store, CHECKPOINTS)),
    ),
}


def newest(store: Store, folder: str) -> str:
    return max(each.key for each in store.bucket.objects(folder))


@pytest.mark.parametrize("case", LOG)
def test_damage_of_the_log_is_found_and_nothing_that_it_may_have_named_is_removed(empty: Store, case: str) -> None:
    code, place, breaks = LOG[case]
    for number in range(70):
        empty.files.put_new(f"aliases/a{number}/blobs", b"?")
    for number in range(70):
        empty.files.remove(f"aliases/a{number}/blobs")
    place = place.replace(f"{65:012d}", newest(empty, CHECKPOINTS)[-17:-5])
    breaks(empty)
    left = f"files/classifiers/tickets/000001.json.{'a' * 32}"
    empty.bucket.put(left, b"{}")
    before = objects(empty)
    for repair in (False, True):
        report = empty.check(repair=repair)
        assert ("damage", code, place) in found(report)
        assert ("garbage", "content_unreferenced", left) in found(report)
        assert not any(each.repaired for each in report.findings)
        assert objects(empty) == before


def test_a_commit_of_a_newer_windrow_is_all_that_is_told(store: Store) -> None:
    number = store.files.commit_number + 1
    newer = json.loads(store.bucket.get(numbered_key(COMMITS, number - 1)))
    store.bucket.put(numbered_key(COMMITS, number), json.dumps({**newer, "format": 99}).encode())
    report = store.check(repair=True)
    assert found(report) == {("damage", "commit_unreadable", numbered_key(COMMITS, number))}
    assert "newer Windrow" in report.findings[0].detail


def test_what_others_end_meanwhile_is_no_finding(store: Store) -> None:
    other = store.other()
    done: list[str] = []

    def purge(verb: str, key: str) -> None:
        if verb == "get" and key.startswith("files/classifiers/gone/") and not done:
            done.append(key)
            other.server.purge("gone")

    store.bucket.before = purge
    report = store.check()
    assert done
    assert report.findings == ()
    assert report.classifiers == 4  # it was there when the check began


def test_a_repair_that_is_too_late_looks_again(empty: Store, root: Path) -> None:
    place = put(root, f"classifiers/gone/blobs/{UNNEEDED}", b"rows")
    uploaded(empty, root)
    other = empty.other()
    done: list[str] = []

    def train(verb: str, key: str) -> None:
        if verb == "create" and not done:
            done.append(key)
            other.server.fit("new", 9)

    empty.bucket.before = train
    assert [(each.path, each.repaired) for each in empty.check(repair=True).findings] == [(place, True)]
    assert done
    kept = [key for key in objects(empty) if key.startswith("lost+found/")]
    assert len(kept) == 1
    assert empty.other("third").server.find("new") == other.server.find("new")


def test_a_store_that_does_not_answer_is_told(store: Store) -> None:
    def fail(verb: str, key: str) -> None:
        if key.startswith("files/classifiers/tickets"):
            raise unreachable()

    store.bucket.before = fail
    with pytest.raises(DataDirectoryUnavailable):
        store.check()


def test_every_code_of_a_store_is_documented() -> None:
    codes = {"commit_missing", "commit_unreadable", "checkpoint_unreadable", "content_missing", "content_altered"}
    assert all(FINDINGS[code][0] == "damage" for code in codes)
    assert FINDINGS["content_unreferenced"][0] == "garbage"


def test_what_a_check_that_died_left_behind_goes(store: Store) -> None:
    left = store.folder / CHECKS / "left" / "classifiers"
    left.mkdir(parents=True)
    with pytest.raises(AssertionError):
        store.check()
    os.utime(left.parent, (0, 0))
    store.check()
    assert not left.exists()


def test_damage_is_told_however_busy_the_store_is(store: Store) -> None:
    """Commits elsewhere make nobody look again, and a look without a repair keeps nobody from writing."""
    store.bucket.remove(store.object_of("classifiers/tickets/000002.json"))
    other, seeds = store.other(), iter(range(10_000))
    is_writing = False

    def train(verb: str, key: str) -> None:
        nonlocal is_writing
        if verb == "get" and key.startswith("files/classifiers/tickets") and not is_writing:
            is_writing = True
            other.server.fit("busy", next(seeds))
            is_writing = False

    store.bucket.before = train
    for repair in (False, True):
        report = store.check(repair=repair)
        assert ("damage", "content_missing", "classifiers/tickets/000002.json") in found(report)
        assert not any(each.repaired for each in report.findings)
