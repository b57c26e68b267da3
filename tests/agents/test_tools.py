import json

import pytest

from windrow.agents.tools import BY_NAME, INSTRUCTIONS, MODELS_PER_PAGE, TOOLS, Permission, find_tool, offered_tools
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidParameter, InvalidRequest, LimitExceeded

READING = ["classify_text", "classifier_predict", "classifier_models", "classifier_evaluate", "classifier_compare"]
ROWS = [{"text": "refund", "label": "money"}, {"text": "crash", "label": "app"}]
CHANGES: tuple[Permission, ...] = ("changes",)
OVERWRITES: tuple[Permission, ...] = ("changes", "overwrites")


def test_without_permission_only_tools_that_read_are_offered() -> None:
    offered = offered_tools(())
    assert [tool.name for tool in offered] == READING
    assert all(tool.is_read_only(()) and not tool.may_destroy(()) for tool in offered)


def test_with_permission_to_change_training_and_promotion_are_offered() -> None:
    names = [tool.name for tool in offered_tools(CHANGES)]
    assert names == [*READING, "classifier_fit", "classifier_promote"]
    assert not BY_NAME["classifier_evaluate"].is_read_only(CHANGES)
    assert not BY_NAME["classifier_fit"].may_destroy(CHANGES)
    assert BY_NAME["classifier_fit"].may_destroy(OVERWRITES)
    assert BY_NAME["classifier_promote"].may_destroy(CHANGES)


def test_no_tool_deletes_anything() -> None:
    assert not [tool.verb for tool in TOOLS if tool.endpoint.method == "DELETE"]


def test_a_training_overwrites_nothing_unless_that_is_allowed_and_asked_for() -> None:
    tool, arguments = BY_NAME["classifier_fit"], {"model_name": "t_v1", "training_data": ROWS}
    assert not tool.read(arguments, CHANGES, None).overwrite
    assert not tool.read(arguments, OVERWRITES, None).overwrite
    assert tool.read({**arguments, "overwrite": True}, OVERWRITES, None).overwrite
    with pytest.raises(InvalidParameter, match=r"start `windrow mcp` with --allow-overwrites"):
        tool.read({**arguments, "overwrite": True}, CHANGES, None)


def test_an_evaluation_keeps_no_score_unless_changes_are_allowed_and_it_is_asked_for() -> None:
    tool, arguments = BY_NAME["classifier_evaluate"], {"model_name": "t_v1", "test_data": ROWS}
    assert not tool.read(arguments, (), None).save
    assert tool.read({**arguments, "save": True}, CHANGES, None).save
    with pytest.raises(InvalidParameter, match="--allow-changes"):
        tool.read({**arguments, "save": True}, (), None)


def test_rows_that_an_alias_keeps_are_replaced_only_where_that_is_allowed() -> None:
    arguments = {"alias": "t", "model_name": "t_v1", "must_pass": []}
    with pytest.raises(InvalidParameter, match="--allow-overwrites"):
        BY_NAME["classifier_promote"].read(arguments, CHANGES, None)
    assert BY_NAME["classifier_promote"].read(arguments, OVERWRITES, None).must_pass == ()


def test_a_list_of_classifiers_is_a_page_of_bounded_length() -> None:
    request = BY_NAME["classifier_models"].read({}, (), None)
    assert (request.limit, request.is_whole_list) == (MODELS_PER_PAGE, False)
    assert BY_NAME["classifier_models"].read({"limit": 2}, (), None).limit == 2


def test_an_unknown_argument_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(InvalidRequest, match="did you mean text"):
        BY_NAME["classifier_predict"].read({"model_name": "t", "txt": "a"}, (), None)
    with pytest.raises(InvalidRequest, match="known are alias, model_name"):
        BY_NAME["classifier_promote"].read({"zzz": 1}, CHANGES, None)


def test_the_number_of_rows_is_limited_as_it_is_over_http() -> None:
    arguments = {"model_name": "t_v1", "training_data": ROWS * 2}
    with pytest.raises(LimitExceeded):
        BY_NAME["classifier_fit"].read(arguments, CHANGES, DataLimits(max_rows=3))


def test_a_tool_that_is_not_there_or_not_offered_is_told_with_what_to_do() -> None:
    with pytest.raises(InvalidParameter, match="Call one of classify_text, classifier_predict"):
        find_tool("predict", ())
    with pytest.raises(InvalidParameter, match="start `windrow mcp` with --allow-changes"):
        find_tool("classifier_fit", ())
    assert find_tool("classifier_fit", CHANGES) is BY_NAME["classifier_fit"]


def test_what_a_model_reads_of_all_tools_fits_into_few_thousand_tokens() -> None:
    read = [(tool.name, tool.description, tool.input_schema(OVERWRITES)) for tool in TOOLS]
    # About four characters of JSON are a token.
    assert len(json.dumps([INSTRUCTIONS, read])) < 24_000
