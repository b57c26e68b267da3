"""Options as dataclasses declare them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest

from windrow.cli.options import SHARED_OPTIONS, Option, OptionSpec, options_of, setting_help
from windrow.domain.alias import PromoteRequest
from windrow.domain.dataset import Row
from windrow.domain.names import ModelReference, Name
from windrow.domain.recipe import Recipe
from windrow.domain.suggestion import SuggestRequest
from windrow.domain.values import Schema


@dataclass
class Inner:
    """What is in another one."""

    deep: bool = False
    """Whether it is deep."""


@dataclass
class Declared:
    """A request with a field of each kind."""

    name: Name
    """Its name."""
    rows: tuple[Row, ...]
    """Its rows."""
    other: ModelReference = "a"
    """Another one; ``None`` is none."""
    share: Annotated[float | None, Schema(minimum=0, maximum=1)] = None
    """A share, from 0.5 to 1. Goes with ``is_on``; ``None`` for none."""
    is_on: bool = True
    """Whether it is on."""
    is_off: bool = False
    """Whether it is off."""
    many: tuple[str, ...] | None = None
    """Many."""
    by_label: Mapping[str, float] = field(default_factory=dict)
    """For each label."""
    more_rows: tuple[Row, ...] = ()
    """More rows."""
    order: Annotated[str | None, Schema(enum=["up", "down"])] = None
    """The order."""
    inner: Inner | None = None
    """More."""


def options(**told: OptionSpec) -> dict[str, Option]:
    return {each.path: each for each in options_of(Declared, {**SHARED_OPTIONS, **told}, ("left",))}


def typed(option: Option) -> tuple[Any, Any, Any]:
    """Return the type, the default and the rest of what Typer is told."""
    (parameter,) = option.parameters
    kind, info = get_args(parameter.annotation)
    return kind, parameter.default, info


def test_a_field_is_called_after_its_name_and_a_switch_that_is_on_after_how_it_is_turned_off() -> None:
    assert {path: each.name for path, each in options().items()} == {
        "name": "NAME",
        "rows": "ROWS",
        "other": "--other",
        "share": "--share",
        "is_on": "--no-is-on",
        "is_off": "--is-off",
        "many": "--many",
        "by_label": "--by-label",
        "more_rows": "--more-rows",
        "order": "--order",
        "inner.deep": "--deep",
    }


@pytest.mark.parametrize(
    ("path", "kind", "default"),
    [
        ("other", str, "a"),
        ("share", float | None, None),
        ("is_on", bool, False),
        ("is_off", bool, False),
        ("many", list[str] | None, None),
        ("by_label", list[str] | None, None),
        ("more_rows", Path | None, None),
        ("order", str | None, None),
        ("inner.deep", bool, False),
    ],
)
def test_what_is_typed_for_a_field(path: str, kind: object, default: object) -> None:
    assert typed(options()[path])[:2] == (kind, default)


def test_what_has_no_default_is_an_argument_and_rows_are_a_file() -> None:
    kind, default, info = typed(options()["rows"])
    assert (kind, default, info.metavar) == (Path, Parameter.empty, "FILE")
    assert info.help.startswith("Labelled rows: a table, JSON")
    texts = next(each for each in options_of(SuggestRequest) if each.path == "texts")
    assert typed(texts)[2].help.startswith("Texts: a table, JSON")


def test_what_has_no_default_and_is_named_is_an_option_that_must_be_there() -> None:
    rows = options(rows=OptionSpec("--test-rows"))["rows"]
    kind, default, info = typed(rows)
    assert (rows.is_argument, kind, default) == (False, Path, Parameter.empty)
    assert (rows.name, info.metavar) == ("--test-rows", "FILE")


def test_a_file_may_stand_without_its_option() -> None:
    rows = options(rows=OptionSpec("--test-rows", or_argument=True))["rows"]
    unnamed, named = rows.parameters
    assert (unnamed.name, unnamed.default) == ("rows_file", None)
    assert (named.name, named.default) == ("rows", None)


def test_ranges_stand_in_the_annotation() -> None:
    assert options()["share"].type.members == {"minimum": 0, "maximum": 1}
    seed = next(each for each in options_of(Recipe) if each.path == "seed")
    assert seed.type.members["maximum"] == 2**32 - 1


def test_help_is_the_docstring_without_what_concerns_python_alone() -> None:
    assert options()["share"].help == "A share, from 0.5 to 1. Goes with --is-on."
    assert options()["other"].help == "Another one."
    assert options()["inner.deep"].help == "Whether it is deep."


def test_a_verb_may_tell_a_field_otherwise() -> None:
    told = options(
        other=OptionSpec("--others -o", "WHICH", "Which.", is_argument=False),
        inner_deep=OptionSpec(help="Deep."),
        share=OptionSpec(is_argument=True),
    )
    assert (told["other"].name, told["other"].metavar, told["other"].help) == ("--others", "WHICH", "Which.")
    assert told["inner.deep"].help == "Deep."
    assert told["share"].is_argument


def test_what_is_left_out_is_no_option() -> None:
    found = [each.path for each in options_of(PromoteRequest, leave_out=("must_pass", "require.test_data"))]
    assert found == [
        "reason",
        "author",
        "alias",
        "model_name",
        "require.not_worse",
        "require.must_pass",
        "require.min_recall",
        "require.min_f1",
    ]


def test_an_option_that_overrides_a_setting_says_what_the_setting_does() -> None:
    assert setting_help("port") == "Port to listen on; 0 takes a free one. [variable: WINDROW_PORT; default: 14345]"
