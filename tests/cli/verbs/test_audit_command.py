"""audit, in a terminal and as JSON."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.cli.asking import Run
from windrow.domain.alias import PromoteRequest
from windrow.domain.caller import Caller, calling
from windrow.domain.classifier import DeleteRequest, DescribeRequest, FitRequest
from windrow.domain.clock import utc_now
from windrow.domain.dataset import Row
from windrow.domain.errors import Unauthorized, WindrowError

if TYPE_CHECKING:
    from tests.toy import Toy

FIT = FitRequest("tickets_v1", (Row("money back", "refund"), Row("the bill", "invoice")), num_iterations=0)


@pytest.fixture
def busy(toy: "Toy") -> "Toy":
    """A data directory on which somebody has trained, promoted, failed and knocked."""
    with calling(Caller("nightly", address="10.0.0.1", request_id="a")):
        toy.fit(FIT)
        toy.promote(PromoteRequest("tickets", "tickets_v1"))
    with calling(Caller("shop", address="10.0.0.2", request_id="b")):
        for _ in range(2):
            with pytest.raises(WindrowError):
                toy.delete(DeleteRequest("tickets_v1"))
        toy.keys.note_refusal(Unauthorized("No."), "")
    toy.describe(DescribeRequest("tickets_v1", "Trained by night"))
    return toy


@pytest.mark.usefixtures("busy")
def test_the_newest_line_stands_first_with_who_what_and_how_it_ended(ask: Run) -> None:
    lines = [line.split(maxsplit=2)[2] for line in ask("audit").lines[2:]]
    told = {" ".join(line.split()) for line in lines}
    assert told >= {
        "nightly 10.0.0.1 fit tickets_v1 revision - to 1 ok",
        "nightly 10.0.0.1 promote tickets - to tickets_v1 ok",
        "shop 10.0.0.2 delete tickets_v1 classifier_in_use (2 times)",
        "shop 10.0.0.2 unauthorized",
    }
    assert len(told) == 6
    assert any(line.startswith("-") and line.endswith("describe tickets_v1 revision 1 ok") for line in told)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("options", "verbs"),
    [
        (("--key", "nightly"), ["promote", "fit", "start_fit"]),
        (("--target", "tickets"), ["promote"]),
        (("--verb", "describe"), ["describe"]),
        (("--verb", "describe", "--key", "nightly"), []),
        (("--key", "nightly", "--target", "tickets_v1"), ["fit", "start_fit"]),
        (("--since", "1d", "--key", "nightly", "--limit", "1"), ["promote"]),
        (("--since", "999999d", "--target", "tickets"), ["promote"]),
        (("--since", f"{utc_now() + timedelta(days=2):%Y-%m-%d}"), []),
        (("--since", f"{utc_now() + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"), []),
    ],
)
def test_options_narrow_it(ask: Run, options: tuple[str, ...], verbs: list[str]) -> None:
    assert [line["verb"] for line in ask("audit", *options, "--json").document["lines"]] == verbs


@pytest.mark.usefixtures("busy")
def test_older_lines_are_asked_for_by_the_cursor_that_the_note_names(ask: Run) -> None:
    first = ask("audit", "--limit", "4")
    (cursor,) = [word for word in first.err.replace(",", " ").split() if "-" in word and word[0] == "0"]
    whole = ask("audit", "--json").document["lines"]
    assert ask("audit", "--cursor", cursor, "--json").document["lines"] == whole[4:]


def test_no_line_is_a_remark(ask: Run) -> None:
    ended = ask("audit")
    assert (ended.code, ended.out, "There is no such line." in ended.err) == (0, "", True)


@pytest.mark.parametrize("since", ["yesterday", "7", "7w", "2025-02-30", ""])
def test_a_time_that_is_none_is_refused_by_the_option_s_name(ask: Run, since: str) -> None:
    ended = ask("audit", "--since", since)
    assert ended.code != 0
    assert "--since" in ended.err
    assert ("7d" in ended.err) == (since != "2025-02-30")  # a day, but for its number


def test_a_file_that_cannot_be_read_is_told(ask: Run, busy: "Toy") -> None:
    folder = busy.settings.local_dir / "audit"
    next(folder.rglob("*.jsonl")).write_bytes(b"{}")
    assert "1 file of the trail cannot be read. `windrow fsck` names them." in " ".join(ask("audit").err.split())
