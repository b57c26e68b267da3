"""The formats of labelling tools and hosted classifiers, each of which is a module of this package."""

from typing import Final

from windrow.files.formats import (
    argilla,
    azure,
    cohere,
    comprehend,
    dialogflow,
    doccano,
    fasttext,
    hugging_face,
    label_studio,
    mistral,
    openai,
    prodigy,
    rasa,
    snips,
    spacy,
    system_one,
    vertex,
    watson,
)
from windrow.files.formats.form import FileFormat

# In the order in which people are told of them.
FORMATS: Final[tuple[FileFormat, ...]] = (
    label_studio.FORMAT,
    doccano.FORMAT,
    prodigy.FORMAT,
    argilla.FORMAT,
    openai.FORMAT,
    cohere.FORMAT,
    mistral.FORMAT,
    spacy.FORMAT,
    system_one.FORMAT,
    *azure.FORMATS,
    comprehend.FORMAT,
    vertex.FORMAT,
    rasa.FORMAT,
    dialogflow.FORMAT,
    watson.FORMAT,
    snips.FORMAT,
    fasttext.FORMAT,
    hugging_face.FORMAT,
)


def format_called(name: str) -> FileFormat | None:
    """Return the format that ``format`` calls so; ``None`` where it is a plain one."""
    return next((each for each in FORMATS if each.name == name), None)
