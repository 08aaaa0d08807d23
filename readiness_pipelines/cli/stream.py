"""`readiness stream`: the process that reads a shard of a table's topic."""

from collections.abc import Callable
from typing import Annotated

import typer

from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import errors_for_people, say
from readiness_pipelines.cli.sealing import Sealer
from readiness_pipelines.cli.stopping import Stop, signals_end_after_a_batch
from readiness_pipelines.cli.words import find_gated
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.json_values.streams import progress_value
from readiness_pipelines.json_values.text import json_text
from readiness_pipelines.lakehouse import LandedSnapshots
from readiness_pipelines.settings import Settings
from readiness_pipelines.sources import LandedTable, PostgresChanges, StreamReader, Topic
from readiness_pipelines.sources.brokers import broker_options
from readiness_pipelines.streaming import (
    KafkaMessages,
    LandedMessages,
    MessageSource,
    Monitor,
    Progress,
    Shard,
    SlotMessages,
    read_shard,
)


def stream(
    table: Annotated[str, typer.Argument(help="The table, as domain.table.", metavar="TABLE")],
    shard: Annotated[str, typer.Option(help="Which part of its partitions: 0/4 is the first of four.")] = "0/1",
    port: Annotated[
        int | None, typer.Option(help="Serve /metrics and /health at this port; 0 for any that is free.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to serve them at.")] = "127.0.0.1",
    seals: Annotated[
        bool | None,
        typer.Option("--seal/--no-seal", help="Whether it seals windows that are over; by default the first does."),
    ] = None,
    skip_gap: Annotated[
        bool, typer.Option("--skip-gap", help="Go on after what is gone or was changed, with a reason that is kept.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; kept for ever.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each slice, and every ten seconds, for programs.")
    ] = False,
) -> None:
    """Read a shard of a table's topic until it is told to end: slices are published within seconds, windows sealed.

    Each shard is one process. SIGTERM, or Ctrl-C, ends it after the slice under way; a process that was killed is
    followed by one that finishes what it left. The exit code is 1 where it cannot go on.
    """
    with signals_end_after_a_batch() as stop, errors_for_people():
        tells: Callable[..., None] = _say_beside if as_json else say
        settings = Settings()
        found, part = find_gated(table, load_domains(settings)), Shard.parse(shard)
        if skip_gap != bool(reason.strip()):
            raise DeclarationError("--skip-gap and --reason belong together", way_out='--skip-gap --reason "…"')
        reader = found.source.reader
        if not isinstance(reader, StreamReader):
            raise DeclarationError(
                f"{found.id} is not fed by a topic but by {reader.describe()}", way_out=f"readiness run {found.id}"
            )
        progress = Progress(str(found.id), str(part))
        monitor = Monitor(progress, host=host, port=port) if port is not None else None
        if monitor is not None:
            tells(f"/metrics and /health at http://{host}:{monitor.port}")
        try:
            _read(
                found,
                reader,
                part,
                settings,
                stop,
                progress,
                seals=seals,
                skip_gap=reason if skip_gap else "",
                as_json=as_json,
            )
        finally:
            if monitor is not None:
                monitor.close()
        tells(f"read {progress.records:,} messages in {progress.slices:,} slices; all of them are in the tables")


def _read(
    table: GatedTable,
    reader: StreamReader,
    shard: Shard,
    settings: Settings,
    stop: Stop,
    progress: Progress,
    *,
    seals: bool | None,
    skip_gap: str,
    as_json: bool,
) -> None:
    installation, run = Installation.open(settings), Run(who=who_types())
    sealer = Sealer(table, installation, run, beside=as_json)
    tells: Callable[..., None] = _say_beside if as_json else say
    seal = sealer.look if (shard.number == 0 if seals is None else seals) else lambda: None

    def line() -> None:
        if as_json:
            typer.echo(json_text(progress_value(progress, run.clock()), indent=None))

    def beat() -> None:
        line()
        seal()

    tells(f"reading {reader.describe()} into {table.id}, shard {shard}")
    read_shard(
        table,
        shard,
        source=_messages(table, reader, settings),
        installation=installation,
        run=run,
        stop=lambda: stop.asked,
        progress=progress,
        each_beat=beat,
        each_slice=line,
        skip_gap=skip_gap,
    )
    sealer.wait()


def _say_beside(text: str) -> None:
    """Say something to people where standard output is for programs."""
    typer.echo(text, err=True)


def _messages(table: GatedTable, reader: StreamReader, settings: Settings) -> MessageSource:
    """What the reader's messages are pulled from."""
    match reader:
        case Topic():
            options = broker_options(reader.brokers, settings.connection)
            return KafkaMessages(reader, options, group=f"readiness.{table.id}")
        case PostgresChanges():
            return SlotMessages(reader, settings.connection(reader.connection))
        case LandedTable():
            own, warehouse = settings.catalog_url, settings.warehouse_place
            landed = LandedSnapshots.open(reader.table, catalog=reader.catalog, own=own, warehouse=warehouse)
            return LandedMessages(reader, landed)
        case _:
            raise DeclarationError(
                f"nothing reads {reader.describe()}", way_out="declare Topic, Changes, PostgresChanges or LandedTable"
            )
