"""The keys in memory: what others change is seen, what is damaged or gone opens nothing, and what is valid is found."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.examples import open_names
from windrow.domain.access import CreateKeyRequest
from windrow.domain.errors import (
    DataDirectoryUnavailable,
    InsufficientScope,
    KeysUnavailable,
    StorageFailed,
    Unauthorized,
)
from windrow.execution.key_watch import KeyWatch
from windrow.execution.model_watch import WATCH_INTERVAL_S
from windrow.execution.periodic_task import PeriodicTask
from windrow.storage.files import LocalFiles
from windrow.storage.key_store import KeyStore, KnownKeys

SHOP = CreateKeyRequest(name="shop", scopes=("read",), only=("a*",))
LOG = "access/keys"


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def store(files: MemoryFiles) -> KeyStore:
    return KeyStore(open_names(files))


@pytest.fixture
def watch(store: KeyStore) -> KeyWatch:
    watch = KeyWatch(store)
    watch.update()
    return watch


def refusal(watch: KeyWatch, key: str) -> str:
    with pytest.raises(Unauthorized) as caught:
        watch.find(key)
    return caught.value.detail


def test_without_a_key_none_is_needed_and_none_is_found(watch: KeyWatch) -> None:
    assert not watch.is_needed
    assert "not known" in refusal(watch, "wdr_a")


def test_from_the_first_key_on_one_is_needed_also_where_all_are_revoked(store: KeyStore, watch: KeyWatch) -> None:
    key = store.create(SHOP, None).key
    assert not watch.is_needed
    watch.update()
    watch.check_readable()
    assert watch.is_needed
    assert (watch.find(key).name, watch.find(key).scopes, watch.find(key).only) == ("shop", ("read",), ("a*",))
    store.revoke("shop")
    watch.update()
    assert watch.is_needed
    assert "shop is revoked" in refusal(watch, key)


def test_refusals_are_counted_by_the_code_of_the_error(watch: KeyWatch) -> None:
    assert watch.refused == {}
    for error in (Unauthorized("No."), InsufficientScope("No."), Unauthorized("No.")):
        watch.note_refusal(error, "delete")
    assert watch.refused == {"unauthorized": 2, "insufficient_scope": 1}


def test_what_is_like_a_key_is_none_and_is_not_repeated(store: KeyStore, watch: KeyWatch) -> None:
    key = store.create(SHOP, None).key
    watch.update()
    for other in (key[:-1], f"{key}x", key.swapcase(), key[:8], "", "wdr_", f" {key}", "wdr_\ud800"):
        assert not other.strip() or len(other) < 9 or other not in refusal(watch, other)


def test_a_key_expires_without_a_look_at_the_disk(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    key = store.create(CreateKeyRequest(name="shop", scopes=("read",), expires_in_days=1), None).key
    watch = KeyWatch(store)
    watch.update()
    assert watch.find(key).name == "shop"
    later = datetime.now(UTC) + timedelta(days=2)
    monkeypatch.setattr("windrow.execution.key_watch.utc_now", lambda: later)
    assert "shop is expired" in refusal(watch, key)


def check_closed(watch: KeyWatch, *keys: str) -> str:
    """Check that no key is accepted, and that one is needed, and return what is said."""
    assert watch.is_needed
    told = set()
    for key in (*keys, "wdr_unknown"):
        with pytest.raises(KeysUnavailable) as caught:
            watch.find(key)
        told.add(caught.value.detail)
    with pytest.raises(KeysUnavailable) as caught:
        watch.check_readable()
    (only,) = {*told, caught.value.detail}
    assert "every key is refused" in only
    return only


def test_while_the_log_is_damaged_every_key_is_refused(
    files: MemoryFiles, store: KeyStore, watch: KeyWatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = store.create(SHOP, None).key
    watch.update()
    files.put_new(f"{LOG}/000002.json", files.get(f"{LOG}/000001.json")[:-2])
    for _ in range(2):
        watch.update()
        assert "000002.json" in check_closed(watch, key)
    assert len([each for each in caplog.records if each.levelname == "ERROR"]) == 1
    starting = KeyWatch(KeyStore(open_names(files)))
    starting.update()
    check_closed(starting, key)
    files.remove(f"{LOG}/000002.json")
    watch.update()
    assert watch.find(key).name == "shop"


@pytest.mark.parametrize("num_gone", [1, 2])
def test_when_the_log_is_gone_or_older_every_key_is_refused_until_a_restart(
    files: MemoryFiles, store: KeyStore, watch: KeyWatch, num_gone: int
) -> None:
    key = store.create(SHOP, None).key
    store.revoke("shop")
    watch.update()
    gone = [f"{LOG}/{number:06}.json" for number in (2, 1)[:num_gone]]
    kept = {place: files.get(place) for place in gone}
    for place in gone:
        files.remove(place)
    for _ in range(3):
        watch.update()
        assert "restart" in check_closed(watch, key)
    for place, content in kept.items():
        files.put_new(place, content)
    watch.update()
    assert "revoked" in refusal(watch, key)


class BrokenStore(KeyStore):
    """Keys of a disk that does not answer when it is told so."""

    error: Exception | None = None

    def known(self) -> KnownKeys:
        if self.error is not None:
            raise self.error
        return super().known()


@pytest.mark.parametrize("error", [StorageFailed("It failed."), DataDirectoryUnavailable("It is gone.")])
def test_where_the_disk_does_not_answer_what_is_known_holds_and_at_the_start_nothing_is_open(
    files: MemoryFiles, error: Exception
) -> None:
    store = BrokenStore(open_names(files))
    key = store.create(SHOP, None).key
    watch = KeyWatch(store)
    store.error = error
    watch.update()
    assert watch.is_needed
    with pytest.raises(KeysUnavailable, match="It"):
        watch.find(key)
    store.error = None
    watch.update()
    assert watch.find(key).name == "shop"
    store.error = error
    watch.update()
    assert watch.find(key).name == "shop"


CREATE_AND_REVOKE = """
import sys
from pathlib import Path
from tests.storage.examples import open_names
from windrow.domain.access import CreateKeyRequest
from windrow.storage.files import LocalFiles
from windrow.storage.key_store import KeyStore

