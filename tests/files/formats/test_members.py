"""Files in zip files and folders: which are read, and what is refused."""

import io
import zipfile
from pathlib import Path

import pytest

from tests.files.formats.packing import written, zipped
from windrow.domain.errors import InvalidFile, LimitExceeded
from windrow.files.decoding import Source
from windrow.files.formats import members
from windrow.files.formats.members import FolderMembers, NoMembers, ZipMembers


def zip_members(content: bytes) -> ZipMembers:
    return ZipMembers(Source("pack.zip", io.BytesIO(content)))


def folder_members(folder: Path) -> FolderMembers:
    return FolderMembers(folder, Source(str(folder), io.BytesIO()).error)


def test_members_have_paths_and_bytes() -> None:
    packed = zip_members(zipped({"b/c.txt": "text", "a.txt": b"\x00", "__MACOSX/a.txt": "x", "d/": ""}))
    assert packed.names() == ("a.txt", "b/c.txt")
    with packed.open("b/c.txt") as file:
        assert file.read() == b"text"


@pytest.mark.parametrize("path", ["../a.txt", "/a.txt", "b/../../a.txt", "..\\a.txt", "C:\\a.txt", "c:/a.txt"])
def test_a_path_that_leads_outside_is_refused(path: str) -> None:
    with pytest.raises(InvalidFile, match="leads outside"):
        zip_members(zipped({path: "x"})).names()


def test_a_link_in_a_zip_file_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    with pytest.raises(InvalidFile, match="leads outside"):
        zip_members(content.getvalue()).names()


def test_what_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_UNPACKED_BYTES", 1_000)
    packed = zip_members(zipped({"a.txt": b"x" * 900, "b.txt": b"x" * 900}))
    packed.open("a.txt").close()
    with pytest.raises(InvalidFile, match="its files hold more than 1000 bytes, unpacked"):
        packed.open("b.txt")


def test_no_more_is_unpacked_than_the_source_may_hold() -> None:
    source = Source("pack.zip", io.BytesIO(zipped({"a.txt": b"x" * 900, "b.txt": b"x" * 900})), limit=(1_000, "LIMIT"))
    packed = ZipMembers(source)
    packed.open("a.txt").close()
    with pytest.raises(LimitExceeded, match=r"more than 1000 bytes once it is unpacked.*raise LIMIT"):
        packed.open("b.txt")


def test_a_zip_file_in_a_zip_file_is_refused() -> None:
    with pytest.raises(InvalidFile, match=r"inner\.zip in it is packed once more"):
        zip_members(zipped({"inner.zip": zipped({"a.txt": "x"})})).open("inner.zip")


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(members, "MAX_MEMBERS", 2)
    files = {f"{number}.txt": "x" for number in range(3)}
    with pytest.raises(InvalidFile, match="there are 3 files in it; at most 2 are read"):
        zip_members(zipped(files)).names()
    with pytest.raises(InvalidFile, match="there are more than 2 files in the folder"):
        folder_members(written(tmp_path, files)).names()


def test_damage_anywhere_is_refused_in_words() -> None:
    whole = zipped({"a.txt": "some text" * 20, "b.txt": "other text"})
    refusals: list[str] = []
    for place, byte in enumerate(whole):
        changed = whole[:place] + bytes([byte ^ 0xFF]) + whole[place + 1 :]
        for damaged in (changed, whole[:place] + whole[place + 2 :]):
            packed = zip_members(damaged)
            try:
                for name in packed.names():
                    packed.open(name).close()
            except InvalidFile as error:
                refusals.append(str(error))
    assert len(refusals) > len(whole)
    assert all(words.endswith(".") for words in refusals)


def test_a_folder_has_no_hidden_files_and_no_links_that_lead_outside(tmp_path: Path) -> None:
    folder = written(tmp_path / "in", {"a.txt": "text", "b/c.txt": "x", ".git/d.txt": "x", ".hidden": "x"})
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "linked").symlink_to(tmp_path)
    found = folder_members(folder)
    assert found.names() == ("a.txt", "b/c.txt")
    for name in ("link.txt", "../secret.txt", str(tmp_path / "secret.txt"), "nope.txt", "b"):
        with pytest.raises(InvalidFile, match="cannot be read"):
            found.open(name)


def test_a_file_of_a_folder_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(members, "MAX_UNPACKED_BYTES", 3)
    with pytest.raises(InvalidFile, match=r"a\.txt has 4 bytes; at most 3 are read"):
        folder_members(written(tmp_path, {"a.txt": "text"})).open("a.txt")


def test_a_file_that_came_alone_has_nothing_beside_it() -> None:
    assert NoMembers().names() == ()
    with pytest.raises(KeyError):
        NoMembers().open("a.txt")
