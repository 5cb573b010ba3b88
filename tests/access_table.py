"""What everybody gets on every route: `python tests/access_table.py > tests/data/access.txt`, then read the difference.

A block of the table is a method and a route; a line is who asks; its six figures are the answers for a place of their
own, a sibling of it, the one above, one below, one that was theirs until yesterday, and one that does not exist.
"""

import os
import re
import sys
import tempfile
from contextlib import contextmanager
from datetime import date
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from many_villages import CLOCK, VILLAGES, case, draft, household, save_many_villages
from signed_in import sign_in
from sqlalchemy import text

from geodata import cluster, rate_limits
from geodata.accounts import give_scope
from geodata.database import migrate, open_engine, session_maker
from geodata.jobs import add_job, end_job
from mapgrid.jobs import JobKind, JobState
from mapgrid.roles import Role, Scope
from web import database
from web.app import create_app
from web.settings import Settings

RELATIONS = ("own", "sibling", "parent", "child", "former", "nonexistent")
_ENDED_ON = date(2026, 3, 5)
_A, _B, _C = "990101101201", "990101101202", "990101102201"
_NOWHERE = "990109"

# Who asks: the area of the role, and for each relation the area it means.
PLACES = {
    "anonymous": (f"{_A}001", f"{_A}002", _A, f"{_A}001", f"{_C}001", f"{_NOWHERE}101201001"),
    Role.WORKER: (f"{_A}001", f"{_A}002", _A, f"{_A}001", f"{_C}001", f"{_NOWHERE}101201001"),
    Role.GRID_LEADER: (f"{_A}001", f"{_A}002", _A, f"{_A}001", f"{_C}001", f"{_NOWHERE}101201001"),
    Role.LIAISON: (_A, _B, _A[:9], f"{_A}001", _C, f"{_NOWHERE}101201"),
    Role.PLANNER: (_A[:9], _C[:9], _A[:6], _A, "990102101", f"{_NOWHERE}101"),
    Role.VILLAGE_LEADER: (_A, _B, _A[:9], f"{_A}001", _C, f"{_NOWHERE}101201"),
    Role.TOWN_LEADER: (_A[:9], _C[:9], _A[:6], _A, "990102101", f"{_NOWHERE}101"),
    Role.DISTRICT_LEADER: (_A[:6], "990102", _A[:6], _A[:9], "990102", _NOWHERE),
    Role.RESIDENT_DESK: (_A[:9], _C[:9], _A[:6], _A, "990102101", f"{_NOWHERE}101"),
    Role.ADMINISTRATOR: (_A[:9], _C[:9], _A[:6], _A, "990102101", f"{_NOWHERE}101"),
    Role.AUDITOR: (_A[:9], _C[:9], _A[:6], _A, "990102101", f"{_NOWHERE}101"),
}
HIDDEN = ("sibling", "parent", "former")
"""Relations that must be answered as nonexistent ones are (where the parent is another place than one's own)."""


@contextmanager
def store(url):
    """Fill a database with the villages, an account for each role, and accounts to manage; lend the application."""
    engine = open_engine(url)
    with session_maker(engine).begin() as session:
        save_many_villages(session)
        for who, places in PLACES.items():
            if who != "anonymous":
                number = sign_in(session, f"asks-{who}".replace("_", "-"), (who, places[0]), token=who)
                give_scope(session, number, Scope(Role(who), places[4], date(2026, 1, 1), _ENDED_ON))
        accounts = {
            area: sign_in(session, f"managed-{area}", (_role_for(area), area))
            for area in sorted({area for places in PLACES.values() for area in places[:5]})
        }
        session.execute(text("UPDATE account SET totp_confirmed_at = '2026-01-01'"))  # emergency access asks for one
        for village in VILLAGES:  # numbered from 1, and ended, so that another can be asked for
            job = add_job(session, JobKind.DIVIDE, village, {}, account_id=accounts[_A])
            end_job(session, job, JobState.CANCELLED)
    with tempfile.TemporaryDirectory() as home:
        app = create_app(url, Settings(home=Path(home)))
        app.config.update(CLOCK=lambda: CLOCK, WTF_CSRF_ENABLED=False)
        yield app, accounts
        app.extensions["engine"].dispose()
    engine.dispose()


def routes(app):
    """Return every method and route of an application, without HEAD and OPTIONS."""
    return sorted(
        (rule.rule, method, rule)
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
        if rule.endpoint != "static"
    )


def address_of(rule, area, accounts):
    """Return the address of a route for a place."""
    values = {}
    for name in rule.arguments:
        values[name] = _VALUES.get((rule.rule, name), _VALUES.get(name))(area, accounts, rule)
    return _filled(rule.rule, values)


