"""Verbs that look after a data directory: usage, fsck, base-models.

Owns their options and words; knows nothing of files.
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from windrow.cli.connect import check_data_dir, connected, server_asked
from windrow.cli.exits import NO
from windrow.cli.formats import counted, size
from windrow.cli.options import AsJson, DataDir, Url
from windrow.cli.output import data_console, new_table, print_json
from windrow.domain.base_models import BaseModelUse
from windrow.domain.checkup import Checkup
from windrow.domain.usage import Usage
from windrow.settings import read_settings

verbs = typer.Typer()

_PLACES = {"installed": "came with Windrow", "data_directory": "data directory", "hub_cache": "Hugging Face cache"}


@verbs.command(epilog="Example: windrow usage --data-dir my-classifiers")
def usage(url: Url = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show what everything takes on the disk."""
    with connected(url, data_dir) as operations:
        found = operations.usage()
    if as_json:
        from windrow.wire.usage import UsageReply

        print_json(UsageReply.of(found))
    else:
        _print_usage(found)


def _print_usage(found: Usage) -> None:
    console = data_console()
    table = new_table("classifier", "size", "revisions", "", right=("size", "revisions"), whole=("classifier", ""))
    for one in found.classifiers:
        table.add_row(one.name, size(one.size_bytes), str(one.revisions), "deleted" if one.is_deleted else "")
    if found.classifiers:
        console.print(table)
        console.print()
    totals = new_table("in all", "size", right=("size",))
    for what, amount in (
        ("base models, shared by all classifiers", found.shared_bytes),
        ("classifiers", found.classifier_bytes),
        ("deleted classifiers; delete --purge frees it", found.deleted_bytes),
        ("aliases and the rest", found.other_bytes),
        ("together", found.total_bytes),
        ("still free on that disk", found.free_bytes),
    ):
        totals.add_row(what, size(amount))
    console.print(totals)


@verbs.command(epilog="Example: windrow fsck --data-dir my-classifiers --repair")
def fsck(
    url: Url = None,
    data_dir: DataDir = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Remove garbage, and finish what a crash left half done.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check every byte of a data directory.

    It may run beside servers. Exit code 0: all classifiers are sound. 1: something is damaged. 2: there is no such
    data directory.
    """
    checkup = _checked(url, data_dir, repair)
    if as_json:
        from windrow.wire.checkup import CheckReply

        print_json(CheckReply.of(checkup))
    else:
        _print_checkup(checkup)
    if not checkup.is_sound:
        raise typer.Exit(NO)


def _checked(url: str | None, data_dir: Path | None, repair: bool) -> Checkup:
    if server_asked(url, data_dir):
        with connected(url, data_dir) as operations:
            return operations.fsck(repair=repair)
    settings = read_settings() if data_dir is None else dataclasses.replace(read_settings(), data_dir=data_dir)
    check_data_dir(settings.data_dir)
    # Nothing that trains or predicts is loaded for it, so that it also runs where that could not.
    from windrow.bootstrap import open_store
    from windrow.storage.fsck import check

    return check(settings.data_dir, open_store(settings).names, repair=repair)


def _print_checkup(checkup: Checkup) -> None:
    for finding in checkup.findings:
        state = "repaired" if finding.is_repaired else finding.severity
        print(f"{state}: {finding.place}: {finding.detail} [{finding.code}]")
    print(
        f"{checkup.classifiers} classifiers, {checkup.records} records, {checkup.blobs} blobs, "
        f"{checkup.size_bytes / 1e6:.1f} MB read: {'sound' if checkup.is_sound else 'DAMAGED'}"
        f"{'' if checkup.findings else ', nothing found'}."
    )


@verbs.command(
    "base-models",
    epilog="Example: windrow base-models --data-dir my-classifiers --remove BAAI/bge-small-en-v1.5",
)
def base_models(
    url: Url = None,
    data_dir: DataDir = None,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="ID", help="Remove this one, if no classifier uses it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the base models on this machine, or remove one."""
    if remove is not None:
        _remove_base_model(url, data_dir, remove, as_json)
        return
    with connected(url, data_dir) as operations:
        uses = operations.base_models()
    if as_json:
        from windrow.wire.base_models import BaseModelList

        print_json(BaseModelList.of(uses))
    else:
        _print_base_models(uses)


def _remove_base_model(url: str | None, data_dir: Path | None, base_model: str, as_json: bool) -> None:
    with connected(url, data_dir) as operations:
        freed_bytes = operations.remove_base_model(base_model)
    if as_json:
        from windrow.wire.base_models import BaseModelDeleted

        print_json(BaseModelDeleted(base_model=base_model, freed_bytes=freed_bytes))
    else:
        print(f"Removed {base_model}, which freed {size(freed_bytes)}.")


def _print_base_models(uses: tuple[BaseModelUse, ...]) -> None:
    console = data_console()
    table = new_table(
        "base model",
        "where",
        "size",
        "classifiers",
        "",
        right=("size", "classifiers"),
        whole=("base model",),
        spare=("where", "classifiers"),
    )
    for use in uses:
        taken = use.model.size_bytes + use.model.graph_bytes
        remark = use.model.problem or ("the default" if use.is_default else "")
        table.add_row(use.model.base_model.id, _PLACES[use.model.place], size(taken), str(use.classifiers), remark)
    console.print(table if uses else f"{counted(0, 'base model')} on this machine.")
