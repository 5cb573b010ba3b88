"""Serve the application with gunicorn on an address of this machine.

The server is a process of its own: what its workers unwind when they end must not be what the caller holds open
(the embedded database), and a process that has computed with threads must not fork.
"""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import subprocess
import sys
from contextlib import nullcontext
from threading import Thread
from typing import TYPE_CHECKING, Any

import click

from geodata.cluster import revived
from mapgrid.errors import MapgridError
from web.settings import read_settings

if TYPE_CHECKING:
    from types import FrameType

    from flask import Flask

    from web.settings import Settings

_WORKERS = 2
_THREADS = 8


class AddressRefusedError(MapgridError):
    """An address the server cannot or must not listen on."""


def serve(database_url: str, settings: Settings) -> int:
    """Serve one database until SIGINT or SIGTERM and return the exit status of the server.

    Raises
    ------
    AddressRefusedError
        If the address can be reached from other machines without TLS, or is in use.
    """
    is_embedded = settings.database_url is None
    with listen(settings) as listener, revived(settings.home) if is_embedded else nullcontext():
        environment = {
            **os.environ,
            "MAPGRID_HOME": str(settings.home),
            "MAPGRID_DATABASE_URL": database_url,
            "MAPGRID_HOST": settings.host,
            "MAPGRID_PORT": str(settings.port),
            "MAPGRID_HTTPS": str(int(settings.is_https)),
            "MAPGRID_DEMO": str(int(settings.is_demo)),
        }
        arguments = [sys.executable, "-m", "web.server", str(listener.fileno())]
        return _wait_for(arguments, environment, listener.fileno())


def listen(settings: Settings) -> socket.socket:
    """Return a bound socket; call it (and close what it returns) before long work, to find a busy port at once.

    Raises
    ------
    AddressRefusedError
        If the address can be reached from other machines, or is in use.
    """
    _check_address(settings)
    host, port = settings.host, settings.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise AddressRefusedError(
            f"cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}; "
            f"end the program that uses it, or choose another port: MAPGRID_PORT={port + 1 if port else 8001}"
        ) from error


def _check_address(settings: Settings) -> None:
    """Refuse an address that other machines reach, unless a proxy in front of it speaks TLS and it is no demo."""
    try:
        is_loopback = settings.host == "localhost" or ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        is_loopback = False
    if is_loopback:
        return
    if settings.is_demo:
        raise AddressRefusedError(
            f"expected an address of this machine alone (127.0.0.1), found {settings.host}: everybody may sign in to "
            "the demo; from another machine use an SSH tunnel"
        )
    if not settings.is_https:
        raise AddressRefusedError(
            f"expected an address of this machine alone (127.0.0.1), found {settings.host}: without TLS passwords and "
            "homes would travel in clear; put a proxy with TLS in front and set MAPGRID_HTTPS=1, or use an SSH tunnel"
        )


def _wait_for(arguments: list[str], environment: dict[str, str], listener: int) -> int:
    server: subprocess.Popen[bytes] | None = None

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        if server is not None:
            server.terminate()

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        # A group of its own: Ctrl-C reaches only us, and we ask the server to finish what it answers.
        server = subprocess.Popen(  # noqa: S603 - our own list
            arguments, env=environment, pass_fds=[listener], process_group=0
        )
        return server.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run_gunicorn(listener: int) -> None:
    """Run gunicorn on a bound socket; the settings come from the environment. Ends the program by SystemExit."""
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415 - only the server's own process needs it

    settings = read_settings()

    class Server(BaseApplication):
        def load_config(self) -> None:
            for name, option in _options(listener).items():
                self.cfg.set(name, option)

        def load(self) -> Flask:
            from web.app import create_app  # noqa: PLC0415 - the same reason

            return create_app(settings.database_url or "", settings)

    Server().run()


def _options(listener: int) -> dict[str, Any]:
    address = _address_of(listener)
    return {
        "bind": f"fd://{listener}",
        "workers": _WORKERS,
        "worker_class": "gthread",
        "threads": _THREADS,
        "preload_app": True,  # loaded once, before it is announced; it opens no connection until the first request
        "post_worker_init": _get_ready,
        "graceful_timeout": 5,
        "loglevel": "warning",
        "when_ready": lambda _arbiter: click.echo(f"mapgrid is ready: {address}  (Ctrl-C ends it)"),
    }


def _get_ready(_worker: object) -> None:
    """Load beside the first answers what edits of plans need; the first time on a machine it is compiled."""
    from mapgrid.adjust import warm  # noqa: PLC0415 - only the server's own process needs it

    Thread(target=warm, daemon=True).start()


def _address_of(listener: int) -> str:
    with socket.socket(fileno=os.dup(listener)) as bound:
        host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


if __name__ == "__main__":
    _run_gunicorn(int(sys.argv[1]))
