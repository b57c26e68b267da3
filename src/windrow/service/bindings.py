"""Binds questions to classifiers, and lists the bindings."""

from windrow.domain.binding import BindingChange, BindingList, BindRequest, check_bind_request
from windrow.domain.classifier import Record
from windrow.domain.errors import InvalidParameter
from windrow.service.dependencies import Dependencies

_SHOWN_LABELS = 10


def bind(deps: Dependencies, request: BindRequest) -> BindingChange:
    """Bind a question to a classifier, or take the binding away. See ``Operations.bind``."""
    check_bind_request(request)
    if request.model_name is not None:
        _check_labels(deps.store.find(request.model_name).entry.record, request)
    binding = deps.store.bindings.bind(request)
    deps.questions.read_bindings()
    return BindingChange(question=request.question, status="unbound" if binding is None else "bound", binding=binding)


def list_bindings(deps: Dependencies) -> BindingList:
    """Return every binding. See ``Operations.list_bindings``."""
    return BindingList(deps.store.bindings.known().bindings)


def _check_labels(record: Record, request: BindRequest) -> None:
    """Refuse labels that the classifier does not have.

    Raises:
        InvalidParameter: It lacks one.
    """
    positive = () if request.positive_label is None else (request.positive_label,)
    for parameter, labels in (("positive_label", positive), ("levels", request.levels)):
        if unknown := [label for label in labels if label not in record.labels]:
            raise InvalidParameter(
                "{arg:{parameter}} names what {model_name} has no label for: {unknown:quoted}. Its labels are "
                "{labels:quoted}. {Send} some of these.",
                {
                    "parameter": parameter,
                    "model_name": record.name,
                    "unknown": unknown,
                    "labels": list(record.labels[:_SHOWN_LABELS]),
                },
            )
