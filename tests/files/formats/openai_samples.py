"""Files that classifiers were fine-tuned on at OpenAI, and what is in them."""

import json
from typing import Any

from tests.files.formats.reading import NONE, Sample

SYSTEM = "Answer with the team that is to answer: billing, app or other."


def chat(text: object, answer: object, system: str | None = SYSTEM, **more: Any) -> dict[str, Any]:
    """Return a conversation as it was sent to be learned."""
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": "user", "content": text}, {"role": "assistant", "content": answer, **more}]  # type: ignore[dict-item]
    return {"messages": messages}


def jsonl(*rows: object) -> str:
    """Return rows as JSONL."""
    return "".join(json.dumps(row) + "\n" for row in rows)


CHAT = [
    chat("Refund please", "billing"),
    chat("It crashes", " app\n"),
    chat([{"type": "text", "text": "Hello"}, {"type": "text", "text": "you"}], "other"),
    chat("Do not learn this one", "app", weight=0),
    chat([{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:,"}}], "app"),
]
IN_JSON = [
    chat("Refund please, it crashes", '{"labels": ["billing", "app"], "confidence": "high"}'),
    chat("Refund please", '{"labels": ["billing"]}'),
    chat("Hello", '{"labels": []}'),
]
PROMPTS = """{"prompt": "Refund please\\n\\n###\\n\\n", "completion": " billing END"}
{"prompt": "It crashes -> twice\\n\\n###\\n\\n", "completion": " app END"}
"""

SAMPLES = {
    "openai": (
        Sample(
            "chat",
            "train.jsonl",
            jsonl(*CHAT).encode(),
            [("Refund please", ("billing",)), ("It crashes", ("app",)), ("Hello\nyou", ("other",))],
            num_left_out=2,
        ),
        Sample(
            "chat that answers in JSON",
            "train.jsonl",
            jsonl(*IN_JSON).encode(),
            [("Refund please, it crashes", ("billing", "app")), ("Refund please", ("billing",)), ("Hello", NONE)],
            kind="multi_label",
            options={"labels_column": "labels"},
        ),
        Sample(
            "prompts and completions",
            "train.jsonl",
            PROMPTS.encode(),
            [("Refund please", ("billing",)), ("It crashes -> twice", ("app",))],
        ),
        Sample(
            "several labels with commas between",
            "train.jsonl",
            jsonl(chat("Refund please, it crashes", "billing, app"), chat("Refund please", "billing")).encode(),
            [("Refund please, it crashes", ("billing", "app")), ("Refund please", ("billing",))],
            kind="multi_label",
            options={"label_separator": ","},
        ),
    )
}
