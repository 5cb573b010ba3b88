"""An unsafe request that brings an Idempotency-Key is carried out once, and answered alike as often as it is asked.

The key comes as a header or as a hidden field of a form. It counts for the account that asks; nobody's requests have
none. The answer is kept in the transaction of what the view wrote. Never kept is what must not lie about, or must be
asked for anew each time: people in full, passwords, links of invitations, emergency access.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from flask import Response, request

from geodata.idempotency import Answer, keep, recall
from mapgrid.errors import MapgridError
from web import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIELD = "idempotency_key"
"""The hidden field of a form; a page that is loaded anew brings a new one."""
REPLAYED = "Idempotent-Replayed"
"""The header that tells a kept answer from a new one."""

_KEY = re.compile(r"[!-~]{8,200}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_NOT_PART_OF_A_REQUEST = frozenset({FIELD, "csrf_token"})
_SECRET_BLUEPRINTS = frozenset({"account", "people", "emergency"})
_SECRET_VIEWS = frozenset({"api.unmask_household"})
_NOT_KEPT = frozenset({"set-cookie", "content-length"})


class KeyRefusedError(MapgridError):
    """An Idempotency-Key that is none."""


def carry_out(view: Callable[[], Response]) -> Response:
    """Return what a view answers, or answered when the request was made before; the caller commits."""
    key = None if request.method in _SAFE or _is_secret() else _key()
    asker = None if key is None else database.asker()
    if key is None or asker is None:
        return view()
    fingerprint = _fingerprint()
    kept = recall(database.session(), asker, key, fingerprint)
    if kept is not None:
        return Response(kept.body, kept.status, {**kept.headers, REPLAYED: "true"})
    response = view()
    response.direct_passthrough = False
    headers = {name: value for name, value in response.headers.items() if name.lower() not in _NOT_KEPT}
    keep(database.session(), asker, key, fingerprint, Answer(response.status_code, headers, response.get_data()))
    return response


def _is_secret() -> bool:
    return request.blueprint in _SECRET_BLUEPRINTS or request.endpoint in _SECRET_VIEWS


def _key() -> str | None:
    given = request.headers.get("Idempotency-Key")
    if given is None and request.mimetype in _FORMS:
        given = request.form.get(FIELD)
    if not given:
        return None
    if not _KEY.fullmatch(given):
        raise KeyRefusedError(
            f"Idempotency-Key: expected 8 to 200 printable characters without spaces, found {len(given)} characters; "
            "make a random one, such as a UUID"
        )
    return given


def _fingerprint() -> bytes:
    """Return a hash of what is asked for, without what differs each time a form is sent."""
    digest = sha256()
    for part in _parts():
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _parts() -> Iterator[bytes]:
    yield request.method.encode()
    yield request.full_path.encode()
    if request.mimetype not in _FORMS:
        yield request.get_data(cache=True)
        return
    for name, value in sorted(request.form.items(multi=True)):
        if name not in _NOT_PART_OF_A_REQUEST:
            yield from (name.encode(), value.encode())
    for name, file in sorted(request.files.items(multi=True), key=lambda item: item[0]):
        yield from (name.encode(), (file.filename or "").encode(), _hash_of(file.stream))


def _hash_of(stream: Any) -> bytes:  # noqa: ANN401 - a file or what werkzeug puts in its place
    digest = sha256()
    while piece := stream.read(2**20):
        digest.update(piece)
    stream.seek(0)
    return digest.digest()
