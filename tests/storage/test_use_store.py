"""The store of what was used: files that stand for others, damaged ones, and folders that are no days."""

from datetime import UTC, date, datetime

from tests.fakes.files import MemoryFiles
from windrow.storage.files import MAX_BYTES, KeyMissing
from windrow.storage.use_store import ClassifierUse, DayUse, KeyUse, UseStore, file_name, joined

DAY = date(2026, 11, 29)
AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
ONE, TWO, THREE = "1" * 12, "2" * 12, "3" * 12


def use(predictions: int, *, hour: int = 12, replaces: tuple[str, ...] = ()) -> DayUse:
    return DayUse({"a": ClassifierUse(predictions, AT.replace(hour=hour))}, {"shop": KeyUse(1, predictions)}, replaces)


def test_what_processes_have_counted_is_summed_up_with_the_latest_time() -> None:
    store = UseStore(MemoryFiles())
    store.put(DAY, file_name(ONE, 1), use(2, hour=13))
    store.put(DAY, file_name(TWO, 1), use(3, hour=11))
    assert store.day(DAY) == DayUse({"a": ClassifierUse(5, AT.replace(hour=13))}, {"shop": KeyUse(2, 5)})
    assert store.day(DAY, without=ONE).classifiers["a"].predictions == 3
    assert store.days() == [DAY]


def test_a_file_whose_removal_did_not_come_about_counts_no_second_time() -> None:
    files = MemoryFiles()
    store = UseStore(files)
    store.put(DAY, file_name(ONE, 1), use(2))
    before = dict(files.kept)
    store.put(DAY, file_name(ONE, 2), use(3, replaces=(file_name(ONE, 1),)))
    files.kept |= before
    assert len(files.kept) == 2
    assert store.day(DAY).classifiers["a"].predictions == 3


def test_a_file_that_goes_while_the_folder_is_read_is_found_in_the_one_that_stands_for_it() -> None:
    files = MemoryFiles()
    store = UseStore(files)
    store.put(DAY, file_name(ONE, 1), use(2))

    class Overtaken(MemoryFiles):
        """Another process puts its next file while this one reads the former one."""

        def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
            if key.endswith(file_name(ONE, 1)):
                UseStore(files).put(DAY, file_name(ONE, 2), use(4, replaces=(file_name(ONE, 1),)))
                raise KeyMissing(key)
            return super().get(key, max_bytes)

    overtaken = Overtaken(files.kept)
    assert UseStore(overtaken).day(DAY).classifiers["a"].predictions == 4


def test_a_damaged_file_is_left_out() -> None:
    files = MemoryFiles()
    store = UseStore(files)
    store.put(DAY, file_name(ONE, 1), use(2))
    files.put_new(f"usage/{DAY}/{file_name(TWO, 1)}", b'{"format": 6')
    files.put_new("usage/2026-13-01/x.json", b"")
    files.put_new(f"usage/{DAY}/notes.txt", b"mine")
    assert store.day(DAY).classifiers["a"].predictions == 2
    assert store.days() == [DAY]


def test_joining_the_files_of_ended_processes_loses_nothing_and_leaves_running_ones_alone() -> None:
    files = MemoryFiles()
    store = UseStore(files)
    for number in range(20):
        store.put(DAY, file_name(f"{number:012x}", 3, is_done=True), use(1))
    store.put(DAY, file_name(ONE, 1), use(5))
    before = store.day(DAY)
    store.join_done(DAY, TWO)
    assert len(store.listing(DAY)) == 2
    assert store.day(DAY) == before
    store.join_done(DAY, THREE)
    assert len(store.listing(DAY)) == 2


def test_nothing_together_is_nothing() -> None:
    assert joined([]) == DayUse()
