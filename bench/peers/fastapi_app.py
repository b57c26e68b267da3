"""A classifier behind FastAPI as one writes it in a minute: a plain ``def`` endpoint, one uvicorn process.

Owns HTTP; knows nothing of how a text is classified.
"""

from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

Answer = dict[str, object]


class Question(BaseModel):
    """A body; further fields are ignored."""

    text: str


def serve(classify: Callable[[str], Answer], port: int) -> None:
    """Answer on a port until the process is ended."""
    app = FastAPI()

    @app.post("/predict")
    def predict(question: Question) -> Answer:
        return classify(question.text)

    @app.get("/health")
    def health() -> str:
        return "ok"

    uvicorn.run(app, port=port, log_level="warning", access_log=False)
