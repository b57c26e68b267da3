"""The OpenAPI document and the server say the same: schemathesis asks each operation for what the document allows.

It also sends what the document forbids in one place. The requests are the same in each run.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from tests.client.serving import serving
from tests.http.asking import ALIASES, JOBS, MODEL, fit
from tests.http.conftest import SETTINGS, RunningApp
from windrow.api.examples import EXAMPLE_NAME
from windrow.api.openapi import openapi_document
from windrow.domain.access import SCOPES, ApiKey
from windrow.domain.errors import AccessDenied, Unauthorized
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.local_operations import LocalOperations

# A minute of one core, for all of them.
pytestmark = pytest.mark.slow

NUM_REQUESTS: Final = 12
# Far more than any takes on a busy machine.
TIMEOUT_S: Final = 300
# The tests' server takes small bodies only.
TOO_LARGE: Final = 413
ALIAS: Final = "live"
DOCUMENT: Final = schemathesis.openapi.from_dict(openapi_document())
OPERATIONS: Final[Mapping[str, APIOperation[Any, Any, Any, Any]]] = {
    each.definition.raw["operationId"]: each
    for each in (one.ok() for one in DOCUMENT.get_all_operations() if isinstance(one, Ok))
}
CHECKS: Final = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
ROWS_CODES: Final = ("base_model_not_allowed", "invalid_parameter", "invalid_training_data", "limit_exceeded")
TEST_CODES: Final = ("invalid_test_data", "limit_exceeded")
TEXT_CODES: Final = ("invalid_text", "limit_exceeded")
# Why a request that the schema allows may be refused with 422. No schema can say it: what is seen of a character, how
# many labels there are, what a setting limits, which fields go together.
BEYOND: Final[Mapping[str, Collection[str]]] = {
    "fit": ROWS_CODES,
    "cross_validate": ROWS_CODES,
    "export": ("invalid_parameter",),
    "predict": (*TEXT_CODES, "invalid_parameter"),
    "classify": (*TEXT_CODES, "invalid_parameter"),
    "start_predict_files": ("invalid_parameter",),
    "suggest": TEXT_CODES,
    "evaluate": (*TEST_CODES, "invalid_parameter"),
    "report": (*TEST_CODES, "invalid_parameter"),
    "compare": (*TEST_CODES, "invalid_parameter"),
    "list_classifiers": ("invalid_parameter",),
    "delete": ("invalid_parameter",),
    "delete_all": ("invalid_parameter",),
    "describe": ("invalid_parameter",),
    # Which labels there are depends on the classifier.
    "set_threshold": ("invalid_parameter",),
    "bind": ("invalid_parameter",),
    "import_classifier": ("invalid_archive",),
    "inspect": ("invalid_file", "invalid_parameter", "limit_exceeded"),
    "promote": (*TEST_CODES, "invalid_parameter"),
    "remove_base_model": ("invalid_parameter",),
    "create_key": ("invalid_parameter",),
    "audit": ("invalid_parameter",),
    "forget": ("invalid_parameter",),
}
ONCE: Final = settings(
    max_examples=NUM_REQUESTS,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


# Of a server with API keys: one that may do everything, and one that may do nothing. Without any, these answer.
FULL, POWERLESS, UNKNOWN = ({"Authorization": f"Bearer wdr_{name}"} for name in ("full", "powerless", "unknown"))
PUBLIC: Final = ("health", "live", "ready")
FOR_ANY_KEY: Final = ("inspect",)


class FixedKeys:
    """The keys of that server."""

    is_needed = True

    def prepare(self, first_key_file: str) -> None:
        pass

    def note_refusal(self, error: AccessDenied, verb: str) -> None:
        pass

    def find(self, key: str) -> ApiKey:
        if key not in ("wdr_full", "wdr_powerless"):
            raise Unauthorized("The API key is not known here. For a valid one, {send_key}.")
        scopes = SCOPES if key == "wdr_full" else ()
        return ApiKey(name=key.removeprefix("wdr_"), scopes=scopes, hint="wdr_", created_at=datetime.now(UTC))


class Keyed:
    """What the tests' server works with, behind those keys."""

    def __init__(self, operations: LocalOperations) -> None:
        self.keys = FixedKeys()
        self._operations = operations

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operations, name)


@pytest.fixture(scope="module")
def keyed_url(running_app: RunningApp) -> Iterator[str]:
    """The address of the server with keys."""
    with serving(Keyed(cast(LocalOperations, running_app.switch)), SETTINGS) as url:
        yield url


def check_denied(verb: str, case: Case[Any], url: str) -> None:
    """Check what comes of a request without a key, with a wrong one, and with one that lacks the scope."""
    for headers, status in (({}, 401), (UNKNOWN, 401), (POWERLESS, 403)):
        reply = case.call(base_url=url, headers=headers, timeout=TIMEOUT_S)
        case.validate_response(reply, checks=CHECKS)
        if verb in FOR_ANY_KEY and status == 403:
            assert reply.status_code != 403, reply.text
        else:
            assert reply.status_code == (200 if verb in PUBLIC else status), reply.text


