"""A check finds each thing that can be wrong with a data directory, and a repair removes nothing that is needed."""

import errno
import gzip
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.files import BreakingFiles, Killed, MemoryFiles
from tests.storage.breakage import (
    ALL,
    DAMAGE,
    GARBAGE,
    NOTICES,
    UNNEEDED,
    Break,
    blob_of,
    dangle,
    entry_of,
    fill,
    half_published,
    half_purged,
    half_purged_revision,
    interrupted,
    link,
    make_folder,
    put,
    put_blob,
    remove,
    rewrite,
    same_name,
)
from tests.storage.examples import fast_folder, open_names, record, wait_for_tick
from tests.storage.model import Server, State, random_verb
from windrow.domain.clock import utc_now
from windrow.domain.dataset import Dataset, Row
from windrow.domain.errors import StorageFailed
from windrow.domain.integrity import Finding, IntegrityReport, Severity
from windrow.storage import blob_check
from windrow.storage.artifact import ROWS, rows_to_blob
from windrow.storage.blob_check import find_problem
from windrow.storage.files import LocalFiles
from windrow.storage.fsck import check, check_own_folders
from windrow.storage.lock import DirectoryLock
from windrow.storage.namespace import Namespace
from windrow.storage.revision import BlobRef, entry_to_json


@pytest.fixture(autouse=True, scope="module")
def _no_waiting_for_the_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


def later() -> datetime:
    """Return a time at which nothing of now can be a copy in progress."""
    return utc_now() + timedelta(hours=2)


