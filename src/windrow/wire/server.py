"""The JSON shapes that belong to no verb: health, and the problem that every refusal is.

Owns their fields; knows nothing of statuses or of what went wrong.
"""

from typing import Literal

from pydantic import ConfigDict, Field

from windrow.wire.shapes import Wire


class Health(Wire):
    """The server answers."""

    status: Literal["ok"] = Field(default="ok", description="The server answers.", examples=["ok"])
    version: str = Field(description="Windrow's version.", examples=["0.1.0"])


class Problem(Wire):
    """Why a request was refused (RFC 9457); more members may follow, such as ``row``, ``limit`` or ``near_names``."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A URI for the code.", examples=["urn:windrow:problem:classifier_not_found"])
    title: str = Field(description="The code in words.", examples=["Classifier not found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    code: str = Field(description="Stable, for programs.", examples=["classifier_not_found"])
    detail: str = Field(
        description="What went wrong and what to do next.",
        examples=[
            "There is no classifier named ticket_classifer_v1. Did you mean ticket_classifier_v1? List the classifiers "
            "that exist, or train it first."
        ],
    )
    request_id: str = Field(description="Find this request in the server's log by it.", examples=["5f2b9c0de1a34b77"])
