"""What the answers are made of, gathered once for all scopes: a few queries, however many batches there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.commands import history_command
from readiness_pipelines.contracts import Domain, GatedTable, Kpi, Table, upstream
from readiness_pipelines.contracts.classification import PersonalKind
from readiness_pipelines.decisions import Approval, decisions_about_each, waits_for_approval
from readiness_pipelines.delivery import gate_of
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.identity import UNPROVED
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import AUTOMATIC, Erasure, ErasureState, Finding, Incident, Kept, Tally
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.latency import StepLatency, newest_latencies
from readiness_pipelines.overview.on_call import OnCall, on_call_now
from readiness_pipelines.overview.scorecard.learned import ModelFacts, model_facts
from readiness_pipelines.overview.scorecard.slas import SlaMonth, sla_months
from readiness_pipelines.overview.unclassified import unclassified_columns

LOOKED_BACK = timedelta(days=90)
"""Incidents and decisions of so long ago speak for how it is done."""

_NAMES_SOMEBODY = (PersonalKind.ID, PersonalKind.DIRECT, PersonalKind.FREE_TEXT)

PROMPT = timedelta(minutes=5)
"""What promises to be published within this time is the pipeline layer's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A second look at something: the table, what was looked at, and by whom; "" where somebody still has to."""

    table: TableId
    what: str
    who: str
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """What a table's gate demands, as far as the answers need it.

    Attributes:
        version: Its version; ``None`` where the schema cannot become a gate.
        rules: How many rules it has.
        problem: Why it cannot be built; "" where it can.
        protected: How many of the table's columns name somebody and are protected, or reviewed.
        bare: Those that name somebody and are published as they are: "email is pii.direct".
    """

    version: str | None
    rules: int
    problem: str
    protected: int
    bare: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the answers about some tables are made of.

    Attributes:
        now: When it was gathered, in UTC.
        tables: The tables and products, with all that they are computed from, each after what it reads.
        domains: The domains that they belong to.
        gates: What their gates demand.
        tallies: Their batches, added up; of what arrived under the raw tables' names.
        kept: What is kept beside them.
        incidents: Those that are active, or were opened lately.
        slas: What the products promised, month by month.
        last_look: When somebody looked last at what promises freshness.
        latencies: The newest batch of each table that promises five minutes or less.
        on_call: Who is on call, by domain.
        reviews: What a second person looked at, or has to.
        unproved: Decisions lately by somebody who proved nothing.
        decided: Decisions lately.
        unclassified: Columns that look personal and that nobody classified.
        erasures: Requests to be forgotten that are not done.
        chain: What is wrong with the trail; empty where it is as it was written.
        linked: How many rows of it are linked.
        identity: Whether who decides has to prove it.
        models: What is known of the models whose serving versions are among the tables.
    """

    now: datetime
    tables: tuple[Table, ...]
    domains: tuple[Domain, ...]
    gates: Mapping[TableId, GateFacts]
    tallies: Mapping[TableId, Tally]
    kept: Mapping[TableId, Kept]
    incidents: tuple[Incident, ...]
    slas: Mapping[TableId, tuple[SlaMonth, ...]]
    last_look: datetime | None
    latencies: Mapping[TableId, StepLatency | None]
    on_call: Mapping[str, OnCall]
    reviews: tuple[Review, ...]
    unproved: tuple[BatchRef, ...]
    decided: tuple[BatchRef, ...]
    unclassified: tuple[Finding, ...]
    erasures: tuple[Erasure, ...]
    chain: tuple[str, ...]
    linked: int
    identity: bool
    models: tuple[ModelFacts, ...]

    @property
    def delivered(self) -> bool:
        """Whether anything of it was ever delivered: before, there is nothing that could prove something."""
        return any(table.id in self.tallies or table.id.raw in self.tallies for table in self.tables)

    @property
    def products(self) -> tuple[Kpi, ...]:
        """The products."""
        return tuple(table for table in self.tables if isinstance(table, Kpi))

    def of(self, tables: Sequence[Table]) -> "Gathered":
        """What of it is about some tables, and all that they are computed from."""
        found = with_upstream(tables)
        ids = {table.id for table in found}
        return replace(
            self,
            tables=found,
            domains=tuple(dict.fromkeys(table.domain for table in found)),
            incidents=tuple(one for one in self.incidents if one.finding.table in ids),
            reviews=tuple(one for one in self.reviews if one.table in ids),
            unproved=tuple(ref for ref in self.unproved if ref.table in ids),
            decided=tuple(ref for ref in self.decided if ref.table in ids),
            unclassified=tuple(one for one in self.unclassified if one.table in ids),
            slas={product: months for product, months in self.slas.items() if product in ids},
            models=tuple(one for one in self.models if one.model.serving.id in ids),
        )


def gather_evidence(
    given: Iterable[Table], *, installation: Installation, identity_required: bool, now: datetime
) -> Gathered:
    """Gather what the answers about some tables are made of.

    Args:
        given: The tables; all that they are computed from is looked at, too.
        installation: Where the ledger is.
        identity_required: Whether the settings demand that who decides proves it.
        now: The time.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    tables = with_upstream(given)
    ids = [table.id for table in tables]
    ledger, known = installation.ledger, {table.id: table for table in tables}
    owners = tuple(dict.fromkeys(table.domain for table in tables))
    since = now - LOOKED_BACK
    reviews, decided, unproved = _decisions(ids, installation, since)
    chain, linked = _chain(installation)
    return Gathered(
        now=now,
        tables=tables,
        domains=owners,
        gates={table.id: _gate(table) for table in tables},
        tallies=ledger.tallies([*ids, *(table.raw for table in ids)]),
        kept=ledger.kept_beside(ids),
        incidents=tuple(
            one for one in ledger.incidents.incidents(tables=ids) if one.resolved_at is None or one.opened_at >= since
        ),
        slas=sla_months((one for one in tables if isinstance(one, Kpi)), installation=installation, now=now),
        last_look=ledger.incidents.last_look(),
        latencies=_latencies(tables, installation),
        on_call={domain.name: on_call_now(domain, now=now) for domain in owners},
        reviews=(*reviews, *_accepted(tables, installation), *_lowered(tables)),
        unproved=unproved,
        decided=decided,
        unclassified=tuple(unclassified_columns(known, installation=installation)),
        erasures=ledger.erasures.requests(state=ErasureState.OPEN),
        chain=chain,
        linked=linked,
        identity=identity_required,
        models=model_facts(known, installation=installation),
    )


