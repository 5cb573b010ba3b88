"""A store with many households, made by the database itself: villages side by side, points scattered evenly."""

from sqlalchemy import text

DISTRICT = "990201"
SIDE_DEGREES = 0.04
"""Width of a village."""


def crowd(session, *, towns, villages, households):
    """Store a district with so many towns, villages in each, and households in each village; the caller commits."""
    numbers = {"district": DISTRICT, "towns": towns, "villages": villages, "households": households}
    for statement in _STATEMENTS:
        session.execute(text(statement), {**numbers, "side": SIDE_DEGREES})
    session.commit()
    session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}).execute(text("VACUUM ANALYZE household"))
    session.commit()


def village_code(town, village):
    """Return the code of a village by its numbers from 1."""
    return f"{DISTRICT}{100 + town:03d}{200 + village:03d}"


def box_of(town, village, *, share=1.0):
    """Return `(west, south, east, north)` of a village, or of a part in its south-western corner."""
    west, south = 9.0 + village * SIDE_DEGREES, 47.0 + town * SIDE_DEGREES
    return west, south, west + SIDE_DEGREES * share, south + SIDE_DEGREES * share


_STATEMENTS = (
    "INSERT INTO area (code, level, name) VALUES (:district, 'district', 'crowd')",
    """
    INSERT INTO area (code, parent_code, level, name)
    SELECT :district || (100 + t), :district, 'town', 'town ' || t FROM generate_series(1, :towns) t
    """,
    """
    INSERT INTO area (code, parent_code, level, name, boundary)
    SELECT :district || (100 + t) || (200 + v), :district || (100 + t), 'village', 'village ' || v,
           ST_Multi(ST_MakeEnvelope(9 + v * :side, 47 + t * :side, 9 + (v + 1) * :side, 47 + (t + 1) * :side, 4326))
    FROM generate_series(1, :towns) t, generate_series(1, :villages) v
    """,
    """
    INSERT INTO household (code, village_code, tier, place)
    SELECT a.code || lpad(n::text, 6, '0'), a.code, (ARRAY['red', 'yellow', 'green', 'green', 'green'])[1 + n % 5],
           ST_SetSRID(ST_MakePoint(
               ST_XMin(a.boundary) + :side * ((n * 7919) % 10007) / 10007.0,
               ST_YMin(a.boundary) + :side * ((n * 104729) % 10009) / 10009.0), 4326)
    FROM area a, generate_series(1, :households) n
    WHERE a.level = 'village' AND a.code LIKE :district || '%'
    """,
)
