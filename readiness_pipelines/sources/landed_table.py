"""Rows that another engine adds to an Iceberg table."""

from pydantic import Field

from readiness_pipelines.sources.topic import StreamReader


class LandedTable(StreamReader):
    """Rows that another engine adds to an Iceberg table: Kafka Connect, Flink, RisingWave, Spark.

    What its snapshots add is brought into the tables slice by slice, in the order of the snapshots; the table that is
    there at first is read as a whole. All columns arrive as text, as from Avro, so that the gate reads them as it reads
    a message. Compaction adds nothing. The table may only grow: a snapshot that changes or deletes rows is an error.

    Attributes:
        table: The table, as ``namespace.table``.
        catalog: Its catalog's name in PyIceberg's own configuration (``.pyiceberg.yaml``, or variables as
            ``PYICEBERG_CATALOG__LAKE__URI`` for ``lake``); by default the catalog of the installation.
        slice_every: New snapshots are looked for so often, and a slice is closed so long after its first row.

    Example:
        LandedTable("landing.payments", catalog="lake")
    """

    table: str = Field(pattern=r"^[^.\x00]+(\.[^.\x00]+)+$")
    catalog: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")

    def __init__(self, table: str | None = None, /, **fields: object) -> None:
        """Accept the table's name as the only positional argument."""
        if table is not None:
            fields["table"] = table
        super().__init__(**fields)

    @property
    def stream_name(self) -> str:
        """The table's name, with its catalog's."""
        return f"{self.catalog}.{self.table}" if self.catalog else self.table

    def describe(self) -> str:
        """The table."""
        return f"landed table {self.stream_name}"
