"""Connections to SQLite files: one that turned read-only, because a file failed once, does not stay so."""

import sqlite3
from weakref import WeakSet

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

_ENGINES: WeakSet[Engine] = WeakSet()


def reconnect_where_read_only(engine: Engine) -> None:
    """Connect anew after a write that SQLite refuses because it takes its file for read-only.

    A file that cannot be opened for a moment is opened to be read alone, and stays so for as long as a connection of
    the process has it open: the connections of all engines of that file are given up. Where the file really is
    read-only, the next write is refused, too.
    """
    _ENGINES.add(engine)

    @event.listens_for(engine, "handle_error")
    def _give_up(context: ExceptionContext) -> None:
        code = getattr(context.original_exception, "sqlite_errorcode", None)
        if code is None or code & 0xFF != sqlite3.SQLITE_READONLY:  # the low byte is the kind
            return
        context.is_disconnect = True
        if context.execution_context is not None and context.execution_context.cursor is not None:
            context.execution_context.cursor.close()  # its statement would keep a closed connection open
        for other in tuple(_ENGINES):
            if other is not engine and other.url.database == engine.url.database:
                other.dispose()
