"""A store with something of everything a backup must bring back, and what is read of a store to compare it."""

import psycopg

from geodata.backup.contents import read_contents
from geodata.backup.programs import conninfo
from geodata.backup.surroundings import read_surroundings

VILLAGE = "350426103201"
_AREAS = [("350426", None, "district"), ("350426103", "350426", "town"), (VILLAGE, "350426103", "village")]
_ODD = ["举溪村 ${x} <b>", "tab\tand\nline", "quote ' \" \\ \\.", "\u202eright to left", "=1+1"]


def fill(url, *, households=40):
    """Store a village with households and people whose texts are hard to carry over."""
    with psycopg.connect(conninfo(url)) as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO area (code, parent_code, level, name) VALUES (%s, %s, %s, '尤溪')", _AREAS)
        cursor.execute(
            "INSERT INTO household (code, village_code, tier, reasons, address, place)"
            " SELECT %(village)s || lpad(n::text, 6, '0'), %(village)s, 'yellow', ARRAY['alone', 'a,\"b'],"
            "        (%(odd)s::text[])[1 + n %% 5], ST_Point(118.1 + n / 1e4, 26.1 + n / 3e4, 4326)"
            " FROM generate_series(1, %(households)s) n",
            {"village": VILLAGE, "odd": _ODD, "households": households},
        )
        cursor.execute(
            "INSERT INTO person (household_code, is_head, full_name, born_on) SELECT code, true, address, '1950-02-28'"
            " FROM household"
        )


def fence(url, role):
    """Add to the application's own policies a role, grants, a trigger that writes a log, a leakproof function."""
    with psycopg.connect(conninfo(url)) as connection:
        name = psycopg.sql.Identifier(role)
        for statement in (
            "CREATE ROLE {} LOGIN NOINHERIT",
            "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
            "GRANT CONNECT ON DATABASE {database} TO {}",
            "ALTER ROLE {} IN DATABASE {database} SET mapgrid.actor = 'nobody, \"or\" ''other'''",
            "ALTER ROLE {} IN DATABASE {database} SET search_path = public, pg_temp",
            "CREATE TABLE log (code text, seen_at timestamptz DEFAULT now())",
            (
                "CREATE FUNCTION write_log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
                " $$BEGIN INSERT INTO public.log (code) VALUES (NEW.code); RETURN NEW; END$$"
            ),
            "CREATE TRIGGER log_households AFTER INSERT ON household FOR EACH ROW EXECUTE FUNCTION write_log()",
            (
                "CREATE FUNCTION log_stays() RETURNS trigger LANGUAGE plpgsql AS"
                " $$BEGIN RAISE EXCEPTION 'the log is written once'; END$$"
            ),
            "CREATE TRIGGER log_stays BEFORE UPDATE OR DELETE ON log FOR EACH ROW EXECUTE FUNCTION log_stays()",
            "GRANT SELECT (code), INSERT ON log TO {}",
            "ALTER FUNCTION geometry_contains(geometry, geometry) LEAKPROOF",
        ):
            connection.execute(
                psycopg.sql.SQL(statement).format(name, database=psycopg.sql.Identifier(connection.info.dbname))
            )


def drop_role(server, role):
    """Take a role away from a server when nothing needs it any more."""
    server.execute(psycopg.sql.SQL("DROP ROLE IF EXISTS {}").format(psycopg.sql.Identifier(role)))


def everything_in(url):
    """Return all that a store holds and all that stands round it."""
    with psycopg.connect(conninfo(url)) as connection:
        return read_contents(connection), read_surroundings(connection)


def rows_in(url, table="household"):
    """Return how many rows a table has."""
    with psycopg.connect(conninfo(url)) as connection:
        query = psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table))
        return connection.execute(query).fetchone()[0]


def databases_of(url):
    """Return the names of all databases of a server that belong to the store of a URL."""
    with psycopg.connect(conninfo(url, database="postgres")) as connection:
        name = psycopg.conninfo.conninfo_to_dict(conninfo(url))["dbname"]
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
        return sorted(row[0] for row in found)
