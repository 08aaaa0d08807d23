"""A table for what each batch held when it was committed; batches committed before have no row in it."""

from sqlalchemy import Connection, text


def migrate(connection: Connection) -> None:
    """Make the table."""
    connection.execute(
        text(
            """
            CREATE TABLE ledger_contents (
                table_name VARCHAR(200) NOT NULL,
                batch VARCHAR(200) NOT NULL,
                snapshot BIGINT NOT NULL,
                row_count BIGINT NOT NULL,
                digest VARCHAR(50) NOT NULL,
                files JSON NOT NULL,
                PRIMARY KEY (table_name, batch)
            )
            """
        )
    )
