import pytest

from tests.files.formats.packing import zipped
from tests.files.formats.reading import opened
from windrow.domain.errors import InvalidFile
from windrow.files.formats.json_documents import (
    MemberPaths,
    json_members,
    list_under,
    member_value,
    numbered,
    project_object,
    whole_object,
)

FILES = zipped({"a.json": '{"is": true}', "b/c.JSON": "[1]", "d.txt": "x"})


@pytest.mark.parametrize("content", [b"[1]", b"[{}, {}]", b"{}\n{}", b"null"])
def test_what_is_no_single_object_is_refused(content: bytes) -> None:
    with opened(content) as document, pytest.raises(InvalidFile, match="no single JSON object"):
        whole_object(document)


def test_a_project_is_the_file_or_the_one_in_it() -> None:
    with opened(b'{"is": 1}') as document:
        assert project_object(document, lambda each: "is" in each) == ("", {"is": 1})
    with opened(FILES) as document:
        assert project_object(document, lambda each: "is" in each) == ("a.json", {"is": True})
        assert json_members(document) == ["a.json", "b/c.JSON"]
        assert member_value(document, "b/c.JSON") == [1]
    with opened(FILES) as document, pytest.raises(InvalidFile, match="none of the JSON files"):
        project_object(document, lambda each: "no" in each)


def test_a_list_that_is_missing_is_refused() -> None:
    with opened(b"x") as document:
        assert list_under(document, {"a": [1]}, "a") == [1]
        with pytest.raises(InvalidFile, match="there is no list under 'a', but a number"):
            list_under(document, {"a": 3}, "a")


@pytest.mark.parametrize(
    ("location", "member"),
    [
        ("t.txt", "p/t.txt"),
        ("./t.txt", "p/t.txt"),
        ("p/u.txt", "p/u.txt"),
        ("v.txt", "v.txt"),
        ("q\\w.txt", "p/q/w.txt"),
        ("../v.txt", None),
        ("/v.txt", None),
        ("q/../t.txt", None),
        ("", None),
    ],
)
def test_a_location_is_looked_for_beside_the_project_and_from_the_root(location: str, member: str | None) -> None:
    paths = MemberPaths(frozenset(("p/t.txt", "p/u.txt", "v.txt", "p/q/w.txt")))
    assert paths.find("p/project.json", location) == member


@pytest.mark.parametrize(
    ("location", "member"),
    [("t.txt", "c/d/t.txt"), ("d/t.txt", "c/d/t.txt"), ("u.txt", None), ("a/u.txt", "c/a/u.txt"), ("x.txt", None)],
)
def test_a_location_is_looked_for_in_any_folder_where_just_one_has_it(location: str, member: str | None) -> None:
    paths = MemberPaths(frozenset(("p/project.json", "c/d/t.txt", "c/a/u.txt", "c/b/u.txt", "c/ax.txt")))
    assert paths.find_elsewhere(location) == member


def test_files_of_one_name_in_very_many_folders_are_found_where_they_are_named_alone() -> None:
    paths = MemberPaths(frozenset(f"c/{number}/t.txt" for number in range(10_000)))
    assert paths.find("p.json", "c/7/t.txt") == "c/7/t.txt"
    assert {paths.find_elsewhere(f"{number}/t.txt") for number in range(10_000)} == {None}


def test_values_are_counted_from_one() -> None:
    assert list(numbered(["a", "b"])) == [(1, "a"), (2, "b")]