def with_upstream(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Tables with all that they are computed from, each once, after what it reads."""
    found: dict[TableId, Table] = {}
    for table in tables:
        for one in (*upstream(table), table):
            found.setdefault(one.id, one)
    return tuple(found.values())


def _gate(table: Table) -> GateFacts:
    try:
        gate = gate_of(table)
    except ReadinessError as error:
        return GateFacts(version=None, rules=0, problem=error.what, protected=0, bare=())
    protected, bare = 0, []
    if isinstance(table, GatedTable):  # what is computed can only hold what was published
        for column in gate.spec.columns:
            found = column.classified
            if found is None or found.kind not in _NAMES_SOMEBODY:
                continue
            if found.protection is not None or found.reviewed:
                protected += 1
            else:
                bare.append(f"{column.label} is {found}")
    return GateFacts(version=gate.version, rules=len(gate.rules), problem="", protected=protected, bare=tuple(bare))


def _decisions(
    tables: Sequence[TableId], installation: Installation, since: datetime
) -> tuple[tuple[Review, ...], tuple[BatchRef, ...], tuple[BatchRef, ...]]:
    """Approvals given and waited for; the batches that something was decided about lately; those by the unproved."""
    reviews: list[Review] = []
    decided: list[BatchRef] = []
    unproved: list[BatchRef] = []
    about = decisions_about_each(installation.ledger, installation.ledger.decided_batches(tables))
    for ref, decisions in about.items():
        for waiting in waits_for_approval(decisions):
            what = f"decision {waiting.id} about {ref}"
            reviews.append(Review(table=ref.table, what=what, who="", command=history_command(ref)))
        for one in decisions:
            if isinstance(one.what, Approval):
                what = f"decision {one.what.decision} about {ref}"
                reviews.append(Review(table=ref.table, what=what, who=one.who))
            if one.at >= since:
                decided.append(ref)
                unproved += [ref] if one.who.endswith(UNPROVED) else []
    return tuple(reviews), tuple(decided), tuple(unproved)


def _accepted(tables: Iterable[Table], installation: Installation) -> Iterable[Review]:
    """Changes of sources' columns that a person accepted."""
    ids = [table.id for table in tables if isinstance(table, GatedTable)]
    for table, kept in installation.ledger.kept_beside(ids).items():
        if kept.shapes > 1 and kept.accepted_by != AUTOMATIC:
            yield Review(table=table, what=f"the columns of {table}", who=kept.accepted_by)


def _lowered(tables: Iterable[Table]) -> Iterable[Review]:
    """Classes that are lower than what a column is made of, each with who reviewed that."""
    for table in tables:
        for column, found in table.classified.items():
            if found.reviewed:
                yield Review(table=table.id, what=f"the class of {table.id}.{column}", who=found.reviewed)


def _latencies(tables: Iterable[Table], installation: Installation) -> Mapping[TableId, StepLatency | None]:
    prompt = [table for table in tables if table.latency is not None and table.latency <= PROMPT]
    read = {one.table.id for table in prompt for one in table.reads.values()}
    publications = installation.ledger.publications(tables={*(table.id for table in prompt), *read}) if prompt else {}
    found = newest_latencies(prompt, installation=installation, publications=publications)
    return {table.id: found.get(table.id) for table in prompt}


def _chain(installation: Installation) -> tuple[tuple[str, ...], int]:
    """What is wrong with what is append-only, and how many rows of it are linked."""
    problems: list[str] = []
    rows = 0
    for one in installation.ledger.audit_chains():
        rows += one.rows
        if one.broken is not None:
            problems.append(f"{one.table} is broken at row {one.broken.id}")
        if one.missing_guards:
            problems.append(f"{one.table} can be rewritten")
    return tuple(problems), rows
