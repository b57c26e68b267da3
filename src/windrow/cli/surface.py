"""The words in which the command line tells errors: parameters as options, rows as lines of a file."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from windrow.domain.words import Words

if TYPE_CHECKING:
    from windrow.cli.labelled_file import FileRows

# Parameters that are no option: rows of no file, which are kept with a classifier, and what several words make.
_PLAIN: Final = {
    "model_names": "the command",
    "require": "the other conditions",
    "test_data": "the test rows",
    "texts": "the texts",
    "training_data": "the training rows",
}
# Verbs of ``Operations`` whose command has another name.
_COMMANDS: Final = {
    "alias_history": "history",
    "cancel_job": "jobs cancel",
    "create_key": "keys create",
    "delete_all": "delete",
    "follow_job": "jobs watch",
    "estimate_fit": "fit --dry-run",
    "import_classifier": "import",
    "job": "jobs show",
    "list_aliases": "aliases",
    "list_bindings": "bindings",
    "list_classifiers": "list",
    "list_jobs": "jobs",
    "limit_key": "keys limit",
    "list_keys": "keys list",
    "remove_alias": "aliases --remove",
    "remove_base_model": "base-models --remove",
    "revoke_key": "keys revoke",
    "start_fit": "fit --detach",
    "start_predict_files": "predict-files",
}


def option_name(parameter: str, *, turns_off: bool = False) -> str:
    """Return the option for a parameter; of a path such as ``require.not_worse``, the last part counts."""
    return f"--{'no-' if turns_off else ''}{parameter.rpartition('.')[2].replace('_', '-')}"


@dataclass(slots=True)
class CliWords(Words):
    """The words of one run of the command line."""

    no_rows: ClassVar[str] = "a JSON file that holds just []"
    send_key: ClassVar[str] = (
        "name the file that holds it with --api-key-file, or set WINDROW_API_KEY_FILE or WINDROW_API_KEY"
    )
    options: dict[str, str] = field(default_factory=dict)
    """What the verb calls its parameters (``--no-overwrite``, ``MODEL``); others are called after their names."""
    opposites: dict[str, str] = field(default_factory=dict)
    """What turns a switch off where it has an option for either way (``--no-header``)."""
    files: "dict[str, FileRows[Any]]" = field(default_factory=dict)
    """The files from which parameters were read."""

    def argument(self, name: str) -> str:
        """Return what a parameter is called; of rows, that is their file."""
        if name in self.files:
            return self.files[name].name
        return self.options.get(name) or _PLAIN.get(name) or option_name(name)

    def given(self, name: str, value: str) -> str:
        """Return how a parameter is given a value."""
        return f"{self.argument(name)} {shlex.quote(value)}"

    def switched(self, name: str, *, on: bool) -> str:
        """Return how a switch is turned on or off."""
        if not on and name in self.opposites:
            return self.opposites[name]
        option = self.argument(name)
        return option if on != _turns_off(option) else f"no {option}"

    def turn_on(self, name: str) -> str:
        """Return what one does to have a switch on."""
        option = self.argument(name)
        return f"leave out {option}" if _turns_off(option) else f"add {option}"

    def place(self, name: str, facts: Mapping[str, object]) -> str:
        """Return where something stands in rows: the line of their file.

        Args:
            name: The parameter that holds the rows.
            facts: ``row`` or ``index``, and ``field`` where a field of it is meant; ``file`` and ``line`` of rows that
                were not read at once.
        """
        what, row = f"the {facts.get('field', 'text')}", facts.get("row", facts.get("index"))
        if "line" in facts:
            return f"{facts['file']}, line {facts['line']}: {what}"
        if name in self.files and isinstance(row, int):
            return f"{self.files[name].name}, line {self.files[name].lines[row]}: {what}"
        return what

    def verb(self, name: str) -> str:
        """Return the command that does a verb."""
        return f"`windrow {_COMMANDS.get(name, name.replace('_', '-'))}`"


def _turns_off(option: str) -> bool:
    return option.startswith("--no-")
