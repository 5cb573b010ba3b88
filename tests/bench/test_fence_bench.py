"""What row-level policies cost on the queries of a map: the same session with and without them, in one run.

Figures are the fastest quarter's end, which other programs of the machine disturb least.
"""

import statistics
import time
from datetime import date

import pytest
from crowded_store import box_of, crowd, village_code
from signed_in import sign_in
from sqlalchemy import func, select, text

from geodata.database import open_engine, open_web_engine, session_maker
from geodata.scoping import bind
from geodata.tables import Household
from mapgrid.roles import Actor, Role, Scope

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
_TURNS = 60
_MOST = 1.20
_TODAY = date(2026, 3, 5)


def _box(bounds):
    envelope = func.ST_MakeEnvelope(*bounds, 4326)
    return select(Household.code, Household.tier, func.ST_AsBinary(Household.place)).where(
        Household.place.op("&&")(envelope)
    )


def _tile(bounds):
    envelope = func.ST_MakeEnvelope(*bounds, 4326)
    shape = func.ST_AsMVTGeom(func.ST_Transform(Household.place, 3857), func.ST_Transform(envelope, 3857))
    rows = (
        select(Household.code, Household.tier, shape.label("shape"))
        .where(Household.place.op("&&")(envelope))
        .subquery()
    )
    return select(func.ST_AsMVT(text("rows.*"))).select_from(rows.alias("rows"))


def test_policies_cost_at_most_a_fifth_on_boxes_and_tiles(session, database_url):
    crowd(session, towns=4, villages=5, households=10_000)
    engines = {"with": open_web_engine(database_url), "without": open_engine(database_url)}
    worst = 0.0
    for digits, level in ((12, "village"), (9, "town"), (6, "district")):
        area = village_code(1, 1)[:digits]
        number = sign_in(session, level, (Role.PLANNER, area))
        session.commit()
        actor = Actor(number, level, level, (Scope(Role.PLANNER, area, date(2000, 1, 1)),))
        for name, query in (
            ("box", _box(box_of(1, 1, share=0.2))),
            ("tile", _tile(box_of(1, 1, share=0.2))),
            ("wide tile", _tile(box_of(1, 1))),
        ):
            took = {fence: [] for fence in engines}
            rows = {}
            for turn in range(_TURNS + 3):
                for fence, engine in engines.items():
                    with session_maker(engine)() as asking:
                        bind(asking, actor, _TODAY)
                        asking.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))  # like with like
                        began = time.perf_counter()
                        rows[fence] = asking.execute(query).all()
                        if turn >= 3:
                            took[fence].append(time.perf_counter() - began)
            if name == "box":  # the order of a tile's features is the planner's
                assert sorted(rows["with"]) == sorted(rows["without"])
            quarter = {fence: statistics.quantiles(times, n=4)[0] * 1000 for fence, times in took.items()}
            ratio = quarter["with"] / quarter["without"]
            worst = max(worst, ratio)
            print(  # noqa: T201
                f"{level:8} {name:9} {len(rows['with']):6} row(s)  without {quarter['without']:7.2f} ms"
                f"  with {quarter['with']:7.2f} ms  ratio {ratio:.2f}"
            )
    for engine in engines.values():
        engine.dispose()
    assert worst <= _MOST
