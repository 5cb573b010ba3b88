"""A way to a database that can be blocked: packets are swallowed, and nobody says so."""

import socket
import threading
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class StallingProxy:
    """Passes bytes between a TCP port of this machine and a server's unix socket, until it is told to stall."""

    def __init__(self, database_url):
        parts = urlsplit(database_url)
        self._server = parse_qs(parts.query)["host"][0] + "/.s.PGSQL.5432"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._flowing = threading.Event()
        self._flowing.set()
        self._open = [self._listener]
        self.url = f"postgresql://{parts.username}@127.0.0.1:{self._listener.getsockname()[1]}{parts.path}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self):
        self._flowing.clear()

    def flow(self):
        self._flowing.set()

    def close(self):
        self._flowing.set()
        for each in self._open:
            _shut(each)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._open += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source, target):
        with suppress(OSError):
            while received := source.recv(65536):
                self._flowing.wait()
                target.sendall(received)
        _shut(target)


def _shut(each):
    with suppress(OSError):  # it is closed already
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def stalling_proxy(database_url):
    proxy = StallingProxy(database_url)
    try:
        yield proxy
    finally:
        proxy.close()
