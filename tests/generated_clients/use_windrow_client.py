"""Uses the client that openapi-python-client generated, as its user would, and prints what came back as JSON.

Run by tests/test_generated_clients.py with the generator's Python: use_windrow_client.py FOLDER URL, where the
folder holds the package.
"""

import importlib
import inspect
import io
import json
import pkgutil
import sys
import typing
from types import ModuleType
from typing import Any

TICKETS = {
    "refund": ["give me my money back", "I want what I paid returned", "cancel it and repay me", "reimburse the fee"],
    "login": ["it does not let me in", "my code is refused", "the door stays shut for me", "who changed my password"],
}
TEXT = "please repay me"
ROWS = [{"text": text, "label": label} for label, texts in TICKETS.items() for text in texts]


class Operations:
    """The functions of the generated package by the operation's id: whatever tag it has, it is in one module.

    Args:
        url: Where the server is.
    """

    def __init__(self, url: str) -> None:
        package, api = importlib.import_module("windrow_client"), importlib.import_module("windrow_client.api")
        self._client = package.Client(base_url=url, raise_on_unexpected_status=True)
        self._files = importlib.import_module("windrow_client.types").File
        found = pkgutil.walk_packages(api.__path__, f"{api.__name__}.")
        self._modules = {module.name.rpartition(".")[2]: module.name for module in found if not module.ispkg}

    @property
    def names(self) -> list[str]:
        """The ids of all operations."""
        return sorted(self._modules)

    def call(self, operation: str, *path: str, body: dict[str, Any] | None = None, **query: object) -> Any:
        """Call an operation; a body becomes an object of the class that takes its fields."""
        module = importlib.import_module(self._modules[operation])
        if body is not None:
            query["body"] = _body_class(module, body).from_dict(body)
        return module.sync(*path, client=self._client, **query)

    def send_file(self, operation: str, content: bytes, **query: object) -> Any:
        """Call an operation whose body is a file."""
        module = importlib.import_module(self._modules[operation])
        return module.sync(client=self._client, body=self._files(payload=io.BytesIO(content)), **query)


def _body_class(module: ModuleType, body: dict[str, Any]) -> Any:
    """Return the class for a body: of several forms, the one that has all its fields and asks for no others."""
    annotation = typing.get_type_hints(module.sync)["body"]
    for form in typing.get_args(annotation) or (annotation,):
        fields = inspect.signature(form).parameters
        asked_for = {name for name, field in fields.items() if field.default is inspect.Parameter.empty}
        if asked_for <= set(body) <= set(fields):
            return form
    raise LookupError(f"{annotation} has no form for {sorted(body)}")


def _kind(value: object) -> str:
    return type(value).__name__


def everything(operations: Operations) -> dict[str, object]:
    """Train, ask, export, delete, import and ask again; return what a test can look at."""
    fit_body = {"model_name": "tickets_v1", "training_data": ROWS, "num_iterations": 0}
    one, many = {"model_name": "tickets_v1", "text": TEXT}, {"model_name": "tickets_v1", "texts": [TEXT, "let me in"]}
    estimate = operations.call("fit", body=fit_body, dry_run=True)
    fitted = operations.call("fit", body=fit_body)
    before = operations.call("predict", body=one)
    texts = operations.call("predict", body=many)
    by_many = operations.call("predict", body={"model_names": ["tickets_v1"], "text": TEXT, "top_k": 1})
    page = operations.call("list_classifiers", limit=10)
    file = operations.call("export", "tickets_v1").payload.read()
    deleted = operations.call("delete", "tickets_v1", purge=True)
    refused = operations.call("predict", body=one)
    imported = operations.send_file("import_classifier", file)
    after = operations.call("predict", body=one)
    return {
        "operations": operations.names,
        "estimate_fit": [_kind(estimate), estimate.num_examples],
        "fit": [_kind(fitted), fitted.status, fitted.model_name],
        "predict": [_kind(before), before.label],
        "scores": [before.scores.to_dict(), after.scores.to_dict()],
        "texts": [_kind(texts), [answer.label for answer in texts.predictions]],
        "by many": [_kind(by_many), [[each.model_name, each.label] for each in by_many.predictions]],
        "page": [_kind(page), [entry.name for entry in page.models]],
        "file": [len(file), file[:2].decode()],
        "delete": [deleted.status, deleted.purged],
        "refused": [_kind(refused), refused.status, refused.code],
        "import": [imported.status, imported.name],
        "predict again": after.label,
    }


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    print(json.dumps(everything(Operations(sys.argv[2]))))
