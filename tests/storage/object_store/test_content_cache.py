"""Copies on a machine's disk: checked at each read, bounded in size, forgotten when they are to be."""

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from windrow.storage.object_store.content_cache import ContentCache


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def cache(tmp_path: Path) -> ContentCache:
    return ContentCache(tmp_path / "cache", 1_000)


def put(cache: ContentCache, content: bytes) -> str:
    cache.put(digest := sha256_of(content), content)
    return digest


def test_gives_back_what_was_put_and_nothing_else(cache: ContentCache) -> None:
    digest = put(cache, b"content")
    assert cache.get(digest) == b"content"
    assert cache.get(sha256_of(b"other")) is None


def test_outlives_the_process(cache: ContentCache, tmp_path: Path) -> None:
    digest = put(cache, b"content")
    assert ContentCache(tmp_path / "cache", 1_000).get(digest) == b"content"


@pytest.mark.parametrize("altered", [b"", b"conten", b"contenT", b"content "])
def test_gives_nothing_of_a_copy_that_was_altered_and_forgets_it(
    cache: ContentCache, tmp_path: Path, altered: bytes
) -> None:
    digest = put(cache, b"content")
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    path.write_bytes(altered)
    assert cache.get(digest) is None
    assert kept(tmp_path) == {}
    put(cache, b"content")
    assert cache.get(digest) == b"content"


def test_only_its_owner_reads_it(cache: ContentCache, tmp_path: Path) -> None:
    put(cache, b"secret rows")
    for path in (tmp_path / "cache").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_removes_what_was_not_read_for_the_longest_time_once_it_is_full(cache: ContentCache, tmp_path: Path) -> None:
    digests = [put(cache, bytes([number]) * 240) for number in range(4)]
    for second, digest in enumerate(digests):
        (path,) = tmp_path.rglob(digest)
        os.utime(path, (1_000 + second, 1_000 + second))
    assert cache.get(digests[0]) is not None  # which is read now
    put(cache, b"x" * 240)
    assert sum(map(len, kept(tmp_path).values())) <= 1_000
    assert cache.get(digests[0]) is not None
    assert cache.get(digests[1]) is None


def test_never_takes_more_than_it_may(cache: ContentCache, tmp_path: Path) -> None:
    for number in range(100):
        put(cache, number.to_bytes(2, "big") * (1 + number % 60))
        assert sum(map(len, kept(tmp_path).values())) <= 1_000
    assert put(cache, bytes(1_001)) not in kept(tmp_path)


def test_knows_the_size_of_what_an_earlier_process_left(cache: ContentCache, tmp_path: Path) -> None:
    for number in range(4):
        put(cache, bytes([number]) * 240)
    put(ContentCache(tmp_path / "cache", 500), b"new")
    assert sum(map(len, kept(tmp_path).values())) <= 500


def test_forgets_what_is_to_go_and_all_but_what_is_to_stay(cache: ContentCache, tmp_path: Path) -> None:
    first, second, third = (put(cache, content) for content in (b"1", b"2", b"3"))
    cache.remove((first, sha256_of(b"never there")))
    assert kept(tmp_path).keys() == {second, third}
    cache.keep_only({third})
    assert kept(tmp_path).keys() == {third}


def test_measures_its_folder_again_only_where_something_went(
    cache: ContentCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each commit tells what it has removed, most often nothing, and a large folder takes long to measure."""
    first = put(cache, b"1")
    looks: list[str] = []
    monkeypatch.setattr(cache, "_files", lambda: looks.append("look") or iter(()))  # type: ignore[func-returns-value]
    cache.remove(())
    cache.remove((sha256_of(b"never there"),))
    put(cache, b"2")
    assert looks == []
    cache.remove((first,))
    put(cache, b"3")
    assert looks == ["look"]


def test_a_disk_that_takes_nothing_costs_nothing_but_requests(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"in the way")
    cache = ContentCache(tmp_path / "cache", 1_000)
    digest = put(cache, b"content")
    assert cache.get(digest) is None
    cache.remove((digest,))
    cache.keep_only(())


def test_many_threads_put_and_read_and_remove_at_once(cache: ContentCache) -> None:
    contents = [bytes([number]) * 90 for number in range(20)]

    def work(turn: int) -> None:
        content = contents[turn % 20]
        digest = put(cache, content)
        assert cache.get(digest) in (content, None)
        if turn % 7 == 0:
            cache.remove((digest,))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(400)))
