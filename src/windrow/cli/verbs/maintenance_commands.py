"""Verbs that look after a data directory: usage, fsck, base-models."""

from typing import Annotated

import typer

from windrow.cli.call import Call
from windrow.cli.connect import check_data_dir, settings_for
from windrow.cli.exits import CHECK_FAILED
from windrow.cli.formats import size
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.tables import Column, number, print_table
from windrow.domain.base_models import BaseModelList, BaseModelRequest, BaseModelUse
from windrow.domain.figures import counted
from windrow.domain.integrity import FsckRequest, IntegrityReport
from windrow.domain.usage import Usage

verbs = typer.Typer()

_PLACES = {"installed": "came with Windrow", "data_directory": "data directory", "hub_cache": "Hugging Face cache"}


@verbs.command(epilog="Example: windrow usage --data-dir my-classifiers")
@with_options()
def usage(call: Call) -> None:
    """Show what everything takes on the disk."""
    with call.connected() as operations:
        call.show(operations.usage(), _print_usage)


def _print_usage(usage: Usage) -> None:
    if usage.classifiers:
        print_table(
            usage.classifiers,
            Column("classifier", lambda one: one.name, no_wrap=True),
            number("size", lambda one: size(one.size_bytes)),
            number("revisions", lambda one: str(one.revisions)),
            Column("", lambda one: "deleted" if one.deleted else "", no_wrap=True),
        )
        print()
    totals: tuple[tuple[str, int], ...] = (
        ("base models, shared by all classifiers", usage.shared_bytes),
        ("classifiers", usage.classifier_bytes),
        ("deleted classifiers; delete --purge frees them", usage.deleted_bytes),
        ("aliases and the rest", usage.other_bytes),
        ("together", usage.total_bytes),
    )
    if usage.free_bytes is not None:  # an object store does not tell
        totals += (
            ("still free on that disk", usage.free_bytes),
            ("of that, left by trainings", usage.min_free_bytes),
        )
    print_table(totals, Column("in all", lambda total: total[0]), number("size", lambda total: size(total[1])))


@verbs.command(epilog="Example: windrow fsck --data-dir my-classifiers --repair")
@with_options(
    repair=OptionSpec(
        help="Remove garbage and finish what a crash left half done. What is damaged is never touched, and garbage "
        "that could be rows is moved to lost+found in the data directory."
    )
)
def fsck(call: Call, request: FsckRequest) -> None:
    """Check every byte of a data directory.

    It may run beside servers. Exit code 0: all classifiers are sound. 1: something is damaged. 2: it could not be
    checked.
    """
    report = _checked(call, request)
    call.show(report, _print_report)
    if not report.sound:
        raise typer.Exit(CHECK_FAILED)


def _checked(call: Call, request: FsckRequest) -> IntegrityReport:
    if call.server:
        with call.connected() as operations:
            return operations.fsck(request)
    settings = settings_for(call.data_dir)
    check_data_dir(settings.data_dir)
    # Nothing that trains or predicts is loaded for it, so that it also runs where that could not.
    from windrow.bootstrap import check_integrity

    return check_integrity(settings, request)


def _print_report(report: IntegrityReport) -> None:
    for finding in report.findings:
        state = "repaired" if finding.repaired else finding.severity
        print(f"{state}: {finding.path}: {finding.detail} [{finding.code}]")
    print(
        f"{counted(report.classifiers, 'classifier')}, {counted(report.records, 'record')}, "
        f"{counted(report.blobs, 'blob')}, "
        f"{report.size_bytes / 1e6:.1f} MB read: {'sound' if report.sound else 'DAMAGED'}"
        f"{'' if report.findings else ', nothing found'}."
    )


@verbs.command(
    "base-models", epilog="Example: windrow base-models --data-dir my-classifiers --remove BAAI/bge-small-en-v1.5"
)
@with_options()
def base_models(
    call: Call,
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="ID", help="Remove this one, if no classifier uses it.")
    ] = None,
) -> None:
    """List the base models on this machine, or remove one."""
    with call.connected() as operations:
        if remove is None:
            call.show(operations.base_models(), _print_base_models)
        else:
            removal = operations.remove_base_model(BaseModelRequest(remove))
            call.show(removal, lambda gone: print(f"Removed {gone.base_model}, which freed {size(gone.freed_bytes)}."))


def _print_base_models(listing: BaseModelList) -> None:
    if not listing.base_models:
        print(f"{counted(0, 'base model')} on this machine.")
        return
    print_table(
        listing.base_models,
        Column("base model", lambda use: use.id, no_wrap=True),
        Column("where", lambda use: _PLACES[use.location], spare=2),
        number("size", lambda use: size(use.size_bytes + use.graph_bytes)),
        number("classifiers", lambda use: str(use.classifiers), spare=1),
        Column("", _remark),
    )


def _remark(use: BaseModelUse) -> str:
    return use.problem or ("the default" if use.is_default else "")
