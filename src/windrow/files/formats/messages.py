"""Take the texts out of the messages of conversations, as services for language models write them."""

from typing import Final

from windrow.files.formats.raw_rows import as_list, as_object, kind_of
from windrow.files.formats.row_parts import JsonObject, NoExample

# What the parts of a message that are text are called.
_TEXT_PARTS: Final = ("text", "input_text", "output_text")


def messages_of(value: object) -> list[JsonObject]:
    """Return the messages of a conversation.

    Raises:
        NoExample: They are none.
    """
    messages = as_list(value)
    if not messages or not all(isinstance(each, dict) and isinstance(each.get("role"), str) for each in messages):
        words = "'messages' is no list of messages with a role and a content. Correct or remove that row."
        raise NoExample(words, is_wrong=True)
    return messages


def content_of(message: JsonObject) -> str:
    """Return the text of a message, of several parts with line breaks between; empty where it has none.

    Raises:
        NoExample: A part is no text, such as a picture, or the content is of a wrong type.
    """
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        words = "the content of a message is {kind}, no text. Correct or remove that row."
        raise NoExample(words, is_wrong=True, kind=kind_of(content))
    texts: list[str] = []
    for part in content:
        kind = as_object(part).get("type")
        if isinstance(kind, str) and kind not in _TEXT_PARTS:
            raise NoExample("it holds a part that is no text ({part}), so it is no example.", part=kind)
        text = part if isinstance(part, str) else as_object(part).get("text")
        if not isinstance(text, str):
            raise NoExample("a part of a message has no text. Correct or remove that row.", is_wrong=True)
        texts.append(text)
    return "\n".join(texts)
