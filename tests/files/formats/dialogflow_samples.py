"""Agents as Dialogflow exports them, and what is in them."""

import json
from typing import Any

from tests.files.formats.packing import zipped
from tests.files.formats.reading import Sample


def said(*parts: str, **more: Any) -> dict[str, Any]:
    """Return what a user says, in ES."""
    data = [{"text": part, "userDefined": False} for part in parts]
    return {"id": f"id-{parts[0]}", "data": data, "isTemplate": False, "count": 0, "updated": 0, **more}


def phrase(*parts: str) -> dict[str, Any]:
    """Return a training phrase, in CX."""
    return {"id": parts[0], "repeatCount": 1, "languageCode": "en", "parts": [{"text": part} for part in parts]}


BOOKING = [said("book a ", "table", " for two"), said("@size:size table", isTemplate=True), said("a table please")]
ES = {
    "agent.json": json.dumps({"description": "", "language": "en"}),
    "package.json": json.dumps({"version": "1.0.0"}),
    "intents/booking.json": json.dumps({"id": "1", "name": "booking", "fallbackIntent": False}),
    "intents/booking_usersays_en.json": json.dumps(BOOKING, indent=2),
    "intents/Default Fallback Intent.json": json.dumps({"name": "Default Fallback Intent", "fallbackIntent": True}),
    "intents/Default Fallback Intent_usersays_en.json": json.dumps([said("what about the weather")]),
    "entities/size.json": json.dumps({"name": "size"}),
    "entities/size_entries_en.json": json.dumps([{"value": "two", "synonyms": ["2"]}]),
}
LANGUAGES = {
    "Restaurant/agent.json": "{}",
    "Restaurant/intents/small_talk.hello_usersays_de.json": json.dumps([said("guten Morgen")]),
    "Restaurant/intents/small_talk.hello_usersays_pt-BR.json": json.dumps([said("bom dia")]),
}
CX = {
    "agent.json": json.dumps({"displayName": "Restaurant"}),
    "intents/booking/booking.json": json.dumps({"name": "3f1c-77", "displayName": "booking"}),
    "intents/booking/trainingPhrases/en.json": json.dumps({"trainingPhrases": [phrase("book a ", "table")]}),
    "intents/Default Negative Intent/Default Negative Intent.json": json.dumps(
        {"name": "00-01", "displayName": "Default Negative Intent", "isFallback": True}
    ),
    "intents/Default Negative Intent/trainingPhrases/en.json": json.dumps({"trainingPhrases": [phrase("weather")]}),
    "flows/Default Start Flow/Default Start Flow.json": "{}",
}

SAMPLES = {
    "dialogflow": (
        Sample(
            "ES with a template and a fallback intent",
            "Restaurant.zip",
            zipped(ES),
            [
                ("what about the weather", ("Default Fallback Intent",)),
                ("book a table for two", ("booking",)),
                ("a table please", ("booking",)),
            ],
            num_left_out=1,
            kind="single_label",
        ),
        Sample(
            "ES in two languages, with a folder around it and no file for the intent",
            "Restaurant.zip",
            zipped(LANGUAGES),
            [("guten Morgen", ("small_talk.hello",)), ("bom dia", ("small_talk.hello",))],
            kind="single_label",
        ),
        Sample(
            "CX",
            "exported_agent.zip",
            zipped(CX),
            [("weather", ("Default Negative Intent",)), ("book a table", ("booking",))],
            kind="single_label",
        ),
        Sample(
            "one file of ES",
            "booking_usersays_en.json",
            json.dumps(BOOKING).encode(),
            [("book a table for two", ("booking",)), ("a table please", ("booking",))],
            num_left_out=1,
            kind="single_label",
        ),
    )
}
