"""The demo command: trains, compares and promotes on tickets of a made-up shop that ship with Windrow."""

import json
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from windrow.cli.call import Call
from windrow.cli.formats import duration, given_text
from windrow.cli.metric_tables import disagreement_table, result_table
from windrow.cli.option_parsing import with_options
from windrow.cli.output import data_console, naming_file, notes_console
from windrow.cli.progress import training_bar
from windrow.display.tables import between
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import FitRequest, ModelRequest
from windrow.domain.comparison import SIGNIFICANT_P, CompareRequest, Comparison
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import percent
from windrow.domain.prediction import PredictRequest
from windrow.domain.report import EvaluateRequest
from windrow.domain.training_report import Estimate
from windrow.files.text_form import PLAIN

if TYPE_CHECKING:
    from rich.console import Console

    from windrow.operations import Operations

ALIAS = "demo_tickets"
FIRST = "demo_tickets_v1"
SECOND = "demo_tickets_v2"
# More of them would push the lesson out of sight.
SHOWN_DISAGREEMENTS = 6

verbs = typer.Typer()


@dataclass(frozen=True, slots=True)
class DemoRows:
    """Tickets of a small web shop for bicycle bags and rain gear; all of them are made up.

    Args:
        first: What the first version learns from: the few kinds of tickets that the shop's first week brought.
        second: What the second one learns from: the same, and later ones of other kinds.
        test: Tickets that neither of them learns from.
        new: Texts without a label.
    """

    first: tuple[Row, ...]
    second: tuple[Row, ...]
    test: tuple[Row, ...]
    new: tuple[str, ...]

    @property
    def files(self) -> Mapping[str, Sequence[Row]]:
        """The rows by the names of the files in which the commands expect them."""
        return {"demo_first.csv": self.first, "demo_second.csv": self.second, "demo_test.csv": self.test}


@verbs.command(epilog="Example: windrow demo --data-dir windrow-data --rows-to .")
@with_options()
def demo(
    call: Call,
    rows_to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write the tickets there, as CSV, to try the commands yourself."),
    ] = None,
) -> None:
    """Train two versions on tickets of a made-up shop, compare them, promote the better one, and explain each step.

    It all happens in a temporary folder that is removed at the end, unless --url or --data-dir says where. With --json,
    the document is that of the comparison.
    """
    rows = demo_rows()
    if rows_to is not None:
        write_rows(rows, rows_to)
    console = notes_console() if call.as_json else data_console()
    with _connected_or_temporary(call) as (operations, where):
        comparison = Tour(operations, console, where).take(rows)
    call.show(comparison, lambda _: None if where else _print_how_to_keep(console))


def _print_how_to_keep(console: "Console") -> None:
    console.print("\nIt all took number in a temporary folder, which is gone. To keep it and go on from there:")
    console.print("  $ windrow demo --data-dir windrow-data --rows-to .")


