"""The words of HTTP."""

import pytest

from windrow.api.http_words import HTTP
from windrow.domain.words import render


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{Send} {set:purge}, or {send} {unset:overwrite}.", "Send purge=true, or send overwrite=false."),
        ("{arg:top_k} is {value}.", "top_k is 3."),
        ("{set:num_iterations=0} trains the head alone.", "num_iterations=0 trains the head alone."),
        ("See {see:list_jobs}.", "See GET /v1/classifier/jobs."),
        ("{place:training_data} is empty.", "training_data[2].text is empty."),
    ],
)
def test_parameters_and_verbs_are_called_as_a_request_has_them(template: str, said: str) -> None:
    assert render(template, {"value": 3, "row": 2, "field": "text"}, HTTP) == said
