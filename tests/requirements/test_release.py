"""A release is refused while version, changelog or working tree are not ready; what is built has its digests."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from requirements.release import DIGESTS, objections, write_digests
from requirements.shipped import windrow_version
from tests.packages import BUILD, leave_out
from tests.source_tree import ROOT

READY = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-01-31\n\n### Added\n\n## [0.1.0] - 2025-01-31\n"


def test_a_version_with_its_dated_section_and_nothing_uncommitted_is_released() -> None:
    assert objections("0.2.0", READY, "") == []


@pytest.mark.parametrize(
    ("changelog", "told"),
    [
        (READY.replace("[Unreleased]", "[Unreleased]\n\n### Added"), "put ## [0.2.0] - YYYY-MM-DD above them"),
        ("# Changelog\n\n## [Unreleased]\n", "begins with no version"),
        (READY.replace("0.2.0", "0.3.0"), "begins with 0.3.0, but the sources say 0.2.0"),
        (READY.replace(" - 2026-01-31", ""), "no date for 0.2.0"),
        ("# Changelog\n", "begins with no version"),
    ],
)
def test_a_changelog_that_is_not_ready_stops_a_release(changelog: str, told: str) -> None:
    (why,) = objections("0.2.0", changelog, "")
    assert told in why


def test_what_is_not_committed_stops_a_release_and_is_named() -> None:
    (why,) = objections("0.2.0", READY, " M src/windrow/disk.py\n")
    assert "src/windrow/disk.py" in why


def test_the_digests_name_each_file_of_the_release_once_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "windrow-1.whl").write_bytes(b"wheel")
    (tmp_path / "windrow-1.tar.gz").write_bytes(b"source")
    (tmp_path / "notes.txt").write_bytes(b"of somebody else")
    write_digests(tmp_path)
    write_digests(tmp_path)
    digests = [hashlib.sha256(content).hexdigest() for content in (b"source", b"wheel")]
    assert (tmp_path / DIGESTS).read_text() == f"{digests[0]}  windrow-1.tar.gz\n{digests[1]}  windrow-1.whl\n"


@pytest.mark.slow
def test_a_release_consists_of_wheel_source_archive_list_of_packages_and_digests(tmp_path: Path) -> None:
    if not (BUILD.exists() and (ROOT / ".venv-release" / ".tools").exists()):
        leave_out("needs what builds and describes a release: make .venv-build/.hatchling .venv-release/.tools")
    code = "import sys; from pathlib import Path; from requirements.release import build; build(Path(sys.argv[1]))"
    subprocess.run([BUILD, "-c", code, tmp_path], cwd=ROOT, check=True)
    version = windrow_version()
    files = [f"windrow-{version}{end}" for end in ("-py3-none-any.whl", ".cdx.json", ".tar.gz")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [DIGESTS, *files]
    check = subprocess.run(["sha256sum", "--check", DIGESTS], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert check.stdout.count(": OK\n") == 3
    assert str(ROOT) not in (tmp_path / files[1]).read_text()
