"""The verbs of a session as coroutines, over a real server."""

import asyncio
import inspect
import io
import pydoc
import warnings
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pytest

import windrow
from tests.client.serving import serving
from tests.multi_label import NAME, ROWS, publish_multi_label
from tests.session.conftest import LABELS, TEXTS
from tests.toy import Toy
from windrow.domain.errors import (
    ClassifierExists,
    ClassifierNotFound,
    InvalidParameter,
    InvalidText,
    InvalidTrainingData,
    JobNotFound,
    ShuttingDown,
    Unauthorized,
)
from windrow.domain.job import Progress
from windrow.domain.threshold import Threshold
from windrow.session.async_client import AsyncClient
from windrow.session.reply_warnings import WindrowWarning
from windrow.session.session import Session

# So few rows as here are always warned about.
pytestmark = pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")
R = TypeVar("R")
Ask = Callable[[Callable[[AsyncClient], Awaitable[R]]], R]


@pytest.fixture
def ask(toy: Toy) -> Iterator[Callable[[Callable[[AsyncClient], Awaitable[object]]], object]]:
    """Runs a coroutine with a client of a server that has one classifier."""
    with serving(toy, toy.settings) as url:

        async def run(do: Callable[[AsyncClient], Awaitable[object]]) -> object:
            async with AsyncClient(url) as client:
                await client.fit("tickets_v1", TEXTS, LABELS, num_iterations=0)
                return await do(client)

        yield lambda do: asyncio.run(run(do))


def _methods(owner: type) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_")}


def test_it_has_every_method_of_a_session_that_needs_no_thread_with_the_same_arguments() -> None:
    assert windrow.AsyncClient is AsyncClient
    assert _methods(AsyncClient) == _methods(Session) - {"predict_files"}
    for name in _methods(AsyncClient) - {"operations", "follow_job"}:
        here, there = (inspect.signature(getattr(owner, name)).parameters for owner in (Session, AsyncClient))
        assert {each: (one.default, one.kind) for each, one in here.items() if each != "self"} == {
            each: (one.default, one.kind) for each, one in there.items() if each != "self"
        }, name


def test_help_shows_each_option_with_its_default() -> None:
    shown = pydoc.plain(pydoc.render_doc(AsyncClient("http://127.0.0.1:9").fit))
    for part in ("num_iterations: ", "= 20", "progress: bool | None = None", "max_seconds: float | None = None"):
        assert part in shown


def test_texts_are_answered_alone_in_columns_and_as_they_come(ask: Ask[None]) -> None:
    async def predict(client: AsyncClient) -> None:
        assert (await client.predict("tickets_v1", "money back")).label == "refund"
        column = await client.predict("tickets_v1", pd.Series(["money back", "sign in"]), batch_size=1)
        assert [each.label for each in column] == ["refund", "login"]
        stream = await client.predict("tickets_v1", iter(["sign in", "money back"]), batch_size=1)
        assert [each.label async for each in stream] == ["login", "refund"]
        assert (await client.predict("tickets_v1", "money", abstain_below=1.0)).label is None
        assert (await client.explain("tickets_v1", "money back")).explanation is not None
        assert list(await client.predict_with(["tickets_v1"], "money")) == ["tickets_v1"]

    ask(predict)


def test_a_bad_text_is_named_by_its_number_among_all(ask: Ask[None]) -> None:
    async def predict(client: AsyncClient) -> None:
        with pytest.raises(InvalidText, match=r"texts\[2\] is blank"):
            await client.predict("tickets_v1", ["a", "b", " "], batch_size=1)
        with pytest.raises(InvalidParameter, match="batch_size is 0"):
            await client.predict("tickets_v1", ["a"], batch_size=0)
        with pytest.raises(TypeError, match="top_m"):
            await client.predict("tickets_v1", "a", top_m=1)  # type: ignore[call-overload]

    ask(predict)


def test_a_job_is_followed_and_a_fit_tells_how_far_it_is(ask: Ask[None]) -> None:
    async def train(client: AsyncClient) -> None:
        heard: list[Progress] = []
        result = await client.fit("tickets_v2", TEXTS, LABELS, on_progress=heard.append, num_iterations=0)
        assert (result.model_name, result.next_name) == ("tickets_v2", "tickets_v3")
        job = await client.start_fit("tickets_v3", TEXTS, LABELS, num_iterations=0)
        seen = [each async for each in client.follow_job(job.id)]
        assert (seen[-1].state, seen[-1].model_name) == ("succeeded", "tickets_v3")
        assert await client.job(job.id) == seen[-1]
        assert (await client.jobs(limit=1))[0] == seen[-1]
        with pytest.raises(JobNotFound):
            [each async for each in client.follow_job("nonsense")]

    ask(train)


def test_labels_are_described_by_the_same_keyword(ask: Ask[None]) -> None:
    meanings = {"login": "cannot sign in", "refund": "money back"}

    async def describe(client: AsyncClient) -> None:
        made = await client.fit("described_v1", [], label_descriptions=meanings)
        assert (made.source, made.label_descriptions) == ("zero_shot", meanings)
        assert (await client.predict("described_v1", "i want my money")).label == "refund"

    ask(describe)


