"""Renders error messages for agents: how they name arguments and tools."""

from typing import ClassVar

from windrow.agents.tools import TOOLS
from windrow.api.http_words import HttpWords

_TOOLS_BY_VERB = {tool.verb: tool.name for tool in TOOLS}


class ToolWords(HttpWords):
    """Arguments as JSON has them, verbs as tools, and those that are none as HTTP has them."""

    send: ClassVar[str] = "pass"
    send_key: ClassVar[str] = "give it to the MCP client, which sends it in the header 'Authorization: Bearer KEY'"

    def verb(self, name: str) -> str:
        """Return how a verb is called: ``classifier_predict``."""
        return _TOOLS_BY_VERB.get(name) or super().verb(name)


WORDS = ToolWords()
