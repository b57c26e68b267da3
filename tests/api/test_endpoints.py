"""The table of endpoints: every verb of Operations has its place, and no two are alike."""

import inspect
from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from windrow.api.endpoints import BY_VERB, ENDPOINTS, TAGS, Endpoint, NoRequest
from windrow.operations import Operations

VERBS = {name for name, verb in vars(Operations).items() if inspect.isfunction(verb) and not name.startswith("_")}


def test_every_verb_has_an_endpoint_and_every_endpoint_a_verb() -> None:
    assert set(BY_VERB) == VERBS
    assert len(ENDPOINTS) == len(BY_VERB)


def test_what_has_the_same_method_and_path_is_told_apart_by_the_query() -> None:
    places = [(each.method, each.path, tuple(each.chosen_by.items())) for each in ENDPOINTS]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.verb)
def test_request_and_reply_are_those_of_the_verb(endpoint: Endpoint[Any, Any]) -> None:
    hints = get_type_hints(getattr(Operations, endpoint.verb))
    reply = hints.pop("return")
    assert endpoint.reply in (reply, *getattr(reply, "__args__", ()))
    assert hints.get("request", NoRequest) is endpoint.request
    assert ("is_wanted" in hints) == endpoint.cancellable
    assert ("file" in hints) == (endpoint.body == "file")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.verb)
def test_what_stands_in_the_path_is_a_field_and_what_stands_in_a_body_may_have_one(
    endpoint: Endpoint[Any, Any],
) -> None:
    kind: Any = endpoint.request
    assert set(endpoint.path_fields) <= {each.name for each in fields(kind)}
    assert endpoint.tag in TAGS
    assert endpoint.body == "none" or endpoint.method in ("POST", "PUT", "PATCH")
