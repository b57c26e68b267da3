"""A secret is shown by nothing but the one method that says so."""

import copy
import json
import pickle
from collections.abc import Callable

import pytest

from windrow.domain.secret import Secret

KEY = "wdr_secret"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "%s".__mod__, lambda secret: f"{[secret]}"])
def test_a_secret_is_not_shown(show: Callable[[object], str]) -> None:
    assert KEY not in show(Secret(KEY))


@pytest.mark.parametrize("save", [json.dumps, pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_goes_into_no_file_and_no_copy(save: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as caught:
        save(Secret(KEY))
    assert KEY not in str(caught.value)


def test_a_secret_is_revealed_on_request_and_equals_the_same_one() -> None:
    assert Secret(KEY).reveal() == KEY
    assert {Secret(KEY)} == {Secret(KEY)}
    assert Secret(KEY) != Secret("wdr_other")
    assert Secret(KEY) != KEY
