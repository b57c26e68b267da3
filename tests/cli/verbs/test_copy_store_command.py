"""copy-store with folders, in a terminal and as JSON, and its refusals."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import windrow
from tests.cli.asking import Ended, Run, run
from windrow.domain.errors import InvalidParameter


@pytest.fixture
def copy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def copy(*arguments: object) -> Ended:
        return run(monkeypatch, capsys, "copy-store", *arguments)

    return copy


@pytest.fixture
def source(trained_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained_dir, tmp_path / "from"))


def files(folder: Path) -> dict[str, bytes]:
    found = (path for part in ("classifiers", "jobs") for path in (folder / part).rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.is_file()}


def test_a_folder_is_copied_and_sound_and_a_second_copy_skips_it(
    copy: Run, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "to"
    first = copy(source, target)
    assert (first.code, first.err) == (0, "")
    assert re.fullmatch(r"Copied \d+ files \(\d+ .?B\) of 2 classifiers and aliases: complete\.\n", first.out)
    assert {key for key in files(source) if ".owners" not in key} == set(files(target))
    assert all(files(source)[key] == content for key, content in files(target).items())
    assert run(monkeypatch, capsys, "fsck", "--data-dir", target).code == 0
    [line] = copy(source, target).lines
    assert re.fullmatch(
        r"Copied 0 files \(0 B\) of 0 classifiers and aliases; \d+ files were there already: complete\.", line
    )


def test_a_dry_run_makes_no_folder(copy: Run, source: Path, tmp_path: Path) -> None:
    planned = copy(source, tmp_path / "to", "--dry-run")
    assert planned.out.startswith("Would copy ")
    assert not (tmp_path / "to").exists()


def test_json_is_the_report_that_python_gives(copy: Run, source: Path, tmp_path: Path) -> None:
    told = copy(source, tmp_path / "to", "--json").document
    assert (told["names"], told["complete"], told["problems"]) == (["tickets_v1", "tickets_v2"], True, [])
    report = windrow.copy_store(source, str(tmp_path / "again"))
    assert json.loads(json.dumps(report.to_dict())) == told


def test_a_conflict_is_named_and_ends_with_exit_code_1(copy: Run, source: Path, tmp_path: Path) -> None:
    copy(source, tmp_path / "to")
    (blob, *_) = (tmp_path / "to").glob("classifiers/tickets_v1/blobs/*")
    blob.write_bytes(b"something else")
    told = copy(source, tmp_path / "to")
    assert told.code == 1
    found, total = told.out.splitlines()
    assert found.startswith("conflict: classifiers/tickets_v1/blobs/")
    assert total.endswith("INCOMPLETE.")
    assert blob.read_bytes() == b"something else"


def test_damage_is_named_and_ends_with_exit_code_1(copy: Run, source: Path, tmp_path: Path) -> None:
    (blob, *_) = source.glob("classifiers/tickets_v1/blobs/*")
    blob.write_bytes(b"something else")
    told = copy(source, tmp_path / "to")
    assert told.code == 1
    assert told.out.startswith(f"damage: {blob.relative_to(source)}: It was not copied. A blob of the classifier was ")


def test_places_that_are_no_two_data_directories_are_refused(copy: Run, source: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("Dear shop")
    (tmp_path / "link").symlink_to(source)
    cases = [
        (tmp_path / "missing", tmp_path / "to", "does not exist"),
        (tmp_path / "other", tmp_path / "to", "neither classifiers nor aliases"),
        (source, source, "lies inside the other"),
        (source, tmp_path / "link", "lies inside the other"),
        (source, source / "inner", "lies inside the other"),
        (source, tmp_path, "lies inside the other"),
        (source, tmp_path / "other", "is neither empty nor a data directory"),
        (source, tmp_path / "other/letter.txt", "is no folder"),
        (source, "ftp://shop/windrow", "s3://BUCKET/PREFIX"),
        ("s3://shop/windrow", "s3://shop/windrow/b", "lies inside the other"),
        ("s3://shop", "s3://shop/windrow/", "lies inside the other"),
    ]
    for one, other, words in cases:
        refused = copy(one, other)
        assert refused.code == 2, (one, other, refused)
        assert words in refused.refusal
    assert not (tmp_path / "to").exists()
    assert os.listdir(tmp_path / "other") == ["letter.txt"]  # noqa: PTH208


@pytest.mark.parametrize("address", ["s3://AKIASHOP:sEcret/kEy@shop/windrow", "s3://shop/windrow?secret=sEcret/kEy"])
def test_credentials_in_an_address_are_refused_and_not_shown(
    copy: Run, source: Path, tmp_path: Path, address: str
) -> None:
    for places in ((source, address), (address, tmp_path / "to")):
        refused = copy(*places)
        assert refused.code == 2
        assert "without credentials" in refused.refusal
        assert "sEcret" not in refused.out + refused.err
    with pytest.raises(InvalidParameter) as caught:
        windrow.copy_store(source, address)
    assert "sEcret" not in f"{caught.value} {caught.value.facts}"


def test_python_says_which_argument_is_wrong(source: Path) -> None:
    with pytest.raises(InvalidParameter) as caught:
        windrow.copy_store(source, source)
    assert caught.value.facts["parameter"] == "to"


def test_ctrl_c_says_how_to_go_on(copy: Run, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> Iterator[None]:
        raise KeyboardInterrupt

    monkeypatch.setattr("windrow.session.copying.copy_store", stop)
    stopped = copy(source, tmp_path / "to")
    assert stopped.code == 130
    assert stopped.refusal == "stopped; what was copied stays. Run the same command again to go on."
