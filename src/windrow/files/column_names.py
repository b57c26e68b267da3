"""The names that columns of texts and of labels usually have, in the languages that tables come in."""

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Final

# In each language: groups of names without accents, in lower case. The first group with a match decides; two matches in
# that group, of whichever languages, are ambiguous.
_TEXTS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "English": (
        ("text", "texts"),
        (
            *("message", "body", "content", "sentence", "utterance", "document", "comment", "review", "query"),
            *("question", "tweet", "post", "comment_text", "review_text", "message_text"),
        ),
        ("description", "title", "subject", "summary", "headline", "input"),
    ),
    "German": (
        ("texte", "freitext"),
        ("nachricht", "nachrichtentext", "mitteilung", "inhalt", "kommentar", "satz", "frage", "anfrage", "anliegen"),
        ("beschreibung", "titel", "betreff", "zusammenfassung", "uberschrift", "ueberschrift"),
    ),
    "French": (
        ("texte", "textes"),
        ("contenu", "commentaire", "phrase", "avis", "corps", "demande"),
        ("titre", "sujet", "objet", "resume"),
    ),
    "Spanish": (
        ("texto", "textos"),
        ("mensaje", "cuerpo", "contenido", "comentario", "frase", "resena", "consulta", "pregunta"),
        ("descripcion", "titulo", "asunto", "resumen", "titular"),
    ),
}
_LABELS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "English": (
        ("label", "labels"),
        ("class", "category", "intent", "sentiment", "target", "tag", "topic", "team", "queue", "department", "y"),
    ),
    "German": (
        ("etikett", "etiketten"),
        ("klasse", "kategorie", "absicht", "schlagwort", "thema", "rubrik", "abteilung", "stimmung"),
    ),
    "French": (
        ("etiquette", "etiquettes"),
        ("classe", "categorie", "intention", "theme", "equipe", "departement"),
    ),
    "Spanish": (
        ("etiqueta", "etiquetas"),
        ("clase", "categoria", "intencion", "sentimiento", "tema", "equipo", "departamento"),
    ),
}


def _over_languages(by_language: Mapping[str, tuple[tuple[str, ...], ...]]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of all languages, each name once."""
    groups = zip_longest(*by_language.values(), fillvalue=())
    return tuple(tuple(dict.fromkeys(name for names in group for name in names)) for group in groups)


TEXT_NAMES: Final = _over_languages(_TEXTS)
LABEL_NAMES: Final = _over_languages(_LABELS)


def is_called(name: str, groups: Sequence[Sequence[str]]) -> bool:
    """Return whether a column has one of some names; case, accents and blanks around it do not matter.

    Args:
        name: What it is called.
        groups: Some of the groups of this module.
    """
    plain = name.strip().casefold()
    if not plain.isascii():
        plain = "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))
    return any(plain in group for group in groups)
