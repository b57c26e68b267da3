"""The options that many verbs share, so that they are named and explained alike everywhere.

Owns their words; knows nothing of what is done with their values.
"""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from windrow.settings import Settings, variable_name


def setting_option(setting: str, *names: str, **more: Any) -> Any:
    """Declare an option that overrides a setting; its help is the setting's own.

    Args:
        setting: The setting's name in :class:`Settings`.
        names: The option's names; by default made from the parameter's.
        more: What else ``typer.Option`` takes.
    """
    knob = next(knob for knob in dataclasses.fields(Settings) if knob.name == setting)
    default = f"; default: {knob.default}" if knob.default != "" else ""
    text = f"{knob.metadata['doc']} [variable: {variable_name(setting)}{default}]"
    return typer.Option(*names, help=text, show_default=False, **more)


Url = Annotated[str | None, setting_option("url", "--url", metavar="URL")]
DataDir = Annotated[Path | None, setting_option("data_dir", "--data-dir", metavar="FOLDER")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, the same as the HTTP API's.")]
