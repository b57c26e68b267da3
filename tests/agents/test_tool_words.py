from windrow.agents.tool_words import WORDS
from windrow.domain.words import render


def test_an_error_names_tools_and_arguments_as_an_agent_calls_them() -> None:
    told = render("See {see:list_classifiers}, {see:rollback}; {turn_on:multi_label}.", {}, WORDS)
    assert told == ("See classifier_models, POST /v1/classifier/aliases/{alias}/rollback; pass multi_label=true.")


def test_an_argument_that_an_option_must_allow_is_named_with_the_option() -> None:
    told = render("{Turn_on:overwrite}, not {unset:overwrite}.", {}, WORDS)
    assert told == "Pass overwrite=true (where `windrow mcp` runs with --allow-overwrites), not overwrite=false."


def test_a_key_is_given_to_the_client() -> None:
    assert "MCP client" in render("{send_key}", {}, WORDS)
