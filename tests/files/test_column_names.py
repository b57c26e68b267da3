"""The names that columns of texts and of labels have, in several languages."""

import pytest

from windrow.domain.read_options import ReadOptions
from windrow.files.column_names import LABEL_NAMES, TEXT_NAMES, is_called
from windrow.files.columns import Evidence, UnresolvedColumn, find_columns, header_evidence


@pytest.mark.parametrize(
    ("names", "text", "label"),
    [
        (("Ticket", "Betreff", "Kategorie"), "Betreff", "Kategorie"),
        (("Ticket", "Betreff", "Nachricht", "Abteilung"), "Nachricht", "Abteilung"),
        (("Nr", "Überschrift", "Thema"), "Überschrift", "Thema"),
        (("Nr", "U\u0308BERSCHRIFT", "Klasse"), "U\u0308BERSCHRIFT", "Klasse"),
        (("Betreff", "Text", "Kategorie", "Label"), "Text", "Label"),
        (("nº", "Descripción", "Categoría"), "Descripción", "Categoría"),
        (("n", "texto", "etiqueta"), "texto", "etiqueta"),
        (("n", " Contenu ", "Étiquette"), " Contenu ", "Étiquette"),
        (("n", "objet", "categorie"), "objet", "categorie"),
        (("id", "tweet", "sentiment"), "tweet", "sentiment"),
        (("id", "comment_text", "label"), "comment_text", "label"),
    ],
)
def test_columns_are_found_by_their_names_in_several_languages(names: tuple[str, ...], text: str, label: str) -> None:
    found = find_columns(names, ReadOptions(), labelled=True)
    assert (found.text, found.label) == ((text,), label)
    assert header_evidence(names, ReadOptions()) is Evidence.SURE


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("Nachricht", "message", "Kategorie"), "'Nachricht', 'message' could all hold the text."),
        (("Nachricht", "Kategorie", "category"), "'Kategorie', 'category' could all hold the label."),
        (("text", "sentiment", "topic"), "'sentiment', 'topic' could all hold the label."),
        (("Anfrage", "Kommentar", "Klasse"), "'Anfrage', 'Kommentar' could all hold the text."),
        (("Nr", "Betrag", "Kategorie"), "it is not clear which column holds the text."),
    ],
)
def test_nothing_is_guessed_where_two_names_fit_or_none(names: tuple[str, ...], words: str) -> None:
    with pytest.raises(UnresolvedColumn) as refused:
        find_columns(names, ReadOptions(), labelled=True)
    assert words in f"{refused.value}."


def test_each_name_stands_once_without_accents_in_lower_case_and_is_of_one_kind() -> None:
    texts, labels = ([name for group in groups for name in group] for groups in (TEXT_NAMES, LABEL_NAMES))
    assert len({*texts, *labels}) == len(texts) + len(labels)
    assert all(name.isascii() and name == name.casefold() for name in (*texts, *labels))
    assert is_called("  CATÉGORIE ", LABEL_NAMES)
    assert not is_called("categories of", LABEL_NAMES)
