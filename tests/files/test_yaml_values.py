import pytest

from windrow.files import yaml_values
from windrow.files.yaml_values import MAX_DEPTH, YamlText, read_yaml


class RefusedError(Exception):
    """What is wrong with a file, in a test."""


def refuse(template: str, line: int | None = None, **facts: object) -> Exception:
    return RefusedError(f"{line}: {template.format(**facts)}")


def read(text: str) -> list[object]:
    return list(read_yaml(text, refuse))


def test_each_text_has_the_line_at_which_it_begins() -> None:
    text = 'a: one\nb:\n  - |\n    two\n    three\n  - >\n    four\n  - "five"\n'
    [value] = read(text)
    assert value == {
        "a": YamlText("one", 1),
        "b": [YamlText("two\nthree\n", 4), YamlText("four\n", 7), YamlText("five", 8)],
    }


def test_no_value_is_more_than_its_text() -> None:
    values = read("[no, 404, 1.0, null, ~, 2026-01-01, !!python/object:os.system x, !!int y]")
    assert [each.text for each in values[0]] == [  # type: ignore[attr-defined]
        "no",
        "404",
        "1.0",
        "null",
        "~",
        "2026-01-01",
        "x",
        "y",
    ]


def test_documents_follow_one_another() -> None:
    assert read("---\na\n---\n- b\n---\n") == [YamlText("a", 2), [YamlText("b", 4)], YamlText("", 6)]
    assert read("") == []


def test_more_values_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_values, "MAX_VALUES", 10)
    assert len(read("[a, b, c, d]")) == 1
    with pytest.raises(RefusedError, match="3: it has more than 10 values"):
        read("- a\n- b\n- [c, d, e, f, g, h]")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: &x [1]\nb: *x", "2: *x refers to another part of the file, which is not followed"),
        ("a: &x {b: *x}", "1: *x refers"),
        ("a: 1\nb: 2\na: 3", "3: the key 'a' stands twice"),
        ("[" * (MAX_DEPTH + 1), "1: it is nested more than 30 deep"),
        ("[" * 100_000, "1: it is nested more than 30 deep"),
        ("? [a]\n: b", "1: the YAML is broken: a list or a mapping is no key"),
        ("a: [1", "the YAML is broken: "),
        ("a:\n\t- b", "2: the YAML is broken: "),
        ("a: 'b", "the YAML is broken: "),
        ("a: \x01", "the YAML is broken: "),
    ],
)
def test_what_is_broken_or_refers_to_itself_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read(text)
    assert why in str(refused.value)