@dataclass(frozen=True, slots=True)
class Tour:
    """The steps of the demo.

    Args:
        operations: What does them.
        console: Prints each step.
        where: The options that a command needs to reach the same number; none for one that is gone afterwards.
    """

    operations: "Operations"
    console: "Console"
    where: tuple[str, ...] = ()

    def take(self, rows: DemoRows) -> Comparison:
        """Do every step, and return the comparison that decided."""
        self.console.print("A shop for bicycle bags and rain gear sorts what its customers write by four labels.")
        self._fit(
            FIRST, "demo_first.csv", rows.first, f"Train a first version on {len(rows.first)} tickets, a few a label."
        )
        more = len(rows.second) - len(rows.first)
        self._fit(
            SECOND,
            "demo_second.csv",
            rows.second,
            f"Train a second version on these and {more} later tickets, of kinds that the first has not met.",
        )
        self._evaluate(rows)
        comparison = self._compare(rows)
        self._promote(comparison)
        self._predict(rows)
        return comparison

    def _step(self, words: str, *command: str) -> None:
        self.console.print(f"\n{words}", style="bold")
        self.console.print(f"  $ {shlex.join(('windrow', *command, *self.where))}", style="cyan")

    def _fit(self, name: str, file: str, rows: tuple[Row, ...], words: str) -> None:
        self._step(words, "fit", name, file)
        with training_bar() as bar:
            fitted = self.operations.fit(FitRequest(name, rows), bar.show)
        self.console.print(
            f"Trained {fitted.model_name}@{fitted.revision} in {duration(fitted.training_time_seconds)}. "
            f"{_estimated(fitted.report.estimate)}"
        )

    def _evaluate(self, rows: DemoRows) -> None:
        self._step(
            f"Evaluate the first by {len(rows.test)} tickets that neither has learnt from.",
            *("evaluate", FIRST, "--test-data", "demo_test.csv"),
        )
        report = self.operations.evaluate(EvaluateRequest(FIRST, rows.test))
        self.console.print(
            f"{report.correct} of {report.total} are right: {percent(report.accuracy)}, and with 95 % confidence "
            f"{between(report.accuracy_interval)} of tickets like these."
        )
        estimate = self.operations.show(ModelRequest(FIRST)).report.estimate
        if estimate is not None and report.accuracy < estimate.interval.low:
            self.console.print(
                "That is less than its training made of it: an estimate knows only of tickets like those it was "
                "trained on, and these are of more kinds. So hold back rows to test by."
            )

    def _compare(self, rows: DemoRows) -> Comparison:
        self._step("Compare the two on the same tickets.", "compare", FIRST, SECOND, "--test-data", "demo_test.csv")
        comparison = self.operations.compare(CompareRequest((FIRST, SECOND), rows.test))
        assert isinstance(comparison, Comparison), "these are single-label classifiers"
        self.console.print(result_table(comparison.models))
        if comparison.disagreements:
            shown = comparison.disagreements[:SHOWN_DISAGREEMENTS]
            self.console.print(
                f"\nTickets that they answer differently, {len(shown)} of {len(comparison.disagreements)}:"
            )
            self.console.print(disagreement_table(shown, (FIRST, SECOND)))
        self.console.print(f"\n{comparison.recommendation.reason}")
        if comparison.pairs and comparison.pairs[0].p_value < SIGNIFICANT_P:
            self.console.print(
                "So few rows show which of the two is better where the difference is as large as here. How good it is, "
                "they show only roughly:"
            )
        for warning in comparison.warnings:
            self.console.print(f"Warning: {warning.message}")
        return comparison

    def _promote(self, comparison: Comparison) -> None:
        better = comparison.recommendation.model_name
        self._step(
            f"Promote what is recommended: whoever asks {ALIAS} is answered by it from now on.",
            *("promote", ALIAS, better),
        )
        reason = comparison.recommendation.reason
        promoted = self.operations.promote(PromoteRequest(ALIAS, better, reason=reason, author="windrow demo"))
        self.console.print(f"{promoted.alias} points to {promoted.points_to}.")

    def _predict(self, rows: DemoRows) -> None:
        answers = self.operations.predict(PredictRequest(model_name=ALIAS, texts=rows.new))
        for number, (text, answer) in enumerate(zip(rows.new, answers, strict=True)):
            self._step("Ask it." if number == 0 else "And once more.", "predict", ALIAS, "--text", text)
            score = max(answer.scores.values())
            label = given_text(None if answer.abstained else answer.given)
            self.console.print(f"{label}, with a score of {score:.2f}, says {answer.model_name}@{answer.revision}.")


def demo_rows() -> DemoRows:
    """Return the tickets that ship with Windrow: they stand where the console, too, offers them."""
    document = json.loads(resources.files("windrow").joinpath("console", "demo_rows.json").read_text(encoding="utf-8"))
    first, added, test = (
        tuple(Row(each["text"], each["label"]) for each in document[part]) for part in ("first", "added", "test")
    )
    return DemoRows(first, first + added, test, tuple(document["new"]))


def write_rows(rows: DemoRows, folder: Path) -> None:
    """Write the tickets to CSV files; those that are there already are left as they are.

    Raises:
        InvalidParameter: A file of such a name holds something else, or it cannot be written.
    """
    for name, part in rows.files.items():
        path, content = folder / name, _csv(part)
        with naming_file(path):
            folder.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.read_bytes() != content:
                raise InvalidParameter(
                    "{file} holds something else already. Move it away, or name another folder with --rows-to.",
                    {"parameter": "rows_to", "file": str(path)},
                )
            path.write_bytes(content)


def _csv(rows: Sequence[Row]) -> bytes:
    return PLAIN.rows((("text", "label"), *((row.text, row.label) for row in rows))).encode()


def _estimated(estimate: Estimate | None) -> str:
    if estimate is None:
        return "It has no estimate of its accuracy."
    return (
        f"It places {estimate.correct} of {estimate.total} of these right when each is judged by a training without it."
    )


@contextmanager
def _connected_or_temporary(call: Call) -> "Iterator[tuple[Operations, tuple[str, ...]]]":
    """Give the verbs, and the options that reach the same number; a temporary folder where nothing was named."""
    with ExitStack() as stack:
        where: tuple[str, ...] = ()
        if call.url:
            from windrow.client.address import read_address

            # What is shown may be kept, so not the password in the address.
            where = ("--url", str(read_address(call.url)))
        elif call.data_dir is not None:
            where = ("--data-dir", call.data_dir)
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="windrow-demo-"))
            call = replace(call, data_dir=folder)
        yield stack.enter_context(call.connected(may_create=True)), where
