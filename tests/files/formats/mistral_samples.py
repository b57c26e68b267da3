"""Training data of Mistral's Classifier Factory, and what is in it."""

from tests.files.formats.reading import NONE, Sample

ONE_TARGET = """{"text": "The delivery was fast", "labels": {"sentiment": "positive"}}
{"text": "The box was empty", "labels": {"sentiment": "negative"}}
"""
SEVERAL_TARGETS = """{"text": "Invoice wrong, app crashes", "labels": {"topics": ["billing", "app"], "mood": "angry"}}
{"text": "Refund please", "labels": {"topics": ["billing"], "mood": "neutral"}}
{"text": "Hello", "labels": {"topics": [], "mood": "neutral"}}
"""
MESSAGES = """\
{"messages": [{"role": "user", "content": "Is it on?"}], "labels": {"safe": "yes"}}
{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}], "labels": {"safe": "yes"}}
"""

SAMPLES = {
    "mistral": (
        Sample(
            "one target",
            "train.jsonl",
            ONE_TARGET.encode(),
            [("The delivery was fast", ("positive",)), ("The box was empty", ("negative",))],
        ),
        Sample(
            "one of several targets",
            "train.jsonl",
            SEVERAL_TARGETS.encode(),
            [("Invoice wrong, app crashes", ("billing", "app")), ("Refund please", ("billing",)), ("Hello", NONE)],
            kind="multi_label",
            options={"labels_column": "topics"},
        ),
        Sample(
            "conversations",
            "train.jsonl",
            MESSAGES.encode(),
            [("Is it on?", ("yes",)), ("Hi\n\nHello!", ("yes",))],
        ),
    )
}
