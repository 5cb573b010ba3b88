"""A gunicorn worker whose threads wait for no slow client.

gunicorn's threaded worker gives a new connection a thread at once, and waits there without limit for the rest of a
request that was begun. A few dozen clients that send a byte now and then, as phones at the edge of reception do, would
keep everybody else out. Here a connection gets a thread when its head is there; its body has to come at a walking pace.
"""

from __future__ import annotations

import errno
import selectors
import socket
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import TConn, ThreadWorker

if TYPE_CHECKING:
    from gunicorn.http.message import Request

HEAD_S = 10.0
"""How long the head of a request may take."""
BODY_S = 10.0
"""How long the body may take, and more for what has arrived already."""
SLOWEST = 16 * 1024
"""Bytes in a second below which a body is given up."""
WRITE_S = 30.0
"""How long a piece of an answer may take to be accepted."""
_LONGEST_HEAD = 64 * 1024
_NOT_OURS = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED}


class _Hurried:
    """A socket from which a request must arrive in time."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._asked: float | None = None
        self._until = 0.0

    def begin(self) -> None:
        self._until = monotonic() + BODY_S

    def recv(self, size: int) -> bytes:
        left = self._until - monotonic()
        if self._asked is not None:
            left = min(left, self._asked)
        if left <= 0:
            raise TimeoutError("the rest of the request did not come in time")
        self._inner.settimeout(left)
        try:
            received = self._inner.recv(size)
        finally:
            self._inner.settimeout(WRITE_S)
        self._until += len(received) / SLOWEST
        return received

    def gettimeout(self) -> float | None:
        return self._asked

    def settimeout(self, asked: float | None) -> None:
        self._asked = asked


class _Connection(TConn):
    """A connection that knows how much of a head it has seen."""

    def __init__(self, *given: Any) -> None:  # noqa: ANN401 - gunicorn's own arguments
        super().__init__(*given)
        self.seen = 0
        self.hurried: _Hurried | None = None

    def init(self) -> None:
        super().init()
        if self.hurried is None:
            unreader = self.parser.unreader
            unreader.sock = self.hurried = _Hurried(unreader.sock)
        self.hurried.begin()

    def has_head(self) -> bool:
        """Say whether a thread can take it: the head is there, too long, or will never come."""
        try:
            begun = self.sock.recv(_LONGEST_HEAD, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        is_stuck = len(begun) == self.seen  # readable without a new byte: the client has closed its side
        self.seen = len(begun)
        if is_stuck or b"\r\n\r\n" in begun or len(begun) == _LONGEST_HEAD:
            self.seen = 0
            self._wake_at(1)
            return True
        self._wake_at(self.seen + 1)
        return False

    def _wake_at(self, size: int) -> None:
        """Let the poller report it as readable from so many bytes on."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)


class PatientWorker(ThreadWorker):
    """The threaded worker, with heads gathered by the poller and bodies in a hurry."""

    def accept(self, listener: Any) -> None:  # noqa: ANN401 - a socket in gunicorn's wrapping
        """Take a connection and wait for its first request without a thread."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in _NOT_OURS:
                raise
            return
        self.nr_conns += 1
        self._await_head(_Connection(self.cfg, client, address, listener.getsockname()))

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's own argument
        """Take connections or not; a worker that stops lets go of the socket, so that nobody waits there in vain."""
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                listener.close()

    def on_client_socket_readable(self, conn: _Connection, client: socket.socket) -> None:
        """Begin the next request of a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_head(conn)

    def on_pending_socket_readable(self, conn: _Connection, client: socket.socket) -> None:
        """Give the connection to a thread when its head is there."""
        if conn.has_head():
            super().on_pending_socket_readable(conn, client)

    def handle(self, conn: _Connection) -> Any:  # noqa: ANN401 - gunicorn's own answer
        """Answer a request, in a thread."""
        conn.data_ready = True
        return super().handle(conn)

    def handle_request(self, req: Request, conn: _Connection) -> Any:  # noqa: ANN401 - gunicorn's own answer
        """Answer a request whose head was read."""
        conn.sock.settimeout(WRITE_S)
        return super().handle_request(req, conn)

    def _await_head(self, conn: _Connection) -> None:
        conn.sock.settimeout(0)
        if conn.has_head():
            self.enqueue_req(conn)
            return
        conn.timeout = monotonic() + HEAD_S
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))
