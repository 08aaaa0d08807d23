"""A table for what the published rows of each batch look like; it was an Iceberg table beside each table before."""

from sqlalchemy import Connection, text


def migrate(connection: Connection) -> None:
    """Make the table."""
    connection.execute(
        text(
            """
            CREATE TABLE ledger_profiles (
                table_name VARCHAR(200) NOT NULL,
                batch VARCHAR(200) NOT NULL,
                noted BIGINT NOT NULL,
                digest VARCHAR(64) NOT NULL,
                profile TEXT NOT NULL,
                PRIMARY KEY (table_name, batch)
            )
            """
        )
    )
