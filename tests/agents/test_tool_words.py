from windrow.agents.tool_words import WORDS
from windrow.domain.words import render


def test_an_error_names_tools_and_arguments_as_an_agent_calls_them() -> None:
    told = render("See {see:list_classifiers}, {see:rollback}; {turn_on:overwrite}.", {}, WORDS)
    assert told == ("See classifier_models, POST /v1/classifier/aliases/{alias}/rollback; pass overwrite=true.")


def test_a_key_is_given_to_the_client() -> None:
    assert "MCP client" in render("{send_key}", {}, WORDS)
