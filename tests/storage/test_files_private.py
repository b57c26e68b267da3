"""What is new in a data directory concerns its owner alone, whatever the umask says."""

import os
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.execution.examples import queued_job
from tests.storage.breakage import UNNEEDED, put
from tests.storage.examples import open_names
from tests.storage.job_folders import open_jobs
from tests.storage.model import Server
from windrow.domain.integrity import IntegrityReport
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.graph_cache import find_or_build_graphs
from windrow.storage.files import LocalFiles
from windrow.storage.fsck import GRACE_PERIOD_S, check
from windrow.storage.lock import DirectoryLock
from windrow.storage.namespace import Namespace

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _lenient() -> Iterator[None]:
    """A process whose new files everybody may read and change, unless it asks for less."""
    before = os.umask(0)
    yield
    os.umask(before)


def rights(root: Path) -> dict[str, int]:
    """Return the rights of everything that lies in a folder, and of itself."""
    return {str(path.relative_to(root)): stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*"))}


def check_private(root: Path) -> None:
    for place, mode in rights(root).items():
        assert mode == (0o700 if (root / place).is_dir() else 0o600), place


def test_classifiers_aliases_and_jobs_are_private(tmp_path: Path) -> None:
    root = tmp_path / "new" / "data"
    server = Server(LocalFiles(root), DirectoryLock(root))
    server.fit("tickets", 1)
    server.promote("answer", "tickets")
    jobs = open_jobs(root)
    jobs.put(queued_job(jobs.new_id()), 1)
    assert len(rights(root)) > 12
    check_private(root)
    jobs.close()


def test_built_graphs_are_private(tiny_folder: EncoderFolder, tmp_path: Path) -> None:
    find_or_build_graphs(tiny_folder, tmp_path / "data")
    assert len(rights(tmp_path / "data")) == 9
    check_private(tmp_path / "data")


def test_what_a_repair_moves_is_private(tmp_path: Path) -> None:
    root = tmp_path / "data"
    Server(LocalFiles(root)).fit("tickets", 1)
    put(root, f"classifiers/tickets/blobs/{UNNEEDED}")
    (root / f"classifiers/tickets/blobs/{UNNEEDED}").chmod(0o600)
    report = _repair_later(root)
    assert [finding.repaired for finding in report.findings] == [True]
    assert (root / "lost+found" / "classifiers/tickets/blobs" / UNNEEDED).exists()
    check_private(root)


def _repair_later(root: Path) -> IntegrityReport:
    now = open_names(LocalFiles(root)).now
    later = Namespace(LocalFiles(root), DirectoryLock(root), lambda: now() + 2 * GRACE_PERIOD_S * SECOND)
    return check(root, later, repair=True)
