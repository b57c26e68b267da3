"""The commands in sections; the module of a command is imported only when it runs.

What `windrow --help` says of each stands here, so that it needs none of their modules.
"""

import importlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

from windrow.cli.exits import Interrupted

# Of each section, its verbs: name, module below windrow.cli.verbs, and a line of help that fits 80 columns.
SECTIONS: Final[Mapping[str, Sequence[tuple[str, str, str]]]] = {
    "Getting started": [
        ("demo", "demo_command", "Train, compare and promote on rows that come with Windrow."),
        ("serve", "serve_command", "Start the server and print two commands to try."),
        ("mcp", "mcp_command", "Offer classifiers to agents as tools (MCP)."),
    ],
    "Train": [
        ("inspect", "inspect_command", "Say what a file of rows is, before you train on it."),
        ("convert", "convert_command", "Write the rows of any tool's file as JSON Lines or CSV."),
        ("fit", "fit_commands", "Train a classifier on labelled rows and save it."),
        ("jobs", "job_commands", "List, show, watch and cancel what runs for long."),
        ("reproduce", "fit_commands", "Train a classifier again and compare the two."),
    ],
    "Predict": [
        ("predict", "predict_command", "Classify texts: one, a file, or a stream of any length."),
        ("classify", "classify_command", "Classify a text without a classifier, by labels alone."),
        ("predict-files", "predict_files_command", "Have the server classify files that lie where it is."),
    ],
    "Evaluate": [
        ("evaluate", "evaluation_commands", "Evaluate a classifier on rows that it has not seen."),
        ("report", "report_command", "Write an evaluation as one HTML page."),
        ("compare", "evaluation_commands", "Compare several on the same rows, and say which is best."),
        ("cross-validate", "evaluation_commands", "Cross-validate a training on labelled rows."),
        ("suggest", "evaluation_commands", "Choose those of many texts that are worth labelling."),
    ],
    "Manage": [
        ("list", "classifier_commands", "List the classifiers, or a part of them."),
        ("show", "classifier_commands", "Show everything that is known about a classifier."),
        ("describe", "classifier_commands", "Change the description or the tags of a classifier."),
        ("set-threshold", "threshold_command", "Set or clear the score below which it gives no label."),
        ("delete", "classifier_commands", "Delete a classifier, or all of a selection."),
        ("restore", "classifier_commands", "Bring a deleted classifier or an older revision back."),
    ],
    "Aliases": [
        ("promote", "alias_commands", "Point an alias at a classifier, on conditions."),
        ("rollback", "alias_commands", "Point an alias back to where it pointed before."),
        ("aliases", "alias_commands", "List the aliases, or take one away."),
        ("history", "alias_commands", "Show every change of an alias: when, who and why."),
        ("bind", "binding_commands", "Have a classifier answer questions of a name."),
        ("bindings", "binding_commands", "List which classifier answers each question, or forget one."),
    ],
    "Import and export": [
        ("export", "transfer_commands", "Write a classifier into one file."),
        ("import", "transfer_commands", "Take in a classifier that was exported."),
        ("copy", "transfer_commands", "Put a classifier under a second name."),
    ],
    "Access": [
        ("keys", "key_commands", "Create, list, limit and revoke API keys."),
        ("audit", "audit_command", "Show who changed what, and which keys were refused."),
    ],
    "Maintenance": [
        ("doctor", "doctor_command", "Check settings, machine, disk and data, and train for a trial."),
        ("usage", "maintenance_commands", "Show what everything takes on the disk."),
        ("fsck", "maintenance_commands", "Check every byte of a data directory."),
        ("copy-store", "copy_store_command", "Copy a data directory to a folder or an object store."),
        ("forget", "erasure_command", "Find texts in kept training rows, and remove them."),
        ("base-models", "maintenance_commands", "List the base models on this machine, or remove one."),
        ("deploy", "deploy_command", "Put the server on a Ray cluster, as several replicas."),
    ],
}
MODULES: Final = {verb: module for verbs in SECTIONS.values() for verb, module, _ in verbs}
# What others call a verb. Names that are merely misspelt are found without it.
SYNONYMS: Final = {
    "alias": "aliases",
    "base_models": "base-models",
    "cancel": "jobs cancel",
    "check": "fsck",
    "copy_store": "copy-store",
    "cp": "copy",
    "cv": "cross-validate",
    "diagnose": "doctor",
    "info": "show",
    "learn": "fit",
    "load": "import",
    "log": "history",
    "ls": "list",
    "migrate": "copy-store",
    "models": "list",
    "purge": "delete --purge",
    "remove": "delete",
    "rm": "delete",
    "run": "serve",
    "save": "export",
    "server": "serve",
    "start": "serve",
    "status": "jobs",
    "test": "evaluate",
    "threshold": "set-threshold",
    "train": "fit",
    "undo": "rollback",
    "watch": "jobs watch",
}


class OutputClosed(Exception):  # noqa: N818 - nothing is wrong: ``| head`` has seen enough
    """The reader of standard output has closed it."""


class CommandGroup(TyperGroup):
    """The commands, in sections."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        """Return the verbs in the order of a classifier's life."""
        return list(MODULES)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]  # noqa: ARG002
        """Return a verb, from its module."""
        if cmd_name not in MODULES:
            return None
        module = importlib.import_module(f"windrow.cli.verbs.{MODULES[cmd_name]}")
        # Rich would make the help of a verb prettier, and slower than the verb itself.
        alone = typer.Typer(rich_markup_mode=None)
        alone.registered_groups = module.verbs.registered_groups
        alone.registered_commands = [each for each in module.verbs.registered_commands if _name_of(each) == cmd_name]
        return get_group(alone).commands[cmd_name]

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """Write each section's verbs with a line of help."""
        column = max(map(len, MODULES))
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(verb.ljust(column), line) for verb, _, line in verbs])

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Find a verb; the nearest one is suggested for an unknown one."""
        asked = args[0]
        if asked not in MODULES and not asked.startswith("-"):
            near = get_close_matches(asked, (*MODULES, *SYNONYMS), n=1)
            hint = f" Did you mean {SYNONYMS.get(near[0], near[0])!r}?" if near else ""
            ctx.fail(f"No such command '{asked}'.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run a verb, and tell Ctrl-C from a closed pipe, which Typer would only make exit codes of."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise Interrupted("nothing is left half done.") from interrupt
        except BrokenPipeError as gone:
            raise OutputClosed from gone


def _name_of(command: Any) -> str:
    return str(command.name or command.callback.__name__)
