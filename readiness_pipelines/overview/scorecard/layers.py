"""The layers, each answered from what was gathered."""

from dataclasses import replace

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.commands import history_command
from readiness_pipelines.durations import format_duration
from readiness_pipelines.overview.scorecard import questions as asked
from readiness_pipelines.overview.scorecard.answering import against, answer, for_it, unknown
from readiness_pipelines.overview.scorecard.gathered import Gathered
from readiness_pipelines.overview.scorecard.operation import access
from readiness_pipelines.overview.scorecard.questions import Answer, Proof


def pipeline(facts: Gathered) -> Answer:
    """What promises to be published within five minutes was, the last time."""
    proofs: list[Proof] = []
    faults: list[Proof] = []
    for table in facts.tables:
        newest = facts.latencies.get(table.id)
        if newest is None or table.latency is None:
            continue
        took = (newest.published_at or facts.now) - newest.since
        promised = format_duration(table.latency)
        said = f"{table.id}[{newest.batch}] took {format_duration(took)} of {promised}"
        see = history_command(BatchRef(table.id, newest.batch))
        late = took > table.latency
        (faults if late else proofs).append((against if late else for_it)(said, table=table.id, command=see))
    if not proofs and not faults:
        promising = [table for table in facts.tables if table.id in facts.latencies]
        why = "nothing was published where it is promised" if promising else "nothing promises five minutes or less"
        return unknown(asked.PIPELINE, why, way_out='promise it where it matters: latency="5m"')
    return answer(asked.PIPELINE, proofs, faults, way_out="see what was slow: readiness history")


def vectors(_facts: Gathered) -> Answer:
    """There are no embeddings yet."""
    return unknown(asked.VECTORS, "there is no vector storage", way_out="no embeddings can be declared yet")


def retrieval(_facts: Gathered) -> Answer:
    """Nothing is retrieved for a model yet."""
    return unknown(asked.RETRIEVAL, "nothing is retrieved for a model", way_out="no documents can be declared yet")


def security(facts: Gathered) -> Answer:
    """As `access`: the layer is what operation asks for."""
    return replace(access(facts), question=asked.SECURITY)


def llm(_facts: Gathered) -> Answer:
    """There are no language models yet."""
    return unknown(asked.LLM, "no language model is operated", way_out="none can be declared yet")
