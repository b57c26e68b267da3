"""Files of IBM Watson, and what is in them."""

import json

from tests.files.formats.reading import NONE, Sample

INTENTS = [
    {
        "intent": "billing",
        "description": "Invoices and payments",
        "examples": [{"text": "I was charged twice"}, {"text": "Refund me", "mentions": []}],
    },
    {"intent": "General_Greetings", "description": "", "examples": [{"text": "Good morning"}]},
]
WORKSPACE = {
    "name": "Support",
    "intents": INTENTS,
    "entities": [{"entity": "day", "values": []}],
    "metadata": {"api_version": {"major_version": "v1"}},
    "dialog_nodes": [],
    "counterexamples": [{"text": "What is the weather?"}],
    "language": "en",
    "learning_opt_out": False,
    "description": "Answers to customers",
}
SKILL = {
    "type": "dialog",
    "name": "Support",
    "workspace": {"intents": INTENTS[:1], "entities": [], "dialog_nodes": []},
    "language": "en",
}
CSV = """I was charged twice,billing
"Refund me, please",billing
Good morning,greeting
Hello there my friend,greeting
Where is my invoice,billing
"""
NLU = [
    {"text": "Two cooks rob a bank", "labels": ["comedy", "action"]},
    {"text": "A judge has one week left", "labels": ["drama"]},
    {"text": "A film of nothing", "labels": []},
]
NLU_CSV = """Two cooks rob a bank,comedy,action
A judge has one week left,drama
"""

SAMPLES = {
    "watson": (
        Sample(
            "a workspace",
            "workspace.json",
            json.dumps(WORKSPACE, indent=1).encode(),
            [
                ("I was charged twice", ("billing",)),
                ("Refund me", ("billing",)),
                ("Good morning", ("General_Greetings",)),
            ],
            num_left_out=1,
            kind="single_label",
        ),
        Sample(
            "a skill, which holds a workspace",
            "skill-Support.json",
            json.dumps(SKILL).encode(),
            [("I was charged twice", ("billing",)), ("Refund me", ("billing",))],
            kind="single_label",
        ),
        Sample(
            "a table of examples, the intent last",
            "intents.csv",
            CSV.encode(),
            [
                ("I was charged twice", ("billing",)),
                ("Refund me, please", ("billing",)),
                ("Good morning", ("greeting",)),
                ("Hello there my friend", ("greeting",)),
                ("Where is my invoice", ("billing",)),
            ],
            options={"format": "watson"},
        ),
        Sample(
            "classifications of NLU",
            "classifications.json",
            json.dumps(NLU).encode(),
            [
                ("Two cooks rob a bank", ("comedy", "action")),
                ("A judge has one week left", ("drama",)),
                ("A film of nothing", NONE),
            ],
            kind="multi_label",
            options={"format": "watson"},
        ),
        Sample(
            "a table of NLU, several labels",
            "classifications.csv",
            NLU_CSV.encode(),
            [("Two cooks rob a bank", ("comedy", "action")), ("A judge has one week left", ("drama",))],
            options={"format": "watson"},
        ),
    )
}