def arrange(client: httpx.Client) -> Mapping[str, str]:
    """Have a classifier, an alias and a job, and return what parameters call them."""
    if client.get(MODEL).status_code != 200 or client.get(f"{ALIASES}/{ALIAS}/history").status_code != 200:
        fit(client)
        assert client.put(f"{ALIASES}/{ALIAS}", json={"model_name": EXAMPLE_NAME}).status_code == 200
    job = client.get(JOBS, params={"limit": 1}).json()["jobs"][0]["id"]
    return {"model_name": EXAMPLE_NAME, "alias": ALIAS, "job_id": job, "base_model": DEFAULT_BASE_MODEL}


def with_names(case: Case[Any], names: Mapping[str, str]) -> None:
    """Let a request mean what exists."""
    for name in case.path_parameters.keys() & names.keys():
        case.path_parameters[name] = names[name].replace("/", "%2F")
    if isinstance(case.body, dict):
        for name in case.body.keys() & names.keys():
            case.body[name] = names[name]


def with_whole_numbers(value: Any) -> Any:
    """Return a body as JSON's writers write it: to a schema, 7.0 is a whole number, too."""
    if isinstance(value, dict):
        return {name: with_whole_numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [with_whole_numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("verb", OPERATIONS)
def test_what_the_document_allows_is_answered_as_it_says_with_keys_and_without(
    verb: str, client: httpx.Client, keyed_url: str
) -> None:
    operation = OPERATIONS[verb]

    @ONCE
    @given(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), st.booleans(), st.booleans())
    def ask(case: Case[Any], of_what_exists: bool, has_key: bool) -> None:
        if of_what_exists:
            with_names(case, arrange(client))
            if case.query.get("to") == "onnx":  # for which the encoder of these tests has no weights
                case.query = {**case.query, "to": "windrow"}
        case.body = with_whole_numbers(case.body)
        if has_key:
            check_denied(verb, case, keyed_url)
            reply = case.call(base_url=keyed_url, headers=FULL, timeout=TIMEOUT_S)
        else:
            reply = case.call(base_url=str(client.base_url), timeout=TIMEOUT_S)
        if reply.status_code == 503:  # to the id of a base model that is not on this machine
            assert reply.json()["code"] == "base_model_unavailable"
            case.validate_response(reply, checks=CHECKS[1:])
            return
        case.validate_response(reply, checks=CHECKS)
        if reply.status_code == 403:  # this server reads and writes no files for clients
            assert reply.json()["code"] == "place_not_allowed"
            return
        assert reply.status_code < 400 or reply.status_code in (404, 409, TOO_LARGE, 422), reply.text
        if reply.status_code == 422:
            assert reply.json()["code"] in BEYOND.get(verb, ()), (reply.json()["detail"], case.body, case.query)
            assert "422" in operation.definition.raw["responses"]

    ask()


# Without parameters and a body, nothing can be wrong; any text may be a job's id.
WITHOUT_MISTAKES: Final = frozenset(
    (
        *("base_models", "follow_job", "health", "job", "list_aliases", "list_bindings", "list_keys", "live"),
        *("metrics", "ready", "usage"),
    )
)


@pytest.mark.parametrize("verb", sorted(OPERATIONS.keys() - WITHOUT_MISTAKES))
def test_what_the_document_forbids_is_refused_with_keys_and_without(
    verb: str, client: httpx.Client, keyed_url: str
) -> None:
    @ONCE
    @given(OPERATIONS[verb].as_strategy(generation_mode=GenerationMode.NEGATIVE), st.booleans())
    def ask(case: Case[Any], has_key: bool) -> None:
        headers = FULL if has_key else {}
        reply = case.call(base_url=keyed_url if has_key else str(client.base_url), headers=headers, timeout=TIMEOUT_S)
        if reply.status_code != TOO_LARGE:
            case.validate_response(reply, checks=[*CHECKS, checks.negative_data_rejection])

    ask()


def test_each_path_refuses_the_methods_that_it_has_not(client: httpx.Client) -> None:
    for path, declared in openapi_document()["paths"].items():
        possible = {method.upper() for method in declared}
        url = path.format_map({**arrange(client), "base_model": "an/id", "name": "shop"})
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - possible:
            # To the server, this path also means a classifier of that name.
            if path.endswith("/import") and method in ("GET", "PATCH", "DELETE"):
                continue
            reply = client.request(method, url)
            assert reply.status_code == 405, (method, url, reply.text)
            assert possible <= set(reply.headers["Allow"].split(", "))
