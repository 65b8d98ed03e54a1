"""Serving a stand-in on loopback: in the foreground, or from a thread of the same process."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from annealnn.exceptions import MissingDependencyError
from annealnn.standin._service import StandIn

_HOST = "127.0.0.1"


class Served(NamedTuple):
    """Where a stand-in is to be found."""

    endpoint: str  #: of the solver API
    token: str
    standin: StandIn

    @property
    def admin(self) -> str:
        """Address of what is no part of the solver API: `stats`, `kill-qubits`."""
        return self.endpoint.removesuffix("sapi/v2/") + "standin/"


def serve(standin: StandIn, *, port: int = 0, say: Callable[[Served], object] | None = None) -> None:
    """Serve until Ctrl-C.

    Parameters
    ----------
    standin : StandIn
    port : int
        On loopback; 0 takes a free one.
    say : callable, optional
        Called once it listens.

    Raises
    ------
    MissingDependencyError
        If starlette or uvicorn is not installed.
    OSError
        If the port is taken.
    """
    server, listening, _ = _server(standin, port)
    if say is not None:
        say(_served(standin, listening))
    try:
        server.run([listening])
    except KeyboardInterrupt:
        # uvicorn has shut down, and raises what stopped it anew
        pass
    finally:
        standin.close()


@contextmanager
def serve_in_thread(standin: StandIn, *, port: int = 0) -> Iterator[Served]:
    """Serve from a thread while the context lasts.

    Raises
    ------
    MissingDependencyError
        If starlette or uvicorn is not installed.
    OSError
        If the port is taken.
    """
    server, listening, ready = _server(standin, port)
    thread = threading.Thread(target=server.run, args=([listening],), name="annealnn-standin-http", daemon=True)
    thread.start()
    try:
        while not ready.wait(0.1) and thread.is_alive():
            pass
        yield _served(standin, listening)
    finally:
        server.should_exit = True
        thread.join()
        standin.close()


def _served(standin: StandIn, listening: socket.socket) -> Served:
    return Served(f"http://{_HOST}:{listening.getsockname()[1]}/sapi/v2/", standin.token, standin)


def _server(standin: StandIn, port: int) -> tuple[Any, socket.socket, threading.Event]:
    """Return (uvicorn's server, a socket that listens, an event that is set once it answers)."""
    try:
        import starlette  # noqa: F401
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError:
        msg = "a stand-in is served by starlette and uvicorn, which are not installed: pip install 'annealnn[standin]'"
        raise MissingDependencyError(msg) from None
    from annealnn.standin._app import build_app, droppable

    closing, ready = asyncio.Event(), threading.Event()
    application = build_app(standin, closing)

    class Server(uvicorn.Server):  # type: ignore[misc]
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            ready.set()

        async def shutdown(self, sockets: Any = None) -> None:
            closing.set()
            await super().shutdown(sockets)

    class Protocol(H11Protocol):  # type: ignore[misc]
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.app = droppable(application, transport)

    if not 0 <= port <= 65535:
        msg = f"a port is a whole number from 0, which takes a free one, to 65535; got {port}"
        raise ValueError(msg)
    try:
        listening = socket.create_server((_HOST, port))
    except OSError as error:
        msg = f"port {port} cannot be served on ({error.strerror}). Give another, or 0 for a free one"
        raise OSError(error.errno, msg) from error
    config = uvicorn.Config(
        application,
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    return Server(config), listening, ready
