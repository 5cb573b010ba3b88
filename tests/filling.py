"""Databases that are filled once per run, for tests to begin with copies of them."""

from contextlib import contextmanager

from many_villages import save_many_villages

from geodata.database import open_engine, session_maker


@contextmanager
def session_on(url):
    """Lend a session on a database; what it wrote is kept."""
    engine = open_engine(url)
    with session_maker(engine).begin() as session:
        yield session
    engine.dispose()


def with_many_villages(url):
    """Fill a database with the four drawn villages."""
    with session_on(url) as session:
        save_many_villages(session)
