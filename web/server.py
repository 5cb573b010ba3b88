"""Serve the application on an address of this machine.

The server is a process of its own: what its workers unwind when they end must not be what the caller holds open
(the embedded database), and a process that has computed with threads must not fork. This process holds the socket, so
that nobody is refused while the server is started again or replaced.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from geodata.cluster import revived
from geodata.keeper import kept
from mapgrid.errors import MapgridError
from web import logs, metric_slots
from web.supervisor import Program, Supervisor

if TYPE_CHECKING:
    from web.settings import Settings


class AddressRefusedError(MapgridError):
    """An address the server cannot or must not listen on."""


def serve(database_url: str, settings: Settings) -> int:
    """Serve one database until SIGINT or SIGTERM and return the exit status; SIGHUP loads the program anew.

    Raises
    ------
    AddressRefusedError
        If the address can be reached from other machines without TLS, or is in use.
    """
    logs.configure()
    with ExitStack() as stack:
        listener = stack.enter_context(listen(settings))
        counts = stack.enter_context(metric_slots.lent_below(settings.home))
        inherited = [listener.fileno()]
        if settings.database_url is None:
            stack.enter_context(revived(settings.home))
            inherited.append(stack.enter_context(kept(settings.home)))
        environment = {
            **os.environ,
            "MAPGRID_HOME": str(settings.home),
            "MAPGRID_DATABASE_URL": database_url,
            "MAPGRID_HOST": settings.host,
            "MAPGRID_PORT": str(settings.port),
            "MAPGRID_HTTPS": str(int(settings.is_https)),
            "MAPGRID_DEMO": str(int(settings.is_demo)),
            metric_slots.VARIABLE: counts,
        }
        server = Program(
            "server",
            lambda ready: [sys.executable, "-m", "web.serving", *map(str, (listener.fileno(), ready, os.getpid()))],
            environment,
            inherited,
            is_vital=True,
        )
        worker = Program(
            "worker",
            lambda ready: [sys.executable, "-m", "web.job_worker", str(ready), str(os.getpid())],
            environment,
            inherited[1:],
        )
        ready = f"mapgrid is ready: {_address_of(listener)}  (Ctrl-C ends it)"
        # Whoever comes while it stops is refused at once, instead of waiting for nobody.
        return Supervisor([server, worker], lambda: click.echo(ready), listener.close).run()


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


def _address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
