"""A job as a server tells of it: what it was, is and becomes, and the stream of that."""

from dataclasses import replace
from datetime import UTC, datetime

from tests.client.sockets import Step, reply
from windrow.codec.values import to_json
from windrow.domain.job import Job, JobList, Progress

NOW = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
QUEUED = Job(
    id="a1",
    state="queued",
    model_name="tickets_v1",
    num_examples=6,
    training_data_sha256="0" * 64,
    created_at=NOW,
    ahead=1,
)
RUNNING = replace(QUEUED, state="running", ahead=0, started_at=NOW, progress=Progress("encoding"))
FURTHER = replace(RUNNING, progress=Progress("training", 1, 2, 1.5, 3.0))
DONE = replace(RUNNING, state="succeeded", progress=None, finished_at=NOW, revision=1)


def events(*jobs: Job, is_cut: bool = False) -> bytes:
    """Return a stream of events, in chunks; one that is cut has no end."""
    parts = [f": still here\n\nevent: {job.state}\ndata: {to_json(job).decode()}\n\n".encode() for job in jobs]
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + (b"" if is_cut else b"0\r\n\r\n")
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def breaking(*jobs: Job) -> Step:
    """Return the step that sends some events and then cuts the connection."""
    return lambda connection: connection.sendall(events(*jobs, is_cut=True))


def begun(job: Job = QUEUED) -> bytes:
    """Return the reply to who began it."""
    return reply(202, to_json(job))


def listed(*jobs: Job) -> bytes:
    """Return the reply to who lists jobs."""
    return reply(body=to_json(JobList(jobs)))