def checked(root: Path, *, repair: bool = False, now: Callable[[], datetime] = later) -> IntegrityReport:
    return check(root, open_names(LocalFiles(root), now), repair=repair)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with something of everything, and nothing wrong; to be copied."""
    root = tmp_path_factory.mktemp("sound")
    fill(Server(LocalFiles(root)))
    return root


@pytest.fixture
def root(sound: Path) -> Iterator[Path]:
    """A data directory in which nothing is wrong yet."""
    with fast_folder() as folder:
        yield Path(shutil.copytree(sound, Path(folder, "data")))


def snapshot(root: Path) -> dict[str, object]:
    """Return everything that is there and when it changed."""
    return {str(path): (path.lstat().st_ino, path.lstat().st_ctime_ns) for path in root.rglob("*")}


def found(report: IntegrityReport) -> set[tuple[Severity, str, str]]:
    return {(finding.severity, finding.code, finding.path) for finding in report.findings}


def only(report: IntegrityReport) -> Finding:
    (finding,) = report.findings
    return finding


def test_a_sound_directory_has_no_finding_and_everything_in_it_is_counted(root: Path) -> None:
    paths = [path for path in root.rglob("*") if path.is_file()]
    shared = [path for path in paths if path.parent.name == "blobs"]
    assert checked(root) == IntegrityReport(
        classifiers=4,
        records=len(paths) - len(shared),
        blobs=len(shared),
        size_bytes=sum(path.stat().st_size for path in paths),
        findings=(),
    )


def test_what_is_not_there_is_sound_and_is_not_made(tmp_path: Path) -> None:
    assert checked(tmp_path / "none") == IntegrityReport(0, 0, 0, 0, ())
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("case", ALL)
def test_what_is_wrong_is_found_where_it_is_and_nothing_is_changed(root: Path, case: str) -> None:
    severity, code, breaks = ALL[case]
    place = breaks(root)
    before = snapshot(root)
    report = checked(root)
    assert (severity, code, place) in found(report)
    assert {each for each in found(report) if each[0] == severity} == {(severity, code, place)}
    assert severity == "damage" or {each[0] for each in found(report)} == {severity}
    assert report.sound == (severity != "damage")
    assert all(finding.detail.endswith((".", ")")) and not finding.repaired for finding in report.findings)
    assert snapshot(root) == before


@pytest.mark.parametrize("case", [*DAMAGE, *NOTICES])
def test_a_repair_touches_neither_damage_nor_what_is_foreign(root: Path, case: str) -> None:
    _, code, breaks = ALL[case]
    place = breaks(root)
    before = snapshot(root)
    report = checked(root, repair=True)
    assert snapshot(root) == before
    assert not any(finding.repaired for finding in report.findings)
    assert (code, place) in {(finding.code, finding.path) for finding in report.findings}


@pytest.mark.parametrize("case", GARBAGE)
def test_a_repair_removes_garbage_and_what_lives_goes_on(root: Path, case: str) -> None:
    _, code, breaks = ALL[case]
    place = breaks(root)
    before = Server(LocalFiles(root)).state()
    repaired = checked(root, repair=True)
    assert [(finding.code, finding.path, finding.repaired) for finding in repaired.findings] == [(code, place, True)]
    assert not (root / place).exists()
    assert checked(root).findings == checked(root, repair=True).findings == ()
    assert Server(LocalFiles(root)).state() == before


@pytest.mark.parametrize("step", range(2, 11))
def test_a_repair_finishes_a_purge_from_wherever_it_ended(root: Path, step: int) -> None:
    server = Server(LocalFiles(root))
    before = server.state()
    server.fit("halves", 1)
    server.fit("halves", 2)
    server.delete("halves")
    is_half_done = interrupted(root, lambda server: server.purge("halves"), step)
    assert is_half_done == (step < 10)
    assert [finding.repaired for finding in checked(root, repair=True).findings] == [True] * is_half_done
    assert not (root / "classifiers/halves").exists()
    assert server.state() == before


@pytest.mark.slow
@pytest.mark.parametrize("begin", [half_purged, half_purged_revision])
def test_a_repair_that_dies_brings_nothing_back(root: Path, begin: Callable[[Path, int], str]) -> None:
    begin(root, 2)
    before = Server(LocalFiles(root)).state()
    deaths = 0
    while repair_and_die(root):
        deaths += 1
        assert Server(LocalFiles(root)).state() == before
    assert deaths >= 2
    assert checked(root).findings == ()


def repair_and_die(root: Path) -> bool:
    """Repair, dying after the first removal, and say whether it came to that."""
    files = BreakingFiles(cast(MemoryFiles, LocalFiles(root)), 1, Killed(), is_done=True)
    try:
        check(root, Namespace(files, DirectoryLock(root), later), repair=True)
    except Killed:
        return True
    return False


def test_the_end_of_a_purge_takes_an_empty_folder_of_blobs_along(root: Path) -> None:
    half_purged(root, 7)
    make_folder(root, "classifiers/halves/blobs")
    assert only(checked(root, repair=True)).repaired
    assert not (root / "classifiers/halves").exists()


def test_a_half_purged_revision_leaves_its_blobs_while_something_beside_it_may_need_them(root: Path) -> None:
    place = half_purged_revision(root, 2)
    blobs_before = set((root / "classifiers/halves/blobs").iterdir())
    put(root, "classifiers/halves/note")
    checked(root, repair=True)
    assert not (root / place).exists()
    assert set((root / "classifiers/halves/blobs").iterdir()) == blobs_before


def test_a_number_that_calls_itself_purged_stays(root: Path) -> None:
    entry = replace(entry_of(root), purged=(2, 3, 4))
    rewrite(root, "classifiers/tickets/000002.json", entry_to_json("tickets", 2, entry))
    remove(root, "classifiers/tickets/000003.json")
    assert checked(root, repair=True).findings == ()


FRESH: dict[str, Break] = {
    "a blob": lambda root: put(root, f"classifiers/gone/blobs/{UNNEEDED}"),
    "a folder with a blob": lambda root: put(root, f"classifiers/copied/blobs/{UNNEEDED}"),
    "an empty folder": lambda root: make_folder(root, "classifiers/copied"),
    "an empty folder in a folder": lambda root: make_folder(root, "classifiers/copied/blobs"),
    "an empty alias": lambda root: make_folder(root, "aliases/copied"),
    "graphs": lambda root: put(root, "base_models/graphs/.building-1/graph"),
}


@pytest.mark.parametrize("case", FRESH)
def test_what_may_be_a_copy_in_progress_stays_for_an_hour(root: Path, case: str) -> None:
    place = FRESH[case](root)
    finding = only(checked(root, repair=True, now=utc_now))
    assert finding.severity == "garbage" and "Look again later" in finding.detail and not finding.repaired
    assert (root / place).exists()
    assert only(checked(root, repair=True)).repaired
    assert not (root / place).exists()


@pytest.mark.parametrize("changed", ["", "blobs", f"blobs/{UNNEEDED}"])
def test_blobs_without_a_record_stay_as_long_as_any_part_of_them_is_fresh(root: Path, changed: str) -> None:
    folder = root / "classifiers/copied"
    put(root, f"classifiers/copied/blobs/{UNNEEDED}")
    paths = (folder, *folder.rglob("*"))
    before_s = max(path.stat().st_ctime for path in paths)
    wait_for_tick(root.parent)
    (folder / changed).chmod(0o700)
    after_s = (folder / changed).stat().st_ctime
    between = datetime.fromtimestamp((before_s + after_s) / 2, UTC) + timedelta(hours=1)
    assert not only(checked(root, repair=True, now=lambda: between)).repaired
    assert only(checked(root, repair=True)).repaired


def test_a_copy_is_whole_however_often_a_repair_looked_at_it_meanwhile(root: Path) -> None:
    """The pieces come in the order in which ``cp -r`` may well bring them: blobs, then numbers, the last one first."""
    source = LocalFiles(root.parent / "source")
    Server(source).fit("copied", 1)
    Server(source).fit("copied", 2)
    for path in sorted((source.root / "classifiers").rglob("*"), reverse=True):
        if path.is_file():
            put(root, str(path.relative_to(source.root)), path.read_bytes())
            assert not any(finding.repaired for finding in checked(root, repair=True, now=utc_now).findings)
    assert checked(root).findings == ()
    assert Server(LocalFiles(root)).find("copied@1") == Server(source).find("copied@1")


UNSURE: dict[str, Break] = {
    "damage": lambda root: rewrite(root, "classifiers/gone/000002.json", b"{"),
    "a gap": lambda root: remove(root, "classifiers/gone/000001.json"),
    "a foreign file": lambda root: put(root, "classifiers/gone/000002.json.backup"),
    "a foreign file among the blobs": lambda root: put(root, "classifiers/gone/blobs/backup"),
    "a link": lambda root: link(root, "classifiers/gone/000003.json", "000001.json"),
}


@pytest.mark.parametrize("case", UNSURE)
def test_a_blob_stays_while_something_beside_it_may_need_it(root: Path, case: str) -> None:
    UNSURE[case](root)
    place = put(root, f"classifiers/gone/blobs/{UNNEEDED}")
    (finding,) = (finding for finding in checked(root, repair=True).findings if finding.path == place)
    assert finding.code == "blob_unreferenced" and "may need it" in finding.detail and not finding.repaired
    assert (root / place).exists()


def test_blobs_without_a_record_stay_while_a_foreign_file_lies_beside_them(root: Path) -> None:
    blob = put(root, f"classifiers/halves/blobs/{UNNEEDED}")
    put(root, "classifiers/halves/000001.json.backup")
    codes = {(finding.code, finding.repaired) for finding in checked(root, repair=True).findings}
    assert codes == {("folder_without_record", False), ("foreign_file", False)}
    assert (root / blob).exists()


def test_a_half_purged_name_loses_its_files_and_keeps_what_is_foreign(root: Path) -> None:
    half_purged(root, 3)
    foreign = put(root, "classifiers/halves/blobs/note")
    checked(root, repair=True)
    assert [path.name for path in (root / "classifiers/halves").rglob("*") if path.is_file()] == ["note"]
    assert (only(checked(root, repair=True)).code, only(checked(root)).path) == ("foreign_file", foreign)


def test_what_a_link_leads_to_is_neither_read_nor_removed(root: Path) -> None:
    outside = root.parent / "outside"
    half_purged(outside, 4)
    for place in (f"blobs/{UNNEEDED}", "0" * 32, f"aside/{'0' * 32}", "graphs/.removed-1/x", ".removed-1/x"):
        put(outside, place)
    (root / "classifiers/linked").symlink_to(outside / "classifiers/halves")
    (root / "classifiers/halves").mkdir()
    (root / "classifiers/halves/blobs").symlink_to(outside / "blobs")
    (root / "aliases/linked").symlink_to(outside / "blobs")
    shutil.rmtree(root / ".aside")
    (root / ".aside").symlink_to(outside / "aside")
    (root / "base_models").symlink_to(outside)
    before = snapshot(outside), snapshot(root)
    report = checked(root, repair=True)
    assert (snapshot(outside), snapshot(root)) == before
    assert {finding.code for finding in report.findings} == {"link"}
    assert {finding.path for finding in report.findings} == {
        "classifiers/linked",
        "classifiers/halves/blobs",
        "aliases/linked",
        ".aside",
    }


@pytest.mark.parametrize("folder", ["classifiers", "aliases", "jobs", ".aside", "access", "audit"])
def test_a_data_directory_is_not_opened_where_one_of_its_folders_is_a_link(root: Path, folder: str) -> None:
    check_own_folders(root)
    (root.parent / "elsewhere").mkdir()
    shutil.rmtree(root / folder, ignore_errors=True)
    (root / folder).symlink_to(root.parent / "elsewhere")
    with pytest.raises(StorageFailed, match="is a link") as refused:
        check_own_folders(root)
    assert refused.value.facts == {"folder": folder}


def test_the_data_directory_itself_and_its_base_models_may_be_links(root: Path) -> None:
    (root.parent / "models").mkdir()
    (root / "base_models").symlink_to(root.parent / "models")
    (root.parent / "link").symlink_to(root)
    check_own_folders(root.parent / "link")


@pytest.mark.parametrize("kind", ["classifiers", "aliases"])
def test_a_root_that_is_a_link_is_told(root: Path, kind: str) -> None:
    (root / kind).rename(root.parent / "moved")
    (root / kind).symlink_to(root.parent / "moved")
    assert ("damage", "link", kind) in found(checked(root))


def test_rows_that_unpack_to_more_than_they_may_are_told_without_unpacking_them(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_check, "MAX_ROWS_BYTES", 10**6)
    monkeypatch.setattr(blob_check, "_CHUNK_BYTES", 1_000)
    unpacked = b" " * 10**7
    place = put_blob(root, ROWS, gzip.compress(unpacked), training_data_sha256=hashlib.sha256(unpacked).hexdigest())
    finding = only(checked(root))
    assert (finding.code, finding.path) == ("rows_unusable", place) and "more than 1000000 bytes" in finding.detail


@settings(deadline=None, max_examples=50)
@given(text=st.text(max_size=50), repeats=st.integers(1, 200), chunk_bytes=st.integers(1, 40))
def test_rows_are_sound_in_however_small_pieces_they_are_read(text: str, repeats: int, chunk_bytes: int) -> None:
    dataset = Dataset(tuple(Row(text * repeats, "label") for _ in range(3)))
    packed = rows_to_blob(dataset.jsonl)
    with pytest.MonkeyPatch.context() as patch, fast_folder() as folder:
        patch.setattr(blob_check, "_CHUNK_BYTES", chunk_bytes)
        sound = replace(record(), training_data_sha256=dataset.sha256)
        path = Path(folder, "rows")
        for blob, is_sound in ((packed, True), (packed + b"0", False), (packed[:-1], False)):
            path.write_bytes(blob)
            assert (find_problem(str(path), ROWS, BlobRef.of(blob, ".jsonl.gz"), sound) is None) == is_sound


def clear_aside(server: Server) -> None:
    assert isinstance(server.names.files, LocalFiles)
    for file in (server.names.files.root / ".aside").iterdir():
        file.unlink()


MEANWHILE: dict[str, tuple[Break, Callable[[Server], object]]] = {
    "a training is committed": (lambda root: half_published(root, 3), lambda server: server.fit("halves", 1)),
    "a purge ends": (lambda root: half_purged(root, 3), lambda server: server.purge("halves")),
    "one of two names is deleted": (
        lambda root: same_name(root, "Tickets", ""),
        lambda server: server.delete("Tickets"),
    ),
    "an alias's target is restored": (
        lambda root: dangle(root, lambda server: server.delete("tickets", force=True)),
        lambda server: server.restore("tickets"),
    ),
    "a file aside has its name": (GARBAGE["a file aside"][1], clear_aside),
}


@pytest.mark.parametrize("case", MEANWHILE)
def test_what_somebody_ends_before_the_second_look_is_no_finding_and_loses_nothing(root: Path, case: str) -> None:
    begin, end = MEANWHILE[case]
    begin(root)
    server, names = Server(LocalFiles(root)), open_names(LocalFiles(root), later)
    lock = names.lock
    states: list[State] = []

    @contextmanager
    def late() -> Iterator[None]:
        if not states:  # somebody else had the lock first
            end(server)
            states.append(server.state())
        with lock():
            yield

    names.lock = late
    assert check(root, names, repair=True).findings == ()
    assert states == [Server(LocalFiles(root)).state()]


@pytest.mark.slow
def test_a_check_beside_a_process_that_writes_finds_nothing_and_a_repair_removes_nothing(root: Path) -> None:
    writer = os.fork()
    if writer == 0:
        status = 1
        try:
            write_a_while(Server(LocalFiles(root)))
            status = 0
        finally:
            os._exit(status)
    told: set[Finding] = set()
    ended, status = 0, 0
    while ended == 0:
        ended, status = os.waitpid(writer, os.WNOHANG)
        told.update(checked(root).findings, checked(root, repair=True).findings)
    assert status == 0
    assert {finding for finding in told if finding.severity != "notice"} == set()
    assert Server(LocalFiles(root)).find("busy") == (59, 29, "said 29")


def write_a_while(server: Server) -> None:
    for seed in range(30):
        number = server.fit("busy", seed)
        server.describe("busy", f"said {seed}")
        server.promote("newest", "busy")
        server.fit("passing", seed)
        server.fit("passing", seed + 1)
        server.purge_revision("passing", 1)
        server.delete("passing")
        if seed % 2:
            server.restore("passing")
        server.purge("passing", force=True)
        server.promote("newest", f"busy@{number}")
        server.remove("newest")


def test_where_the_directory_cannot_be_locked_findings_are_told_and_a_repair_fails(root: Path) -> None:
    place = put(root, f"classifiers/gone/blobs/{UNNEEDED}")
    names = open_names(LocalFiles(root), later)

    @contextmanager
    def locked() -> Iterator[None]:
        raise StorageFailed("The data directory cannot be locked.")
        yield

    names.lock = locked
    assert found(check(root, names)) == {("garbage", "blob_unreferenced", place)}
    with pytest.raises(StorageFailed):
        check(root, names, repair=True)
    assert (root / place).exists()


def test_a_file_that_somebody_may_just_be_writing_stays(root: Path) -> None:
    """The files of jobs are written without the lock of the names."""
    place = put(root, f".aside/{'0' * 32}")
    finding = only(checked(root, repair=True, now=utc_now))
    assert (finding.path, finding.repaired) == (place, False)
    assert "stays for an hour" in finding.detail
    assert (root / place).exists()


def test_what_cannot_be_removed_is_told_and_the_rest_repaired(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = put(root, f"classifiers/gone/blobs/{UNNEEDED}")
    loose = put(root, f"classifiers/tickets/blobs/{UNNEEDED}")
    aside = put(root, f".aside/{'0' * 32}")
    unlink, rename = Path.unlink, Path.rename

    def check_free(path: Path) -> None:
        if path in (root / stuck, root / aside):
            raise PermissionError(errno.EACCES, "Permission denied")

    def fail_to_unlink(path: Path, missing_ok: bool = False) -> None:
        check_free(path)
        unlink(path, missing_ok)

    def fail_to_rename(path: Path, target: Path) -> Path:
        check_free(path)
        return rename(path, target)

    monkeypatch.setattr(Path, "unlink", fail_to_unlink)
    monkeypatch.setattr(Path, "rename", fail_to_rename)
    repaired = {finding.path: finding for finding in checked(root, repair=True).findings}
    assert {place: finding.repaired for place, finding in repaired.items()} == {
        stuck: False,
        loose: True,
        aside: False,
    }
    assert all("could not be removed" in repaired[place].detail for place in (stuck, aside))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_a_repair_never_removes_what_lives(seed: int) -> None:
    """Random verbs, some of which die half way, and garbage everywhere: what could be read can be read afterwards."""
    random = Random(seed)
    with fast_folder() as folder:
        files = LocalFiles(Path(folder, "data"))
        for number in range(1, 25):
            one = random_verb(random, "ab", "xy", number)
            if random.random() < 0.3:
                interrupted(files.root, one.on, random.randint(1, 5))
            else:
                one.on(Server(files))
            if random.random() < 0.2:
                sprinkle(random, files.root)
            if random.random() < 0.1:
                checked(files.root, repair=True, now=random.choice([utc_now, later]))
        before = Server(files).state()
        repaired = checked(files.root, repair=True)
        # A name is purged and trained anew within a second here, so that what an alias says may be of either.
        told = {"alias_dangling", "number_not_copied"}
        assert {finding.repaired for finding in repaired.findings if finding.severity == "garbage"} <= {True}
        assert {finding.code for finding in repaired.findings if finding.severity != "garbage"} <= told
        assert {finding.code for finding in checked(files.root, repair=True).findings} <= told
        assert Server(files).state() == before


def sprinkle(random: Random, root: Path) -> None:
    """Put garbage somewhere."""
    name = random.choice("abcd")
    digest = f"{random.getrandbits(256):064x}"
    put(root, random.choice([f".aside/{digest[:32]}", f"classifiers/{name}/blobs/{digest}.jsonl.gz"]))
    if random.random() < 0.5:
        (root / random.choice([f"classifiers/{name}", f"aliases/{name}"])).mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("record_unreadable", "classifiers/tickets/000002.json"),
        ("record_unreadable", "aliases/answer/000002.json"),
        ("folder_unreadable", "classifiers/gone"),
        ("folder_unreadable", "classifiers/gone/blobs"),
        ("folder_unreadable", "aliases"),
        ("blob_unreadable", ""),
    ],
)
def test_what_may_not_be_read_is_damage(root: Path, monkeypatch: pytest.MonkeyPatch, code: str, place: str) -> None:
    place = place or blob_of(root)
    really_open = os.open

    def refusing(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if str(path) == f"{root}/{place}":
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)
    before = snapshot(root)
    report = checked(root, repair=True)
    (finding,) = (each for each in report.findings if (each.severity, each.code, each.path) == ("damage", code, place))
    assert "the right to read it" in finding.detail
    assert not any(finding.repaired for finding in report.findings)
    assert snapshot(root) == before


def test_a_file_that_is_just_being_written_is_no_garbage(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = root / put(root, f".aside/{'0' * 32}")
    monkeypatch.setattr("windrow.storage.fsck.time.sleep", lambda seconds: place.unlink())
    assert checked(root, now=utc_now).findings == ()
