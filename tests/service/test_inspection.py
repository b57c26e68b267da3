"""The service inspects within its own limits, and keeps nothing."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from tests.toy import Toy
from windrow.domain.access import CreateKeyRequest
from windrow.domain.caller import Caller, calling
from windrow.domain.errors import LimitExceeded
from windrow.domain.inspection import InspectRequest
from windrow.settings import Settings

ROWS = b"text,label\nI was charged,billing\nIt crashes,technical\n"
REQUEST = InspectRequest(filename="a.csv")


def everything_in(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_nothing_is_kept_of_a_file() -> None:
    toy = Toy()
    before = everything_in(toy.settings.local_dir)
    assert toy.inspect(io.BytesIO(ROWS), REQUEST).num_rows == 2
    assert everything_in(toy.settings.local_dir) == before
    toy.close()


@pytest.mark.parametrize(
    ("settings", "limit", "setting"),
    [
        ({"max_rows": 1}, 1, "WINDROW_MAX_ROWS"),
        ({"max_body_bytes": len(ROWS) - 1}, len(ROWS) - 1, "WINDROW_MAX_BODY_BYTES"),
    ],
)
def test_its_limits_are_those_of_a_training(settings: dict[str, int], limit: int, setting: str) -> None:
    toy = Toy(replace(Settings(), **settings))  # type: ignore[arg-type]
    with pytest.raises(LimitExceeded) as refused:
        toy.inspect(io.BytesIO(ROWS), REQUEST)
    assert (refused.value.facts["limit"], refused.value.facts["setting"]) == (limit, setting)
    toy.close()


def test_any_caller_may_inspect_whatever_its_key_is_for() -> None:
    toy = Toy()
    key = toy.create_key(CreateKeyRequest(name="asks", scopes=("predict",), only=("tickets_*",)))
    with calling(Caller(key.name, frozenset(key.scopes), key.only)):
        assert toy.inspect(io.BytesIO(ROWS), REQUEST).rows_per_label == {"billing": 1, "technical": 1}
    toy.close()
