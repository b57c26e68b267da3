"""What a server may read and write for a client: what lies below its roots, links followed, and nothing else."""

import os
from pathlib import Path

import pytest

from windrow.domain.errors import InvalidParameter, PlaceNotAllowed
from windrow.domain.file_prediction import StartPredictFilesRequest
from windrow.domain.store_url import StoreUrl, read_store_url
from windrow.service.file_places import check_places
from windrow.settings import Settings

STORE = read_store_url("s3://mails/2025")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file in a folder, beside what no client may reach."""
    (tmp_path / "root" / "mails").mkdir(parents=True)
    (tmp_path / "root" / "mails" / "a.csv").write_text("text\na\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text("text\nb\n")
    (tmp_path / "rooted.csv").write_text("text\nc\n")
    return tmp_path / "root"


def check(root: Path, source: object, target: object = None, data_dir: Path | StoreUrl | None = None) -> None:
    settings = Settings(file_roots=(root, STORE), data_dir=data_dir or root.parent / "data", cache_dir=root.parent)
    target = root / "out" if target is None else target
    check_places(StartPredictFilesRequest(model_name="a", input=str(source), output=str(target)), settings)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "/mails",
        "/mails/",
        "/mails/a.csv",
        "/mails/*.csv",
        "/*/*.csv",
        "/**/*.csv",
        "/none/*.csv",
        "/none",
        "//mails",
    ],
)
def test_what_lies_below_a_root_may_be_read(root: Path, source: str) -> None:
    check(root, f"{root}{source}")


@pytest.mark.parametrize("target", ["", "/out", "/out/deeper", "/mails"])
def test_what_lies_below_a_root_may_be_written(root: Path, target: str) -> None:
    check(root, root / "mails", f"{root}{target}")


@pytest.mark.parametrize(
    "place", ["s3://mails/2025", "s3://mails/2025/", "s3://mails/2025/may.csv", "s3://mails/2025/may/deeper"]
)
def test_what_lies_below_a_place_in_a_store_may_be_read_and_written(root: Path, place: str) -> None:
    check(root, place, place)
    check(root, f"{place.rstrip('/')}/*.csv")


OUTSIDE = (
    *("/", "/etc/passwd", "/etc", "{}ed.csv", "{}/../rooted.csv", "/*/*", "{}*", "s3://mails/2026/a.csv", "s3://mails"),
    *("s3://mails/20251", "s3://mails/2025*/a.csv", "s3://mail*/2025/a.csv", "gs://mails/2025/a.csv"),
    *("s3://mails//2025", "s3://mails/2025//a.csv", "s3://mails/2025/./a.csv", "s3://mails/2025/../2026/a.csv"),
    *("s3://MAILS/2025/a.csv", "relative.csv", "~/a.csv", "file:///etc/passwd", "http://mails/2025/a.csv"),
    *("s3:/mails/2025/a.csv", "s3://me:word@mails/2025/a.csv", "{}/a\0.csv", " {}/a.csv"),
)


@pytest.mark.parametrize("place", OUTSIDE)
def test_everything_else_is_refused_and_the_error_says_no_more_than_was_sent(root: Path, place: str) -> None:
    place = place.format(root)
    for source, target in ((place, root / "out"), (root / "mails", place)):
        with pytest.raises((PlaceNotAllowed, InvalidParameter)) as caught:
            check(root, source, target)
        assert caught.value.facts["parameter"] == ("input" if source == place else "output")
        assert str(root) not in caught.value.detail.replace(place, "")
        assert "word" not in caught.value.detail


@pytest.mark.parametrize("source", ["/link.csv", "/*.csv", "/**", "", "/folder/secret.csv", "/folder", "/f*/*.csv"])
def test_no_link_leads_out_of_a_root(root: Path, source: str) -> None:
    (root / "link.csv").symlink_to(root.parent / "outside" / "secret.csv")
    (root / "folder").symlink_to(root.parent / "outside")
    with pytest.raises(PlaceNotAllowed):
        check(root, f"{root}{source}")
    check(root, f"{root}/mails/*.csv")


def test_no_link_leads_what_is_written_out_of_a_root(root: Path) -> None:
    (root / "out").symlink_to(root.parent / "outside")
    for target in ("out", "out/deeper"):
        with pytest.raises(PlaceNotAllowed):
            check(root, root / "mails", root / target)


def test_a_link_within_a_root_is_followed_and_a_root_may_be_one(root: Path) -> None:
    (root / "link.csv").symlink_to(root / "mails" / "a.csv")
    check(root, root / "*.csv")
    (root.parent / "other").symlink_to(root)
    check(root.parent / "other", root.parent / "other" / "mails", root.parent / "other" / "out")


def test_the_data_directory_is_neither_read_nor_written_wherever_it_lies(root: Path) -> None:
    data = root / "data"
    (data / "classifiers").mkdir(parents=True)
    (root / "disguise").symlink_to(data)
    for source in ("data", "data/classifiers/*", "disguise", "*/classifiers", ".", "**"):
        with pytest.raises(PlaceNotAllowed):
            check(root, f"{root}/{source}", data_dir=data)
    for target in ("data", "data/out", "disguise/out", ""):
        with pytest.raises(PlaceNotAllowed):
            check(root, root / "mails", f"{root}/{target}", data_dir=data)
    check(root, root / "mails", root / "out", data_dir=data)


@pytest.mark.parametrize("place", ["s3://mails/2025", "s3://mails/2025/kept", "s3://mails/2025/kept/files"])
def test_nor_is_one_in_an_object_store(root: Path, place: str) -> None:
    for source, target in ((place, root / "out"), (root / "mails", place)):
        with pytest.raises(PlaceNotAllowed):
            check(root, source, target, data_dir=read_store_url("s3://mails/2025/kept"))
    check(root, "s3://mails/2025/kepter", data_dir=read_store_url("s3://mails/2025/kept"))


def test_without_roots_nothing_may_be_touched_and_the_setting_is_named(tmp_path: Path) -> None:
    request = StartPredictFilesRequest(model_name="a", input=str(tmp_path), output=str(tmp_path / "out"))
    with pytest.raises(PlaceNotAllowed, match="WINDROW_FILE_ROOTS names no place") as caught:
        check_places(request, Settings())
    assert caught.value.facts == {"setting": "WINDROW_FILE_ROOTS"}
    assert str(tmp_path) not in caught.value.detail


def test_a_folder_that_cannot_be_looked_into_is_judged_by_its_place(root: Path) -> None:
    (root / "closed").mkdir(mode=0)
    check(root, root / "closed" / "*.csv")
    assert os.path.lexists(root / "closed")