def names_the_area(rule):
    """Say whether a route's place is the area itself, not a village, a household or a case in it."""
    return "code" in rule.arguments and (rule.rule, "code") not in _VALUES


def ask(app, who, method, address, **sent):
    """Return the answer somebody gets; what it wrote is undone, so that the next finds the same store."""
    client = app.test_client()
    if who != "anonymous":
        client.set_cookie("mapgrid", str(who))
    rate_limits.forget(app.extensions["engine"])
    kept = database.commit
    database.commit = _undo
    try:
        sent = sent or _BODIES.get(re.sub(r"\d+", "N", address.split("?")[0]), {})
        return client.open(address, method=method, **sent)
    finally:
        database.commit = kept


def table(app, accounts):
    """Return the lines of the whole table."""
    for route, method, rule in routes(app):
        yield f"{method} {route}"
        for who, places in PLACES.items():
            asked = places if rule.arguments else places[:1]
            statuses = [ask(app, who, method, address_of(rule, area, accounts)).status_code for area in asked]
            yield f"  {who:16}" + " ".join(str(status) for status in statuses)


def _undo():
    session = database.g.get("session")
    if session is not None:
        session.rollback()


def _role_for(area):
    return {6: Role.DISTRICT_LEADER, 9: Role.TOWN_LEADER, 12: Role.VILLAGE_LEADER, 15: Role.WORKER}[len(area)]


def _filled(rule, values):
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda found: str(values[found[1]]), rule)


def _village(area, _accounts=None, _rule=None):
    villages = {6: "101201", 9: "201", 12: "", 15: ""}
    return (area + villages[len(area)])[:12]


def _grid(area, _accounts=None, _rule=None):
    return area if len(area) == 15 else f"{_village(area)}002"


def _household(area, _accounts=None, _rule=None):
    return household(_village(area), 0 if len(area) == 15 and area.endswith("001") else 2)


def _case(area, _accounts=None, _rule=None):
    village = _village(area)
    try:
        return case(village, 0 if len(area) == 15 and area.endswith("001") else 2)
    except ValueError:
        return "2026-9999"


def _job(area, _accounts=None, _rule=None):
    village = _village(area)
    return VILLAGES.index(village) + 1 if village in VILLAGES else 999_999


def _plan(area, _accounts=None, _rule=None):
    try:
        return draft(_village(area))
    except ValueError:
        return 999_999


def _area(area, _accounts=None, _rule=None):
    return area


_VALUES = {
    "code": _area,
    "number": _case,
    "plan": _plan,
    "account_id": lambda area, accounts, _rule: accounts.get(area, 999_999),
    "change": lambda *_ignored: "disable",
    "kind": lambda *_ignored: "households",
    "language": lambda *_ignored: "en",
    "job": _job,
    "token": lambda *_ignored: "no-such-token",
    **{(f"/api/villages/<code>{layer}", "code"): _village for layer in (
        "", "/boundary", "/grids", "/groups", "/units", "/households", "/cases", "/terrain", "/division", "/imports",
        "/imports/<token>", "/imports/<token>/cancel")},
    **{(f"/import/<code>{rest}", "code"): _village for rest in (
        "", "/<token>", "/<token>/drop", "/<token>/faults.csv")},
    ("/api/households/<code>", "code"): _household,
    ("/api/households/<code>/unmask", "code"): _household,
    ("/api/grids/<code>", "code"): _grid,
    ("/api/districts/<code>", "code"): lambda area, *_ignored: area[:6],
    ("/api/towns/<code>", "code"): lambda area, *_ignored: f"{area[:6]}{(area + '101')[6:9]}",
}  # fmt: skip
_VERSION = {"headers": {"If-Match": '"0"'}}
_BODIES = {
    "/api/households/N/unmask": {"json": {"purpose": "visit"}},
    "/api/plans": {"json": {"village": _A}},
    "/api/plans/N": _VERSION,
    "/api/plans/N/edits": {"json": {"edit": "undo"}, **_VERSION},
    "/api/plans/N/review": _VERSION,
    "/api/plans/N/return": _VERSION,
    "/api/plans/N/publish": {"json": {"starts_on": "2026-04-01"}, **_VERSION},
}


def main():
    """Print the table of today's application."""
    home = Path(tempfile.mkdtemp(prefix="mapgrid-access-"))
    home.chmod(0o755)
    os.environ.pop("MAPGRID_DATABASE_URL", None)
    with cluster.running(home) as server:
        migrate(server.url)
        with store(server.url) as (app, accounts):
            for line in table(app, accounts):
                sys.stdout.write(line + "\n")
    cluster.destroy(home)


if __name__ == "__main__":
    main()
