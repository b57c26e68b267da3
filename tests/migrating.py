"""Files as people bring them from hosted classifiers and other programs, with texts enough to learn from."""

import json
from pathlib import Path
from typing import Any

TICKETS = {
    "billing": (
        "I was charged twice this month",
        "Please refund my last invoice",
        "The invoice shows the wrong amount",
        "Why did my subscription get more expensive?",
        "Send me the bill of March again",
        "My card was declined when I paid",
        "I want my money back",
        "Which payment methods do you take?",
    ),
    "technical": (
        "The app crashes when I open it",
        "I get error 500 on the upload page",
        "The search returns no results",
        "Pages load very slowly since today",
        "The export button does nothing",
        "My screen stays blank after the update",
        "Notifications do not arrive on my phone",
        "The map does not load",
    ),
    "account": (
        "How do I change my email address?",
        "Please delete my profile",
        "I forgot my password",
        "Add a colleague to our team",
        "Can I use another user name?",
        "I cannot confirm my phone number",
        "Lock my account, my laptop was stolen",
        "How do I leave a team?",
    ),
}
# So many of each label's texts are for training; the others are for testing.
NUM_TRAIN = 6
PAIRS = [(text, label) for label, texts in TICKETS.items() for text in texts[:NUM_TRAIN]]
TEST_PAIRS = [(text, label) for label, texts in TICKETS.items() for text in texts[NUM_TRAIN:]]
URGENT = ("charged twice", "error 500", "stolen", "crashes", "declined", "blank")


def labels_of(text: str, label: str) -> list[str]:
    """Return the labels of a text where it may have several."""
    return [label, *(["urgent"] if any(words in text for words in URGENT) else [])]


def write_azure(folder: Path) -> None:
    """Write an exported project of custom text classification, and its container beside it."""
    folder.mkdir()
    documents = []
    for number, (text, label) in enumerate(PAIRS + TEST_PAIRS, start=1):
        (folder / f"ticket{number}.txt").write_text(f"{text}\n")
        dataset = "Train" if number <= len(PAIRS) else "Test"
        documents.append(
            {"location": f"ticket{number}.txt", "language": "en-us", "dataset": dataset, "class": {"category": label}}
        )
    kind = "CustomSingleLabelClassification"
    project = {
        "projectFileVersion": "2022-05-01",
        "stringIndexType": "Utf16CodeUnit",
        "metadata": {"projectKind": kind, "projectName": "Tickets", "description": "Which team answers a ticket"},
        "assets": {
            "projectKind": kind,
            "classes": [{"category": label} for label in TICKETS],
            "documents": documents,
        },
    }
    (folder / "Tickets.json").write_text(json.dumps(project, indent=2))


def write_comprehend(folder: Path) -> None:
    """Write CSV for one label of each text, and for several."""
    for name, pairs in (("train.csv", PAIRS), ("test.csv", TEST_PAIRS)):
        (folder / name).write_text("".join(f'{label},"{text}"\n' for text, label in pairs))
    several = "".join(f'{"|".join(labels_of(text, label))},"{text}"\n' for text, label in PAIRS + TEST_PAIRS)
    (folder / "several.csv").write_text(several)
    (folder / "documents.txt").write_text("".join(f"{text}\n" for text, _ in TEST_PAIRS))


def write_cohere(folder: Path) -> None:
    """Write JSONL for one label of each text and for several, and a request with examples."""
    for name, pairs in (("train.jsonl", PAIRS), ("test.jsonl", TEST_PAIRS)):
        (folder / name).write_text("".join(json.dumps({"text": t, "label": label}) + "\n" for t, label in pairs))
    several = "".join(json.dumps({"text": t, "label": labels_of(t, each)}) + "\n" for t, each in PAIRS + TEST_PAIRS)
    (folder / "several.jsonl").write_text(several)
    request = {
        "inputs": [text for text, _ in TEST_PAIRS],
        "examples": [{"text": text, "label": label} for text, label in PAIRS],
    }
    (folder / "request.json").write_text(json.dumps(request))


