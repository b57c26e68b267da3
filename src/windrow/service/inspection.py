"""Looks at a file of rows that a caller sends, within the limits of a training; nothing of it is kept."""

from typing import BinaryIO

from windrow.domain.inspection import Inspection, InspectRequest
from windrow.files.inspecting import InspectionLimits, inspect_file
from windrow.service.dependencies import Dependencies
from windrow.settings import variable_name


def inspect(deps: Dependencies, file: BinaryIO, request: InspectRequest) -> Inspection:
    """Read a whole file of rows. See ``Operations.inspect``."""
    settings = deps.settings
    limits = InspectionLimits(settings.limits, settings.max_body_bytes, variable_name("max_body_bytes"))
    return inspect_file(file, request, limits)