keys = KeyStore(open_names(LocalFiles(Path(sys.argv[1]))))
print(keys.create(CreateKeyRequest(name="other", scopes=("read",)), None).key, flush=True)
sys.stdin.readline()
keys.revoke("other")
print("revoked", flush=True)
"""


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[KeyWatch]:
    """Keys of real files that are looked at as often as a server does."""
    watch = KeyWatch(KeyStore(open_names(LocalFiles(tmp_path))))
    watch.update()
    task = PeriodicTask(watch.update, WATCH_INTERVAL_S, "watch-keys")
    task.start()
    yield watch
    task.stop()


def wait_until(is_so: Callable[[], bool], looks: int = 40) -> None:
    """Wait for some looks at the disk, however long they take on a busy machine."""
    for _ in range(looks):
        if is_so():
            return
        time.sleep(WATCH_INTERVAL_S / 2)
    raise AssertionError


@pytest.mark.slow
def test_what_another_process_changes_is_seen_by_the_next_looks(watching: KeyWatch, tmp_path: Path) -> None:
    def is_accepted() -> bool:
        try:
            return watching.find(key).name == "other"
        except Unauthorized:
            return False

    with subprocess.Popen(
        [sys.executable, "-c", CREATE_AND_REVOKE, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        key = process.stdout.readline().strip()
        wait_until(is_accepted)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "revoked\n"
        wait_until(lambda: not is_accepted())
    assert "revoked" in refusal(watching, key)
    # Two looks are at most a second apart, so that a change is seen within it.
    assert WATCH_INTERVAL_S * 2 <= 1
