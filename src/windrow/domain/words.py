"""How a sentence becomes what a person reads: its places for facts filled in, its parameters in the reader's own words.

One sentence serves HTTP, the command line and Python, which call the same parameter ``purge=true``, ``--purge`` and
``purge=True``. A template names facts as ``str.format`` does, and parameters by the words below:

============================  ===========================================  ==========================
in the template               stands for                                   in Python
============================  ===========================================  ==========================
``{limit}``, ``{share:.0%}``  a fact, formatted as ``str.format`` does     ``7``, ``83%``
``{labels:quoted}``           a list of facts, each in quotation marks     ``'a', 'b'``
``{names:joined}``            a list of facts                              ``a, b``
``{names:or}``                a list of facts                              ``a or b``
``{arg:top_k}``               a parameter                                  ``top_k``
``{arg:{parameter}}``         the parameter that a fact names              ``top_k``
``{set:purge}``               a switch that is on                          ``purge=True``
``{unset:overwrite}``         a switch that is off                         ``overwrite=False``
``{set:num_iterations=0}``    a parameter with a value                     ``num_iterations=0``
``{place:training_data}``     the row that the facts name, and its field   ``training_data[3].text``
``{send}``, ``{Send}``        what one does with a parameter               ``pass``, ``Pass``
``{no_rows}``                 a value of rows that holds none              ``an empty list``
``{send_key}``                what one does to send an API key             ``pass it as api_key, …``
``{turn_on:purge}``           what one does to have a switch on            ``pass purge=True``
``{Turn_on:purge}``           the same, at the start of a sentence         ``Pass purge=True``
``{see:list_jobs}``           a verb                                       ``jobs``
============================  ===========================================  ==========================
"""

import re
import string
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

# The verbs that a session calls otherwise.
_IN_PYTHON: Mapping[str, str] = {
    "list_jobs": "jobs",
    "list_classifiers": "models",
    "list_aliases": "aliases",
    "list_bindings": "bindings",
    "list_keys": "keys",
    "alias_history": "history",
    "import_classifier": "import_file",
}


# How the facts of a list are joined, and each of them is shown.
_LISTS: Mapping[str, tuple[str, Callable[[object], str]]] = {
    "quoted": (", ", repr),
    "joined": (", ", str),
    "or": (" or ", str),
}
_WIDE = re.compile(r"\d{3}")


class Words:
    """The words of Python; the other surfaces override what differs."""

    send: ClassVar[str] = "pass"
    """What one does with a parameter."""
    no_rows: ClassVar[str] = "an empty list"
    """What one gives a parameter that takes rows, for none of them."""
    send_key: ClassVar[str] = "pass it as api_key, or set WINDROW_API_KEY_FILE or WINDROW_API_KEY"
    """What one does to send an API key."""

    def argument(self, name: str) -> str:
        """Return what a parameter is called."""
        return name

    def given(self, name: str, value: str) -> str:
        """Return how a parameter is given a value."""
        return f"{name}={value}"

    def switched(self, name: str, *, on: bool) -> str:
        """Return how a switch is turned on or off."""
        return f"{name}={on}"

    def turn_on(self, name: str) -> str:
        """Return what one does to have a switch on."""
        return f"{self.send} {self.switched(name, on=True)}"

    def place(self, name: str, facts: Mapping[str, object]) -> str:
        """Return where something stands in rows.

        Args:
            name: The parameter that holds the rows.
            facts: ``row``, and ``field`` where a field of it is meant.
        """
        field = facts.get("field")
        return f"{self.argument(name)}[{facts.get('row', facts.get('index'))}]" + (f".{field}" if field else "")

    def verb(self, name: str) -> str:
        """Return how a verb of ``Operations`` is called."""
        return _IN_PYTHON.get(name, name)


PYTHON = Words()


def render(template: str, facts: Mapping[str, object], words: Words = PYTHON) -> str:
    """Return a sentence for a person.

    Args:
        template: A sentence with the places of this module's table.
        facts: What it may name.
        words: The reader's own words.
    """
    try:
        return _Sentence(facts, words).vformat(template, (), facts)
    except (ValueError, KeyError, IndexError, AttributeError, TypeError):  # a sentence from elsewhere, with braces
        return template


class _Sentence(string.Formatter):
    """Fills in a template."""

    def __init__(self, facts: Mapping[str, object], words: Words) -> None:
        self._facts = facts
        self._words = words

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:  # noqa: ARG002
        if field_name in kwargs:
            return kwargs[field_name], field_name
        if field_name in ("send", "Send"):
            send = self._words.send
            return _sentence_case(send) if field_name == "Send" else send, field_name
        if field_name in ("send_key", "no_rows"):
            return getattr(self._words, field_name), field_name
        if field_name in _PLACES:
            return _Place(field_name), field_name
        raise KeyError(field_name)

    def format_field(self, value: Any, format_spec: str) -> Any:
        if isinstance(value, _Place):
            return _PLACES[value.kind](self._words, *format_spec.split("=", 1), facts=self._facts)
        if format_spec in _LISTS:
            between, shown = _LISTS[format_spec]
            return between.join(map(shown, value))
        if _WIDE.search(format_spec):  # a sentence from elsewhere, which would take all memory
            raise ValueError(format_spec)
        return super().format_field(value, format_spec)


def _set(words: Words, name: str, value: str = "", **_: object) -> str:
    return words.given(name, value) if value else words.switched(name, on=True)


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


_PLACES: Mapping[str, Callable[..., str]] = {
    "arg": lambda words, name, **_: words.argument(name),
    "set": _set,
    "unset": lambda words, name, **_: words.switched(name, on=False),
    "turn_on": lambda words, name, **_: words.turn_on(name),
    "Turn_on": lambda words, name, **_: _sentence_case(words.turn_on(name)),
    "place": lambda words, name, facts: words.place(name, facts),
    "see": lambda words, name, **_: words.verb(name),
}


class _Place:
    """A place that the words fill."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


def literal(text: str) -> str:
    """Return a sentence from elsewhere as a template that stands for just itself."""
    return text.replace("{", "{{").replace("}", "}}")


def is_same_everywhere(template: str) -> bool:
    """Whether a sentence names no parameter or verb, so that it reads alike on every surface."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError:
        return True
    return not any(name in _PLACES or name in ("send", "Send", "send_key", "no_rows") for name in names)
