"""The table of foreign endpoints: which rows are on, and that the settings know each format that shares a path."""

from windrow.api.endpoints import ENDPOINTS
from windrow.api.foreign.table import DIALECTS, FOREIGN_ENDPOINTS, rows_that_are_on
from windrow.api.openapi import openapi_document
from windrow.settings import COLLIDING_DIALECTS


def test_settings_know_each_format_that_shares_a_path() -> None:
    assert {row.dialect.name for row in FOREIGN_ENDPOINTS if row.collides} == set(COLLIDING_DIALECTS)
    assert len({each.name for each in DIALECTS}) == len(DIALECTS)


def test_a_path_that_is_not_shared_is_always_on() -> None:
    alone = [row for row in FOREIGN_ENDPOINTS if not row.collides]
    assert list(rows_that_are_on(())) == alone
    assert {row.dialect.name for row in rows_that_are_on(("cohere",))} - {row.dialect.name for row in alone} == {
        "cohere"
    }


def test_a_row_shares_a_path_only_where_it_can_be_told_apart() -> None:
    own = {(each.method, each.path) for each in ENDPOINTS}
    for row in FOREIGN_ENDPOINTS:
        if (row.method, row.path) in own:
            assert row.shares_path, row.path


def test_each_row_needs_a_scope_and_stands_in_the_openapi_document() -> None:
    listed = openapi_document()["x-foreign-endpoints"]
    assert [(each["method"].upper(), each["path"]) for each in listed] == [
        (row.method, row.path) for row in FOREIGN_ENDPOINTS
    ]
    assert all(each["scope"] for each in listed)
