"""Measure what names and descriptions of labels are worth beside a few rows a label, on labelled sets.

Starts a real server on a new data directory and talks to it over HTTP.

Run: make bench-few-rows DATA=/path/to/sets
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from draws import Rows, draw
from report import markdown
from server import post, running_server
from zero_shot_descriptions import DESCRIPTIONS

SETS = ("ag_news", "trec6", "emotion", "banking77", "clinc150")
SHOTS = (0, 1, 2, 4, 8, 16)
TEXTS_A_REQUEST = 500
TIMEOUT_S = 3_600
# Contrastive training of sets with more labels takes minutes, and is measured by bench-fit.
MOST_LABELS_TO_ADAPT = 10


@dataclass(frozen=True, slots=True)
class Way:
    """One way to train.

    Args:
        name: What it is called.
        hides_names: Whether labels are called by numbers, so that their names say nothing.
        describes: Whether labels are described.
        adapts: Whether the encoder is trained too, with the default number of iterations.
    """

    name: str
    hides_names: bool = False
    describes: bool = False
    adapts: bool = False


WAYS = (
    Way("rows", hides_names=True),
    Way("names", hides_names=False),
    Way("names, descriptions", describes=True),
    Way("names, adapter", adapts=True),
    Way("names, descriptions, adapter", describes=True, adapts=True),
)


class Side:
    """Asks a running server.

    Args:
        client: Knows its address.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def accuracy(self, way: Way, train: Rows, test: Rows, descriptions: Mapping[str, str]) -> float:
        """Fit, ask about the test rows, and return the share of right answers, in percent."""
        called = _names(descriptions, way.hides_names)
        body: dict[str, object] = {
            "model_name": "few_rows",
            "training_data": [{"text": row["text"], "label": called[row["label"]]} for row in train],
        }
        if not way.adapts:
            body["num_iterations"] = 0
        if way.describes:
            body["label_descriptions"] = dict(descriptions)
        elif not train:
            body["label_descriptions"] = dict.fromkeys(descriptions, "")
        post(self._client, "fit", body)
        right = 0
        for start in range(0, len(test), TEXTS_A_REQUEST):
            some = test[start : start + TEXTS_A_REQUEST]
            asked = {"model_name": "few_rows", "texts": [row["text"] for row in some]}
            answers = post(self._client, "predict", asked)["predictions"]
            right += sum(answer["label"] == called[row["label"]] for answer, row in zip(answers, some, strict=True))
        return 100 * right / len(test)


def main() -> None:
    """Measure and print a table."""
    options = read_options()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder)) as (_, url, _),
        httpx.Client(base_url=url, timeout=TIMEOUT_S) as client,
    ):
        figures = {name: measure(Side(client), options.data / name, options) for name in options.sets}
    print(table(figures))


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure names and descriptions beside few rows (bench/README.md).")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets, each with train.jsonl and test.jsonl")
    parser.add_argument("--sets", type=_several(str), default=SETS, help=f"names [{','.join(SETS)}]")
    parser.add_argument("--shots", type=_several(int), default=SHOTS, help="training rows a label [0,1,2,4,8,16]")
    parser.add_argument("--seeds", type=int, default=3, help="draws of each [3]")
    parser.add_argument("--rows", type=int, default=300, help="rows of each set to ask about [300]")
    return parser.parse_args()


def measure(side: Side, folder: Path, options: argparse.Namespace) -> dict[tuple[int, str], float]:
    """Return the mean accuracy over all draws of a set, by rows a label and way."""
    descriptions, found = DESCRIPTIONS[folder.name], {}
    for shots in options.shots:
        for way in WAYS:
            if not _is_measured(way, shots, len(descriptions)):
                continue
            draws = [draw(folder, shots, seed, options.rows) for seed in range(options.seeds if shots else 1)]
            figures = [side.accuracy(way, each.train, each.test, descriptions) for each in draws]
            found[shots, way.name] = statistics.mean(figures)
            print(folder.name, shots, way.name, *(f"{figure:.1f}" for figure in figures), flush=True)
    return found


def table(figures: Mapping[str, Mapping[tuple[int, str], float]]) -> str:
    """Return a table of accuracies, and the means over all sets that were measured in that way."""
    lines = []
    for name, found in figures.items():
        lines += [_line(name, shots, found) for shots in sorted({shots for shots, _ in found})]
    for shots in sorted({shots for found in figures.values() for shots, _ in found}):
        means = {}
        for way in WAYS:
            every = [found[shots, way.name] for found in figures.values() if (shots, way.name) in found]
            if len(every) == len(figures):
                means[shots, way.name] = statistics.mean(every)
        lines.append(_line("mean", shots, means))
    return markdown(["accuracy, %", "rows a label", *(way.name for way in WAYS)], lines)


def _line(name: str, shots: int, found: Mapping[tuple[int, str], float]) -> list[str]:
    own = (found.get((shots, way.name)) for way in WAYS)
    return [name, str(shots), *("-" if figure is None else f"{figure:.1f}" for figure in own)]


def _is_measured(way: Way, shots: int, labels: int) -> bool:
    if shots == 0:
        return not (way.adapts or way.hides_names)
    return labels <= MOST_LABELS_TO_ADAPT or not way.adapts


def _names(labels: Mapping[str, str], hides_names: bool) -> dict[str, str]:
    """Return what each label is called in a fit."""
    return {label: f"{number:03}" if hides_names else label for number, label in enumerate(sorted(labels))}


def _several(kind: Callable[[str], object]) -> Callable[[str], Sequence[object]]:
    return lambda text: [kind(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
