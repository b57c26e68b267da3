"""keys: created and shown once, listed without themselves, limited and revoked, in a terminal and as JSON."""

import json
import re

import pytest

from tests.cli.asking import Ended, Run
from tests.toy import Toy
from windrow.domain.errors import Unauthorized

CREATE = ("keys", "create", "shop", "--scope", "predict", "--scope", "read", "--only", "tickets_*", "--expires", "90d")
KEY = re.compile(r"wdr_[A-Za-z0-9_-]{43}")


def listed(ask: Run) -> str:
    return " ".join(ask("keys", "list").out.split())


def test_a_key_stands_alone_on_standard_output_and_what_it_may_beside_it(ask: Run, toy: Toy) -> None:
    created = ask(*CREATE)
    assert created.code == 0
    assert KEY.fullmatch(created.out.removesuffix("\n"))
    told = " ".join(created.err.split())
    assert re.search(r"The key shop \(predict, read, only tickets_\*\) is valid until \d{4}-\d\d-\d\d .* UTC\.", told)
    assert "shown this once" in told
    assert created.out.strip() not in created.err
    found = toy.keys.find(created.out.strip())
    assert (found.name, found.scopes, found.only) == ("shop", ("predict", "read"), ("tickets_*",))
    assert found.expires_at is not None
    assert (found.expires_at - found.created_at).days == 90


def test_a_key_as_json_has_everything(ask: Run) -> None:
    document = ask("keys", "create", "root", "--scope", "admin", "--json").document
    assert KEY.fullmatch(document["key"])
    assert (document["name"], document["scopes"], document["only"]) == ("root", ["admin"], [])
    assert document["expires_at"] is None


def test_the_list_shows_each_key_and_no_key_itself(ask: Run) -> None:
    assert "needs none" in ask("keys", "list").err
    keys = [ask(*CREATE).out.strip(), ask("keys", "create", "old", "--scope", "train").out.strip()]
    ask("keys", "revoke", "old")
    table = listed(ask)
    assert all(key not in table for key in keys)
    assert re.search(r"old revoked train", table)
    assert re.search(r"shop active predict, read tickets_\*", table)
    listing = ask("keys", "list", "--json")
    assert all(key not in listing.out for key in keys)
    assert [each["name"] for each in listing.document["keys"]] == ["old", "shop"]


def test_a_revoked_key_is_not_valid_any_more(ask: Run, toy: Toy) -> None:
    key = ask(*CREATE).out.strip()
    assert ask("keys", "revoke", "shop").lines == ["The key shop is revoked."]
    with pytest.raises(Unauthorized, match="revoked"):
        toy.keys.find(key)
    assert json.loads(ask("keys", "revoke", "shop", "--json").out)["status"] == "revoked"


def test_limits_are_set_all_together(ask: Run) -> None:
    ask(*CREATE)
    (told,) = ask("keys", "limit", "shop", "--requests-per-second", "5", "--texts-per-day", "0").lines
    assert told.startswith("The key shop has requests_per_second 5, texts_per_day unlimited")
    (told,) = ask("keys", "limit", "shop").lines
    assert "the server's settings" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("keys", "create", "a"), "--scope"),
        (("keys", "create", "a", "--scope", "write"), "predict, read, rows"),
        (("keys", "create", "a", "--scope", "read", "--scope", "read"), "each once"),
        (("keys", "create", "a", "--scope", "admin", "--only", "t*"), "--only"),
        (("keys", "create", "a", "--scope", "read", "--only", "t *"), "--only"),
        (("keys", "create", "a b", "--scope", "read"), "a b"),
        (("keys", "create", "a", "--scope", "read", "--expires", "soon"), "--expires"),
        (("keys", "create", "a", "--scope", "read", "--expires", "0d"), "--expires"),
        (("keys", "create", "a", "--scope", "read", "--expires", "9999999d"), "--expires"),
        (("keys", "revoke", "nobody"), "nobody"),
        (("keys", "limit", "nobody"), "nobody"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(ask: Run, toy: Toy, arguments: tuple[str, ...], told: str) -> None:
    ended: Ended = ask(*arguments)
    assert ended.code != 0
    assert told in ended.err
    assert not ended.out
    assert list(toy.list_keys()) == []
    assert not toy.keys.is_needed


def test_a_name_that_was_revoked_is_not_given_again(ask: Run) -> None:
    ask(*CREATE)
    ask("keys", "revoke", "shop")
    assert "There is, or was, a key named shop" in ask(*CREATE).refusal