def write_rasa(folder: Path) -> None:
    """Write a project of Rasa, and its training data cut into two parts."""
    nlu = folder / "bot" / "data" / "nlu"
    cut = folder / "bot" / "train_test_split"
    nlu.mkdir(parents=True)
    cut.mkdir()
    (folder / "bot" / "domain.yml").write_text('version: "3.1"\nintents:\n- billing\n- technical\n- account\n')
    (folder / "bot" / "config.yml").write_text("language: en\n")
    for label, texts in TICKETS.items():
        (nlu / f"{label}.yml").write_text(_nlu({label: texts}).replace("March", "[March](month)"))
    (cut / "training_data.yml").write_text(_nlu({label: texts[:NUM_TRAIN] for label, texts in TICKETS.items()}))
    (cut / "test_data.yml").write_text(_nlu({label: texts[NUM_TRAIN:] for label, texts in TICKETS.items()}))


def _nlu(examples: dict[str, tuple[str, ...]]) -> str:
    parts = ['version: "3.1"\n\nnlu:\n']
    for intent, texts in examples.items():
        bullets = "".join(f"    - {text}\n" for text in texts)
        parts.append(f"- intent: {intent}\n  examples: |\n{bullets}")
    return "".join(parts)


def write_label_studio(folder: Path) -> None:
    """Write an export with one control, one with several, one with several choices, and tasks to be labelled."""
    tasks = [_task(number, {"text": text}, {"team": [label]}) for number, (text, label) in enumerate(PAIRS, start=1)]
    cancelled = _task(90, {"text": "asdf"}, {"team": ["billing"]})
    cancelled["annotations"][0]["was_cancelled"] = True
    _write_json(folder / "export.json", [*tasks, cancelled])
    _write_json(folder / "tasks.json", [{"data": {"text": text}} for text, _ in TEST_PAIRS])
    priorities = {text: ["high" if len(labels_of(text, label)) > 1 else "low"] for text, label in PAIRS}
    both = [_task(1, {"text": text}, {"team": [label], "priority": priorities[text]}) for text, label in PAIRS]
    _write_json(folder / "controls.json", both)
    several = [_task(1, {"text": text}, {"topics": labels_of(text, label)}) for text, label in PAIRS]
    _write_json(folder / "several.json", [*several, _task(91, {"text": "Hello"}, {})])
    mails = [_task(1, {"subject": label, "body": text}, {"team": [label]}) for text, label in PAIRS]
    _write_json(folder / "mails.json", mails)


def _task(number: int, data: dict[str, str], chosen: dict[str, list[str]]) -> dict[str, Any]:
    """Return a task of Label Studio with an annotation that has choices in some controls."""
    result = [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": choices}}
        for name, choices in chosen.items()
    ]
    annotation = {"id": number, "completed_by": 1, "result": result, "was_cancelled": False, "ground_truth": False}
    return {"id": number, "data": data, "annotations": [annotation], "predictions": []}


def _write_json(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, indent=1))


def write_openai(folder: Path) -> None:
    """Write conversations that answer with a label, in JSON, or with several labels."""
    for name, pairs in (("train.jsonl", PAIRS), ("test.jsonl", TEST_PAIRS)):
        _write_chat(folder / name, [(text, label) for text, label in pairs])
    _write_chat(folder / "answers.jsonl", [(text, json.dumps({"category": label, "sure": 1})) for text, label in PAIRS])
    _write_chat(folder / "lists.jsonl", [(t, json.dumps({"labels": labels_of(t, label)})) for t, label in PAIRS])
    _write_chat(folder / "commas.jsonl", [(text, ", ".join(labels_of(text, label))) for text, label in PAIRS])


def _write_chat(file: Path, pairs: list[tuple[str, str]]) -> None:
    system = {"role": "system", "content": "Which team answers the ticket?"}
    rows = (
        {"messages": [system, {"role": "user", "content": text}, {"role": "assistant", "content": answer}]}
        for text, answer in pairs
    )
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
