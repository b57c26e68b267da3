"""Datasets of Snips NLU, and what is in them."""

import json

from tests.files.formats.reading import Sample

JSON = {
    "language": "en",
    "intents": {
        "turnOn": {
            "utterances": [
                {"data": [{"text": "turn on the "}, {"text": "lamp", "entity": "device", "slot_name": "what"}]},
                {"data": [{"text": "light, please"}]},
            ]
        },
        "turnOff": {"utterances": [{"data": [{"text": "enough light"}]}]},
    },
    "entities": {"device": {"data": [], "use_synonyms": True}},
}
BROKEN = {
    "intents": {"turnOn": {"utterances": [{"data": [{"text": "light"}]}, {"data": [{}]}, {"data": "light"}]}},
    "entities": {},
    "language": "de",
}
YAML = """---
type: intent
name: turnOn
slots:
  - name: what
    entity: device
utterances:
  - turn on the [what:device](lamp)
  - light in the [room](kitchen), please
  - "yes"

---
type: intent
name: turnOff
utterances:
  - no

---
type: entity
name: device
values:
  - [lamp, light]
"""

SAMPLES = {
    "snips": (
        Sample(
            "JSON",
            "dataset.json",
            json.dumps(JSON, indent=2).encode(),
            [("turn on the lamp", ("turnOn",)), ("light, please", ("turnOn",)), ("enough light", ("turnOff",))],
            kind="single_label",
        ),
        Sample(
            "JSON with broken utterances",
            "dataset.json",
            json.dumps(BROKEN).encode(),
            [("light", ("turnOn",))],
            num_left_out=2,
            kind="single_label",
        ),
        Sample(
            "YAML",
            "dataset.yaml",
            YAML.encode(),
            [
                ("turn on the lamp", ("turnOn",)),
                ("light in the kitchen, please", ("turnOn",)),
                ("yes", ("turnOn",)),
                ("no", ("turnOff",)),
            ],
            kind="single_label",
        ),
    )
}
