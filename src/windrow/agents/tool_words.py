"""Renders error messages for agents: how they name arguments and tools."""

from typing import ClassVar

from windrow.agents.tools import OPTIONS, TOOLS
from windrow.api.http_words import HttpWords

_OPTIONS_BY_ARGUMENT = {name: OPTIONS[needed] for tool in TOOLS for name, needed in tool.guarded.items()}
_TOOLS_BY_VERB = {tool.verb: tool.name for tool in TOOLS}


class ToolWords(HttpWords):
    """Arguments as JSON has them, verbs as tools, and those that are none as HTTP has them."""

    send: ClassVar[str] = "pass"
    send_key: ClassVar[str] = "give it to the MCP client, which sends it in the header 'Authorization: Bearer KEY'"

    def turn_on(self, name: str) -> str:
        """Return what one does to have a switch on, and which option must allow it."""
        option = _OPTIONS_BY_ARGUMENT.get(name)
        allowed = "" if option is None else f" (where `windrow mcp` runs with {option})"
        return f"{super().turn_on(name)}{allowed}"

    def verb(self, name: str) -> str:
        """Return how a verb is called: ``classifier_predict``."""
        return _TOOLS_BY_VERB.get(name) or super().verb(name)


WORDS = ToolWords()
