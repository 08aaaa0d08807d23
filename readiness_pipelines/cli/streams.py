"""`readiness streams`: who reads which stream, how far it is behind, and the window that is open."""

from readiness_pipelines.cli.output import AsJson, errors_for_people, print_json, say
from readiness_pipelines.cli.shards import say_streams
from readiness_pipelines.cli.words import What, find
from readiness_pipelines.installation import Installation
from readiness_pipelines.json_values.streams import shard_value
from readiness_pipelines.overview import stream_standings
from readiness_pipelines.settings import Settings


def show_streams(what: What = None, as_json: AsJson = False) -> None:
    """Show the processes that read streams: whether each is there, its position, lag, watermark and open window."""
    with errors_for_people():
        settings = Settings()
        chosen, installation = find(what, settings), Installation.open(settings)
        tables = [chosen.table] if chosen.table is not None else list(chosen.tables)
        shards = installation.ledger.streams.shards({table.id for table in tables})
        if as_json:
            print_json([shard_value(shard) for shard in shards])
            return
        say_streams(stream_standings(tables, installation=installation))
        if not shards:
            say("no process has read a stream yet")
