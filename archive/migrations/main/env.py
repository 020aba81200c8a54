"""Runs this history on the connection that `archive.migrate` hands over."""

from alembic import context

history = context.config.attributes["history"]
context.configure(connection=context.config.attributes["connection"], **history.options())
with context.begin_transaction():
    context.run_migrations()
