"""The Model Context Protocol: tools over standard input and output, or as an ASGI application.

The one module that imports the package ``mcp`` (``windrow[mcp]``).
"""

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from windrow import __version__
from windrow.agents.running import Access, Answer, ToolRunner, problem_of
from windrow.agents.tool_words import WORDS
from windrow.agents.tools import INSTRUCTIONS, Tool, find_tool, offered_tools
from windrow.domain.errors import InvalidParameter, WindrowError

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server
    from mcp.types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams
    from mcp.types import Tool as ToolDeclaration

    Context = ServerRequestContext[Any, Any]

# Returns what gives the verbs to the sender of a request: an ASGI scope, or ``None`` over standard input.
AccessOf = Callable[[Any], Access]
Asgi = Callable[[Any, Any, Any], Any]
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
# In which calls hear that they are cancelled.
_CANCEL_TIMEOUT_S: Final = 0.5
# Clients may list the tools again after that time; they do not change while the server runs.
_TOOLS_TTL_MS: Final = 3_600_000
_log = logging.getLogger(__name__)


def check_installed() -> None:
    """Make sure that the package ``mcp`` is there.

    Raises:
        InvalidParameter: It is not installed.
    """
    try:
        import mcp.types  # noqa: F401
    except ImportError as error:
        raise InvalidParameter(
            "Agents are answered with the package mcp, which is not installed. Install it with: "
            'pip install "windrow[mcp]".',
            {"parameter": "mcp"},
        ) from error


def run_over_stdio(runner: ToolRunner, access: Access) -> bool:
    """Answer one client over standard input and output, until it closes its end or a signal stops this process.

    Meanwhile, whatever else is written to standard output goes to standard error.

    Args:
        runner: Runs the tools.
        access: Gives the verbs.

    Returns:
        Whether a signal stopped it. Then a thread still waits for standard input, which keeps Python from ending.
    """
    from mcp.server.stdio import stdio_server

    async def serve() -> None:
        server = _server(runner, lambda _: access)
        async with stdio_server() as (received, sent):
            await server.run(received, sent, server.create_initialization_options())

    async def run() -> bool:
        served, stopped = asyncio.ensure_future(serve()), asyncio.Event()
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        stop = asyncio.ensure_future(stopped.wait())
        await asyncio.wait((served, stop), return_when=asyncio.FIRST_COMPLETED)
        for number in _SIGNALS:  # a second one ends the process at once
            asyncio.get_running_loop().remove_signal_handler(number)
        if served.done():
            stop.cancel()
            served.result()
            return False
        # Calls are cancelled, and their trainings with them; what reads standard input does not end.
        served.cancel()
        await asyncio.wait((served,), timeout=_CANCEL_TIMEOUT_S)
        return True

    # Without the end of ``asyncio.run``, which would wait for each task.
    loop = asyncio.new_event_loop()
    is_stopped = loop.run_until_complete(run())
    if not is_stopped:
        loop.close()
    return is_stopped


def open_http_app(runner: ToolRunner, access_of: AccessOf, max_body_bytes: int) -> Asgi:
    """Return the ASGI application that answers requests of streamable HTTP; it begins with its first request.

    A session belongs to the API key that began it, whose name stands in the scope's ``state`` as ``session_owner``.

    Args:
        runner: Runs the tools.
        access_of: Gives the verbs to the sender of a request.
        max_body_bytes: The largest body, in bytes.
    """
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    logging.getLogger("mcp").setLevel(logging.WARNING)  # its lines name sessions, whose ids are nobody else's business
    server = _server(runner, access_of)
    sessions = StreamableHTTPSessionManager(server, max_request_body_size=max_body_bytes)
    running = _Running(sessions)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await running.begin()
        owner = scope["state"].get("session_owner") or ""
        user = AuthenticatedUser(AccessToken(token="", client_id=owner, scopes=[]))
        await sessions.handle_request({**scope, "user": user}, receive, send)

    return answer


class _Running:
    """Keeps the sessions of clients running, in one task as they need, from the first request on.

    Args:
        sessions: The sessions.
    """

    def __init__(self, sessions: Any) -> None:
        self._sessions = sessions
        self._task: asyncio.Task[None] | None = None
        self._is_ready = asyncio.Event()

    async def begin(self) -> None:
        """Wait until it runs."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await self._is_ready.wait()

    async def _run(self) -> None:
        async with self._sessions.run():
            self._is_ready.set()
            await asyncio.Event().wait()  # until the loop ends


def _server(runner: ToolRunner, access_of: AccessOf) -> "Server[Any]":
    from mcp.server.caching import CacheHint
    from mcp.server.lowlevel import Server
    from mcp.types import ListToolsResult

    declared = [_declaration(tool, runner) for tool in offered_tools(runner.allowed)]
    schemas = {tool.name: tool.input_schema for tool in declared}

    async def list_tools(context: "Context", params: "PaginatedRequestParams | None") -> "ListToolsResult":  # noqa: ARG001
        return ListToolsResult(tools=declared)

    async def call_tool(context: "Context", params: "CallToolRequestParams") -> "CallToolResult":
        scope = None if context.request is None else context.request.scope
        return await _call(runner, access_of(scope), context, params)

    return Server(
        "windrow",
        version=__version__,
        title="Windrow",
        instructions=INSTRUCTIONS,
        cache_hints={"tools/list": CacheHint(ttl_ms=_TOOLS_TTL_MS)},
        get_tool_input_schema=schemas.get,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _declaration(tool: Tool, runner: ToolRunner) -> "ToolDeclaration":
    from mcp.types import Tool as ToolDeclaration
    from mcp.types import ToolAnnotations

    is_read_only = tool.is_read_only(runner.allowed)
    return ToolDeclaration(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema(runner.allowed),
        output_schema=tool.output_schema(),
        annotations=ToolAnnotations(
            title=tool.title,
            read_only_hint=is_read_only,
            destructive_hint=not is_read_only and tool.may_destroy(runner.allowed),
            idempotent_hint=is_read_only,
            # Texts reach nobody but this Windrow.
            open_world_hint=False,
        ),
    )


async def _call(
    runner: ToolRunner, access: Access, context: "Context", params: "CallToolRequestParams"
) -> "CallToolResult":
    """Answer a call; what goes wrong is an answer too, so that a model can read it and do better."""

    async def report(done: float, of: float, told: str) -> None:
        await context.session.report_progress(done, of, told)

    try:
        tool = find_tool(params.name, runner.allowed)
        answer = await runner.run(tool, params.arguments or {}, access, report)
    except WindrowError as error:
        return _problem(error)
    except Exception:  # noqa: BLE001 - the outermost edge: the client reads no traceback
        _log.exception("The tool %s failed.", params.name[:80])
        return _defect()
    return _result(answer)


def _result(answer: Answer) -> "CallToolResult":
    from mcp.types import CallToolResult, TextContent

    # As JSON once more for clients that do not read structured content.
    return CallToolResult(content=[TextContent(text=answer.text)], structured_content=dict(answer.content))


def _problem(error: WindrowError) -> "CallToolResult":
    from mcp.types import CallToolResult, TextContent

    told = error.told(WORDS)
    text = TextContent(text=f"{error.code}: {told}")
    return CallToolResult(content=[text], structured_content=problem_of(error, told), is_error=True)


def _defect() -> "CallToolResult":
    from mcp.types import CallToolResult, TextContent

    told = "Something unexpected went wrong in Windrow. Its standard error says what; report it."
    problem = {"code": "internal_error", "detail": told}
    return CallToolResult(
        content=[TextContent(text=f"internal_error: {told}")], structured_content=problem, is_error=True
    )