def test_many_tasks_share_a_client(ask: Ask[None]) -> None:
    async def predict(client: AsyncClient) -> None:
        found = await asyncio.gather(*(client.predict("tickets_v1", "money back") for _ in range(50)))
        assert {each.label for each in found} == {"refund"}

    ask(predict)


def test_a_classifier_goes_into_a_file_and_comes_back(ask: Ask[None], tmp_path: Path) -> None:
    async def exchange(client: AsyncClient) -> None:
        path = await client.export("tickets_v1", tmp_path)
        assert path == tmp_path / "tickets_v1.windrow"
        assert (await client.import_file(path, "moved_v1")).name == "moved_v1"
        assert (await client.import_file(io.BytesIO(path.read_bytes()), "moved_v2", dry_run=True)).name == "moved_v2"
        with pytest.raises(ClassifierExists):
            await client.import_file(str(path))
        with pytest.raises(InvalidParameter, match=r"nothing\.windrow cannot be read"):
            await client.import_file(tmp_path / "nothing.windrow")
        with pytest.raises(ClassifierNotFound):
            await client.export("nothing", tmp_path)

    ask(exchange)


def test_what_exists_is_kept_as_over_the_other_client(ask: Ask[None]) -> None:
    async def keep(client: AsyncClient) -> None:
        assert [each.name for each in await client.models()] == ["tickets_v1"]
        assert (await client.promote("tickets", "tickets_v1", reason="first")).alias == "tickets"
        assert [each.alias for each in await client.aliases()] == ["tickets"]
        assert [each.event for each in await client.history("tickets")] == ["promoted"]
        assert len(await client.base_models()) == 2
        assert (await client.usage()).total_bytes > 0
        assert (await client.remove_alias("tickets")).alias == "tickets"
        assert (await client.delete("tickets_v1")).model_name == "tickets_v1"
        with pytest.raises(InvalidTrainingData, match=r"\[0\]\.label is missing"):
            await client.fit("tickets_v2", ["a"], [None])

    ask(keep)


def test_the_first_key_locks_whoever_has_none_out(ask: Ask[None]) -> None:
    async def lock(client: AsyncClient) -> None:
        assert len(await client.keys()) == 0
        created = await client.create_key(name="shop", scopes=("predict",))
        assert (created.name, created.scopes) == ("shop", ("predict",))
        for refused in (client.keys(), client.revoke_key("shop"), client.predict("tickets_v1", "a text")):
            with pytest.raises(Unauthorized) as caught:
                await refused
            assert created.key not in str(caught.value)

    ask(lock)


def test_each_warning_is_shown_at_the_line_that_awaits(ask: Ask[None]) -> None:
    async def evaluate(client: AsyncClient) -> None:
        with warnings.catch_warnings(record=True) as shown:
            warnings.simplefilter("always")
            report = await client.evaluate("tickets_v1", TEXTS, LABELS)
        told = [each for each in shown if issubclass(each.category, WindrowWarning)]
        assert [str(each.message) for each in told] == [each.message for each in report.warnings]
        assert told and {each.filename for each in told} == {__file__}

    ask(evaluate)


def test_a_page_is_written_to_a_file(ask: Ask[None], tmp_path: Path) -> None:
    async def report(client: AsyncClient) -> None:
        file = await client.report("tickets_v1", TEXTS, LABELS, tmp_path, save=False)
        assert file == tmp_path / "tickets_v1@1.html"
        assert file.read_bytes().startswith(b"<!DOCTYPE html>")
        assert (await client.show("tickets_v1")).test is None

    ask(report)


@pytest.mark.parametrize("name", ["evaluate", "report"])
def test_help_shows_what_the_arguments_mean(name: str) -> None:
    shown = inspect.getdoc(getattr(AsyncClient, name)) or ""
    assert "\n    model_name: " in shown


def test_a_closed_client_says_so_and_never_shows_a_password() -> None:
    async def closed() -> None:
        client = AsyncClient("http://ana:secret@127.0.0.1:9")
        assert repr(client) == "windrow.AsyncClient('http://127.0.0.1:9')"
        await client.close()
        await client.close()
        with pytest.raises(ShuttingDown, match="This session is closed"):
            await client.usage()

    asyncio.run(closed())


def test_a_multi_label_classifier_gives_its_labels_and_takes_their_thresholds(ask: Ask[object], toy: Toy) -> None:
    publish_multi_label(toy)

    async def do(client: AsyncClient) -> object:
        answer = await client.predict(NAME, "The search finds nothing")
        assert (answer.kind, answer.labels) == ("multi_label", ("bug",))
        await client.promote("mails", NAME)
        with pytest.warns(WindrowWarning, match="gives 'bug' from 0.999 on"):
            changed = await client.set_threshold(NAME, 0.5, label_thresholds={"bug": 0.999})
        assert changed.threshold == Threshold(0.5, {"bug": 0.999})
        return [sorted(answer.given) for answer in await client.predict(NAME, list(ROWS))]

    assert ask(do) == [["billing"], ["urgent"], ["billing", "urgent"], [], []]
