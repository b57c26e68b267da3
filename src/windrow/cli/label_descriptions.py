"""Reads descriptions of labels from options: ``LABEL=TEXT``, and a file of one JSON object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from windrow.cli.options import OptionSpec
from windrow.domain.errors import InvalidParameter
from windrow.domain.words import literal

LABEL_DESCRIPTION: Final = OptionSpec("--label-description", metavar="LABEL=TEXT")
LABEL_DESCRIPTIONS_FILE: Final = OptionSpec("--label-descriptions", metavar="FILE")
_PARAMETER = "label_descriptions"
# Those of a thousand labels with the longest descriptions, in any script.
_MAX_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class DescribedLabels:
    """Descriptions of labels, as they are typed."""

    label_description: tuple[str, ...] = ()
    """What a label means, in a sentence, which may be empty; may be repeated. The text follows the first equals sign; a
    label that holds one needs --label-descriptions.
    """
    label_descriptions_file: Path | None = None
    """The same as a JSON object, from each label to its text; what is described beside it holds first."""


def read_descriptions(options: DescribedLabels) -> dict[str, str] | None:
    """Return descriptions by label; ``None`` where there are none.

    Raises:
        InvalidParameter: One has no equals sign, a label is described twice, or the file is no such object.
        InvalidJson: The file is no JSON.
    """
    file = options.label_descriptions_file
    described = parse_descriptions(options.label_description) or {}
    return {**({} if file is None else _read_file(file)), **described} or None


def parse_descriptions(given: Sequence[str]) -> dict[str, str] | None:
    """Return descriptions by label, from ``LABEL=TEXT`` each; ``None`` where there are none.

    Raises:
        InvalidParameter: One has no equals sign, or a label is described twice.
    """
    found: dict[str, str] = {}
    for each in given:
        label, equals, text = each.partition("=")
        if not equals or label.strip() in found:
            problem = "has no equals sign" if not equals else "describes a label again"
            raise InvalidParameter(
                f"{{arg:{{parameter}}}} {{value!r}} {problem}. {{Send}} each label once, as LABEL=TEXT.",
                {"parameter": _PARAMETER, "value": each[:200]},
            )
        found[label.strip()] = text.strip()
    return found or None


def _read_file(path: Path) -> Mapping[str, str]:
    from windrow.codec.strict import parse_json

    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})") from error
    if len(data) > _MAX_BYTES:
        raise _refused(path, "is too large for descriptions")
    document = parse_json(data, literal(f"The file {path}"))
    is_object = isinstance(document, dict) and all(isinstance(text, str) for text in document.values())
    if not is_object:
        raise _refused(path, "is no object of labels and texts")
    assert isinstance(document, dict)
    return document


def _refused(path: Path, problem: str) -> InvalidParameter:
    return InvalidParameter(
        'The file {file} {problem}. Write it like {{"billing": "Money: invoices and refunds"}}.',
        {"parameter": _PARAMETER, "file": str(path), "problem": problem},
    )
