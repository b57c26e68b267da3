"""Training data of Rasa, and what is in it."""

import json

from tests.files.formats.packing import zipped
from tests.files.formats.reading import Sample

YAML = """version: "3.1"

nlu:
- intent: greet
  examples: |
    - hey
    - hello [Sara](name)
    - good [morning]{"entity": "time", "role": "start"}
- intent: faq/hours
  examples: |
    - when do you open
- intent: no
  examples: |
    - no
    - never!
- synonym: morning
  examples: |
    - dawn
- regex: zip
  examples: |
    - \\d{5}
- lookup: city
  examples: |
    - Berlin

responses:
  utter_faq/hours:
  - text: "At nine."
"""
YAML_2 = """version: "2.0"
nlu:
  - intent: order
    metadata:
      sentiment: neutral
    examples:
      - text: |
          one [large][{"entity": "size"}, {"entity": "number"}] pizza
        metadata:
          sentiment: happy
      - text: two [cokes](drink:cola)
  - intent: nothing_yet
"""
MARKDOWN = """## intent:greet
- hey
* hello [Sara](name) <!-- a name -->
<!-- a comment
- over two lines -->
## intent: bye
+ see you

## synonym:Sara
- Sarah
## lookup:cities
data/cities.txt
"""
JSON = {
    "rasa_nlu_data": {
        "common_examples": [
            {"text": "hey [you]", "intent": "greet", "entities": []},
            {"text": "see you in Rome", "intent": "bye", "entities": [{"start": 11, "end": 15, "entity": "city"}]},
            {"text": "Rome", "entities": []},
        ],
        "regex_features": [{"name": "zip", "pattern": "[0-9]{5}"}],
        "lookup_tables": [],
        "entity_synonyms": [{"value": "Rome", "synonyms": ["Roma"]}],
    }
}
PROJECT = {
    "bot/domain.yml": 'version: "3.1"\nintents:\n- greet\n- bye\n',
    "bot/config.yml": "language: en\n",
    "bot/data/stories.yml": 'version: "3.1"\nstories:\n- story: hello\n  steps:\n  - intent: greet\n',
    "bot/data/nlu/greet.yml": "nlu:\n- intent: greet\n  examples: |\n    - hey\n    - hello\n",
    "bot/data/nlu/bye.yml": "nlu:\n- intent: bye\n  examples: |\n    - see you\n",
}
CUT = {
    "train_test_split/training_data.yml": "nlu:\n- intent: greet\n  examples: |\n    - hey\n",
    "train_test_split/test_data.yml": "nlu:\n- intent: greet\n  examples: |\n    - hello\n",
    "nlu.yml": 'version: "3.1"\n',
}

SAMPLES = {
    "rasa": (
        Sample(
            "YAML of version 3.1",
            "nlu.yml",
            YAML.encode(),
            [
                ("hey", ("greet",)),
                ("hello Sara", ("greet",)),
                ("good morning", ("greet",)),
                ("when do you open", ("faq/hours",)),
                ("no", ("no",)),
                ("never!", ("no",)),
            ],
            kind="single_label",
        ),
        Sample(
            "YAML of version 2, examples with metadata",
            "data.yaml",
            YAML_2.encode(),
            [("one large pizza", ("order",)), ("two cokes", ("order",))],
            kind="single_label",
        ),
        Sample(
            "Markdown",
            "nlu.md",
            MARKDOWN.encode(),
            [("hey", ("greet",)), ("hello Sara", ("greet",)), ("see you", ("bye",))],
            kind="single_label",
        ),
        Sample(
            "JSON",
            "nlu.json",
            json.dumps(JSON).encode(),
            [("hey [you]", ("greet",)), ("see you in Rome", ("bye",))],
            num_left_out=1,
            kind="single_label",
        ),
        Sample(
            "a project with a folder of files",
            "bot.zip",
            zipped(PROJECT),
            [("see you", ("bye",)), ("hey", ("greet",)), ("hello", ("greet",))],
            kind="single_label",
        ),
        Sample(
            "cut into training and test data",
            "bot.zip",
            zipped(CUT),
            [("hello", ("greet",), "test"), ("hey", ("greet",), "train")],
            kind="single_label",
        ),
    )
}
