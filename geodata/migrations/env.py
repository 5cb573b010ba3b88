"""How alembic runs our migrations: on the connection that `geodata.database` hands over."""

from alembic import context
from geoalchemy2 import alembic_helpers

from geodata.migrations import CONTEXT
from geodata.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=alembic_helpers.render_item,
    **CONTEXT,
)
context.run_migrations()
