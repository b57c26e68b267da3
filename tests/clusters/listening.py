"""Something that listens where a Ray cluster is looked for."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# How a gRPC server begins, as Ray's are: a frame with one setting.
GRPC_SETTINGS = b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0"


@contextmanager
def listening(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """Listen at an address until the block ends, and answer the first connection if there is one."""
    may_end = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:  # the block has ended before anything connected
                return
            with connection:
                answer(connection)
                may_end.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            may_end.set()
            listener.shutdown(socket.SHUT_RDWR)  # which ends a wait in accept, as closing does not
            thread.join()
