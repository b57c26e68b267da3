"""Follows the events of a job, and reconnects where a connection breaks."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from windrow.client.errors import ConnectionLost, ServerTimedOut, UnexpectedReply
from windrow.client.event_stream import read_events
from windrow.client.replies import read_reply
from windrow.client.transport import Call, Transport
from windrow.domain.errors import AccessDenied, Unavailable
from windrow.domain.job import Job


def follow(connect: Callable[[], Iterator[Job]]) -> Iterator[Job]:
    """Yield a job whenever something about it changed, until it is finished.

    Args:
        connect: Returns what a new connection tells of the job; it ends where the server stops telling.

    Raises:
        ConnectionLost: A connection broke, or ended, and so did the next one, without any news between.
        ServerTimedOut: The same, where the server was silent for too long.
    """
    last: Job | None = None
    had_update = True
    while True:
        try:
            for job in connect():
                if job != last:
                    yield job
                    last, had_update = job, True
                if job.is_finished:
                    return
        except (ConnectionLost, ServerTimedOut):
            if not had_update:
                raise
        had_update = False


def events_of(transport: Transport, call: Call) -> Generator[Job]:
    """Yield what one connection tells of a job.

    Raises:
        UnexpectedReply: What comes are no events of a job.
        ConnectionLost: The server stopped before the job's end.
    """
    chunks = transport.iter_chunks(transport.open(call))
    try:
        for data in read_events(chunks):
            yield read_reply(Job, data, transport.url)
    except ValueError as error:
        raise no_events(transport.url) from error
    finally:
        chunks.close()
    raise stopped_telling(transport.url)


def no_events(url: str) -> UnexpectedReply:
    """Return the error for a stream that tells nothing of a job."""
    return UnexpectedReply("What {url} sends are no events of a job. Check the URL.", {"url": url})


def stopped_telling(url: str) -> ConnectionLost:
    """Return the error for a stream that ended before its job."""
    return ConnectionLost(
        "The server at {url} stopped telling about a training before its end. Look whether the server still runs.",
        {"url": url},
    )


@contextmanager
def naming_job(job_id: str) -> Iterator[None]:
    """Name the job in what goes wrong between here and the server, since the training does not end with it.

    Raises:
        AccessDenied, Unavailable: What was raised inside, with the job.
    """
    try:
        yield
    except (AccessDenied, Unavailable) as error:
        more = " The training is the job {job_id} and may still run: ask for it again, or cancel it."
        raise type(error)(error.template + more, {**error.facts, "job_id": job_id}) from error


@contextmanager
def naming_result(job: Job) -> Iterator[None]:
    """Say of what goes wrong while its result is asked for that a training has succeeded.

    Args:
        job: The training, which has.

    Raises:
        AccessDenied, Unavailable: What was raised inside, with what was trained.
    """
    try:
        yield
    except (AccessDenied, Unavailable) as error:
        made = {"model_name": job.model_name, "revision": job.revision}
        more = " The training itself succeeded, and {model_name} answers by its revision {revision}."
        raise type(error)(error.template + more, {**error.facts, **made}) from error
