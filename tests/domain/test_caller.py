"""Who calls: nobody in particular unless somebody is set, in this thread or task alone; and what such a one may do."""

import asyncio
import contextvars
import threading

import pytest

from windrow.domain.access import SCOPES
from windrow.domain.caller import ANYBODY, Caller, calling, current_caller, insufficient_scope

SHOP = Caller("shop", frozenset({"read"}), ("tickets_*",), "10.0.0.1", "r1")


def test_whoever_has_the_data_directory_may_do_everything_and_knows_every_name() -> None:
    assert current_caller() is ANYBODY
    assert ANYBODY.scopes == set(SCOPES)
    assert all(map(ANYBODY.may, SCOPES))
    assert ANYBODY.knows("anything")
    assert ANYBODY.sees_everything
    assert ANYBODY.key_name is None


def test_a_key_knows_the_names_of_its_patterns_and_has_its_scopes() -> None:
    assert SHOP.knows("tickets_v1")
    assert not SHOP.knows("secret_v1")
    assert [scope for scope in SCOPES if SHOP.may(scope)] == ["read"]


@pytest.mark.parametrize(
    ("caller", "sees_everything"),
    [
        (SHOP, False),
        (Caller("a", frozenset(SCOPES), ("*",)), False),
        (Caller("a", frozenset(SCOPES) - {"rows"}), False),
        (Caller("a", frozenset({"rows"})), True),
    ],
)
def test_only_who_knows_every_name_and_may_see_rows_sees_everything(caller: Caller, sees_everything: bool) -> None:
    assert caller.sees_everything is sees_everything


def test_a_caller_is_the_current_one_inside_a_block_also_one_that_fails() -> None:
    with calling(SHOP):
        assert current_caller() is SHOP
        with calling(ANYBODY):
            assert current_caller() is ANYBODY
        assert current_caller() is SHOP
    with pytest.raises(ValueError, match="no"), calling(SHOP):
        raise ValueError("no")
    assert current_caller() is ANYBODY


def test_another_thread_has_its_own_caller_unless_it_is_given_this_one() -> None:
    seen = []

    def look() -> None:
        seen.append(current_caller())

    with calling(SHOP):
        given = contextvars.copy_context()
        for arguments in ((look,), (given.run, look)):
            thread = threading.Thread(target=arguments[0], args=arguments[1:])
            thread.start()
            thread.join()
    assert seen == [ANYBODY, SHOP]


def test_tasks_of_one_thread_do_not_mix_their_callers() -> None:
    async def act(caller: Caller) -> bool:
        with calling(caller):
            for _ in range(5):
                await asyncio.sleep(0)
                if current_caller() is not caller:
                    return False
        return True

    async def act_all() -> list[bool]:
        return await asyncio.gather(*(act(Caller(f"key{number}")) for number in range(5)))

    assert asyncio.run(act_all()) == [True] * 5


def test_the_error_of_a_caller_that_lacks_a_scope_names_key_and_scope() -> None:
    with calling(SHOP):
        error = insufficient_scope("train")
    assert error.facts == {"name": "shop", "scope": "train", "scopes": ["read"]}
    assert "shop lacks the scope train" in error.detail


def test_the_error_of_a_caller_that_may_do_the_rest_says_what_to_leave_out() -> None:
    with calling(SHOP):
        error = insufficient_scope("train", switch="save", enough="read")
    assert error.facts == {"name": "shop", "scope": "train", "scopes": ["read"], "enough": "read"}
    assert error.detail.endswith("Pass a key that has it; with save=False, the scope read is enough.")
