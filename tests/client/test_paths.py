"""Where each verb's request goes."""

import pytest

from windrow.client.paths import alias_path, base_model_path, job_path, model_path, page_parameters, with_query
from windrow.domain.errors import InvalidName, InvalidParameter, JobNotFound
from windrow.domain.listing import Page, Selection


def test_names_stand_in_a_path_as_they_are() -> None:
    assert model_path("tickets_v1@3") == "/v1/classifier/models/tickets_v1@3"
    assert model_path("tickets@latest") == "/v1/classifier/models/tickets@latest"
    assert alias_path("tickets") == "/v1/classifier/aliases/tickets"
    assert base_model_path("BAAI/bge-small") == "/v1/classifier/base-models/BAAI/bge-small"
    assert job_path("019a1c5e4b33-7d0c41") == "/v1/classifier/jobs/019a1c5e4b33-7d0c41"


@pytest.mark.parametrize("name", ["", "..", "a/export", "a b", "a?full=true", "a@0", "é"])
def test_a_name_that_might_mean_another_path_is_refused_as_the_server_would(name: str) -> None:
    with pytest.raises(InvalidName):
        model_path(name)
    with pytest.raises(InvalidName):
        alias_path(name)


@pytest.mark.parametrize("base_model", ["", "..", "../models/tickets_v1", "a/..", "BAAI/bge small", "a/b/c", "a/b?c=d"])
def test_what_is_no_base_models_id_never_stands_in_a_path(base_model: str) -> None:
    with pytest.raises(InvalidParameter, match="no base model's id"):
        base_model_path(base_model)


@pytest.mark.parametrize("job_id", ["", ".", "..", "../a", "a/cancel", "a?b", "a b", "é", "a" * 65])
def test_what_is_no_jobs_id_never_stands_in_a_path(job_id: str) -> None:
    with pytest.raises(JobNotFound, match="There is no job"):
        job_path(job_id)


def test_a_query_says_only_what_there_is_to_say() -> None:
    assert with_query("/x", a=None, b=False) == "/x"
    assert with_query("/x", a="ä&b", b=True, c=3, d="", e="\ud800") == "/x?a=%C3%A4%26b&b=true&c=3&d=&e=%3F"


def test_a_page_asks_for_whole_records() -> None:
    assert with_query("/x", **page_parameters(Page())) == "/x?full=true"
    page = Page(3, "tickets", Selection("t", "p", "g", "b"), "-size", deleted=True)
    assert with_query("/x", **page_parameters(page)) == (
        "/x?task=t&prefix=p&tag=g&base_model=b&sort=-size&limit=3&cursor=dGlja2V0cw&deleted=true&full=true"
    )
