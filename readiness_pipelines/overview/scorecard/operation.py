"""The points of operational readiness, each answered from what was gathered."""

from collections.abc import Iterator
from datetime import timedelta

from readiness_pipelines.batches import Keys
from readiness_pipelines.commands import catalog_command, scan_command, status_command
from readiness_pipelines.contracts import Domain, GatedTable, Kpi, Table
from readiness_pipelines.durations import format_duration
from readiness_pipelines.ledger import WATCHER, FindingKind, Incident, IncidentState, Tally
from readiness_pipelines.overview.scorecard import learned
from readiness_pipelines.overview.scorecard import questions as asked
from readiness_pipelines.overview.scorecard.answering import against, answer, for_it, unknown
from readiness_pipelines.overview.scorecard.gathered import LOOKED_BACK, Gathered
from readiness_pipelines.overview.scorecard.questions import Answer, Proof
from readiness_pipelines.overview.scorecard.slas import SlaMonth

LOOKS_WITHIN_HOURS = 24
NOTIFIED_WITHIN_HOURS = 1


def catalog(facts: Gathered) -> Answer:
    """Every table is described, somebody answers, it is delivered as often as declared, and by the gate in the code."""
    faults = list(_out_of_date(facts))
    proofs = [
        for_it(f"{len(facts.tables):,} tables and products have a description and somebody who answers"),
        for_it("each was delivered, and its newest batches are judged by the gate in the code"),
    ]
    way_out = "describe what is not, and deliver what is declared"
    return answer(asked.CATALOG, [] if faults else proofs, faults, way_out=way_out)


def _out_of_date(facts: Gathered) -> Iterator[Proof]:
    for table in facts.tables:
        see, tally = catalog_command(table.id), facts.tallies.get(table.id)
        if not table.description:
            yield against(f"{table.id} has no description", table=table.id, command=see)
        if tally is None:
            yield against(f"{table.id} was never delivered", table=table.id, command=status_command(table.domain.name))
        elif tally.gated and (version := facts.gates[table.id].version) is not None and version not in tally.gated:
            yield against(f"{table.id}: the gate in the code has judged no batch yet", table=table.id, command=see)
        if late := _stopped(table, facts):
            yield against(late, table=table.id, command=see)


def _stopped(table: Table, facts: Gathered) -> str:
    """That a source delivers less often than it is declared to; "" where it does, or is not to deliver any more."""
    tally = facts.tallies.get(table.id.raw)
    if not isinstance(table, GatedTable) or table.source.refresh is None or tally is None or _is_over(table, tally):
        return ""
    silent = facts.now - tally.last_at
    if silent <= 2 * table.source.refresh:
        return ""
    declared, since = format_duration(table.source.refresh), format_duration(silent - silent % timedelta(minutes=1))
    ago = f"{silent.days}d" if silent.days else since
    return f"{table.source.origin} is declared to deliver every {declared} to {table.id}, and last did {ago} ago"


def _is_over(table: Table, tally: Tally) -> bool:
    """Whether all batches that a table will ever have are there."""
    grid = table.batches.grid()
    if isinstance(grid, Keys):
        return sum(tally.batches.values()) >= len(grid.keys)
    end = getattr(grid, "end", None)
    return end is not None and end <= tally.last_at.date()


def slas(facts: Gathered) -> Answer:
    """Each KPI has a quality SLA, and kept it in the newest month of which something is known, the one before first."""
    if not facts.products:
        return unknown(asked.SLAS, "there is no KPI", way_out="declare the number that the data is for: @domain.kpi(…)")
    proofs: list[Proof] = []
    faults: list[Proof] = []
    for product in facts.products:
        month = _telling_month(facts.slas.get(product.id, ()))
        see = f"readiness scorecard {product.id}"
        if product.sla is None:
            faults.append(against(f"{product.id} has no SLA", table=product.id, command=catalog_command(product.id)))
        elif month is not None:
            said = f"{product.id} in {month.month}: {', '.join(map(str, month.measures))}"
            found = for_it if month.kept else against
            (proofs if month.kept else faults).append(found(said, table=product.id, command=see))
    if not faults and len(proofs) < len(facts.products):
        return unknown(
            asked.SLAS, "no month of every SLA could be reckoned yet", way_out="deliver, and wait for a month"
        )
    return answer(asked.SLAS, proofs, faults, way_out="declare what is missing, sla=Sla(published=…), and keep it")


def _telling_month(months: tuple[SlaMonth, ...]) -> SlaMonth | None:
    """The newest month that is over and of which something is known; else this one, as far as it is."""
    known = [month for month in months if month.kept is not None]
    over = [month for month in known if month.over]
    return (over or known)[-1] if known else None


def gates(facts: Gathered) -> Answer:
    """Whatever is published was judged by a gate with rules, and so was all that it is computed from."""
    faults: list[Proof] = []
    rules = judged = 0
    for table in facts.tables:
        gate = facts.gates[table.id]
        rules += gate.rules
        if gate.problem:
            faults.append(against(f"{table.id} has no gate: {gate.problem}", table=table.id, command="readiness check"))
            continue
        tally = facts.tallies.get(table.id)
        if tally is None:
            faults.append(against(f"{table.id} has judged no batch", table=table.id))
            continue
        judged += sum(tally.batches.values())
        if ungated := tally.gated.get("", 0):
            faults.append(against(f"{ungated:,} batches of {table.id} are published without a verdict", table=table.id))
    proofs = [
        for_it(f"{judged:,} batches of {len(facts.tables):,} tables and products were judged, by {rules:,} rules")
    ]
    return answer(
        asked.GATES, proofs, faults, way_out="deliver what was never judged, and repair what readiness check names"
    )


def drift(facts: Gathered) -> Answer:
    """Batches are profiled, somebody looks every day, and an incident reached somebody: also the newest."""
    faults = [
        against(f"no batch of {table.id} is profiled", table=table.id)
        for table in facts.tables
        if not isinstance(table, Kpi)  # of a few numbers there is nothing to profile
        and (tally := facts.tallies.get(table.id)) is not None
        and any(state.visible for state in tally.batches)
        and not _profiled(table, facts)
    ]
    way_out = "run readiness watch every few minutes, and name a channel for the alerts: docs/alerts.md"
    if facts.last_look is None:
        why = "nobody has looked: neither readiness watch nor Dagster's sensor readiness_watch has run"
        return (
            answer(asked.DRIFT, [], faults, way_out=way_out) if faults else unknown(asked.DRIFT, why, way_out=way_out)
        )
    if (silent := facts.now - facts.last_look).total_seconds() > LOOKS_WITHIN_HOURS * 3_600:
        said = f"nobody has looked for {format_duration(silent)}"
        faults.append(against(said, command="readiness watch"))
    faults += [
        _of_incident(one, "nobody was notified")
        for one in facts.incidents
        if one.notified_at is None and _hours(one, facts) > NOTIFIED_WITHIN_HOURS
    ]
    notified = [one for one in facts.incidents if one.notified_at is not None]
    if not notified and not faults:
        return unknown(asked.DRIFT, "it is watched, and no alert has reached anybody yet", way_out=way_out)
    looked = for_it(f"last look {facts.last_look:%Y-%m-%d %H:%M} UTC", command="readiness watch")
    proofs = [
        looked,
        for_it(f"incidents that reached somebody: {len(notified):,}", command="readiness incidents list --all"),
    ]
    return answer(asked.DRIFT, proofs, faults, way_out=way_out)


def _profiled(table: Table, facts: Gathered) -> bool:
    return table.id in facts.kept and facts.kept[table.id].profiles > 0


def _hours(incident: Incident, facts: Gathered) -> float:
    return ((incident.resolved_at or facts.now) - incident.opened_at).total_seconds() / 3_600


def _of_incident(incident: Incident, said: str) -> Proof:
    finding = incident.finding
    where = f"{finding.table}[{finding.batch}]" if finding.batch else str(finding.table)
    return against(
        f"incident {incident.id}, {finding.kind} of {where}: {said}",
        table=finding.table,
        incident=incident.id,
        command=f"readiness incidents show {incident.id}",
    )


def reviews(facts: Gathered) -> Answer:
    """What a second person has to look at was looked at, and a source's changed columns were accepted by somebody."""
    faults = [
        against(f"{one.what} waits for a second person", table=one.table, command=one.command)
        for one in facts.reviews
        if not one.who
    ]
    faults += [
        _of_incident(one, "the source's columns changed, and nobody accepted them")
        for one in facts.incidents
        if one.finding.kind is FindingKind.SCHEMA and one.state is not IncidentState.RESOLVED
    ]
    proofs = [for_it(f"{one.what} was looked at: {one.who}", table=one.table) for one in facts.reviews if one.who]
    if not proofs and not faults:
        return unknown(
            asked.REVIEWS,
            "nothing had to be looked at by a second person so far",
            way_out="say from how many rows on a second person has to agree: Domain(…, second_person_over=100)",
        )
    return answer(asked.REVIEWS, proofs, faults, way_out="look at what waits: approve it, or undo it")


def access(facts: Gathered) -> Answer:
    """Who decides is proved; what names a person is protected; the trail is as written; who is to be forgotten is."""
    faults = [against(problem, command="readiness audit verify") for problem in facts.chain]
    if not facts.identity:
        said = "anybody can decide under any name: nobody has to prove who they are"
        faults.append(against(said, command="readiness doctor"))
    if facts.unproved:
        faults.append(against(f"decisions of late by somebody who proved nothing: {len(facts.unproved):,}"))
    faults += [
        against(f"{one.table}: {one.seen}", table=one.table, command=scan_command(one.table))
        for one in facts.unclassified
    ]
    gates = {table.id: facts.gates[table.id] for table in facts.tables}
    faults += [
        against(f"{table}.{said} and published as it is", table=table, command=catalog_command(table))
        for table, gate in gates.items()
        for said in gate.bare
    ]
    personal = sum(gate.protected for gate in gates.values())
    if facts.erasures:
        said = f"requests to be forgotten that are not done: {len(facts.erasures):,}"
        faults.append(against(said, command="readiness erase --resume"))
    proofs = [
        for_it(f"{facts.linked:,} linked rows of the ledger are as they were written", command="readiness audit verify")
    ]
    if personal:
        proofs.append(for_it(f"columns that name persons and are protected before they are published: {personal:,}"))
    if facts.decided and not facts.unproved:
        proofs.append(for_it(f"decisions of late, each by somebody who proved who they are: {len(facts.decided):,}"))
    way_out = (
        "demand a proof of who decides: [settings.identity] required = true; classify and protect what names persons"
    )
    return answer(asked.ACCESS, proofs, faults, way_out=way_out)


def standards(facts: Gathered) -> Answer:
    """What is published is in Apache Iceberg, by snapshots that the ledger names."""
    published = kept = 0
    faults = []
    for table in facts.tables:
        tally = facts.tallies.get(table.id)
        if tally is None:
            continue
        visible = sum(count for state, count in tally.batches.items() if state.visible)
        published, kept = published + visible, kept + tally.snapshots
        if tally.snapshots < visible:
            said = f"{visible - tally.snapshots:,} published batches of {table.id} are in no snapshot"
            faults.append(against(said, table=table.id, command=f"readiness reconcile {table.domain.name}"))
    if not published:
        why = "nothing is published"
        return unknown(asked.STANDARDS, why, way_out=f"deliver something: {status_command(facts.domains[0].name)}")
    proofs = [
        for_it(f"published batches in snapshots of Apache Iceberg tables: {kept:,}"),
        for_it("the catalog is exported as DCAT-AP", command="readiness catalog export"),
    ]
    return answer(asked.STANDARDS, proofs, faults, way_out="readiness reconcile says what is missing, and repairs it")


def staffed(facts: Gathered) -> Answer:
    """Each domain promises how soon somebody answers, somebody is on call, and incidents were answered in time."""
    faults, proofs, measured = [], [], 0
    for domain in facts.domains:
        on_call = facts.on_call[domain.name]
        if on_call.problem:
            faults.append(against(f"{domain.name}: {on_call.problem}"))
        if domain.answer_within is None:
            faults.append(against(f"{domain.name} promises nothing about how soon somebody answers"))
            continue
        answered, slow = _answers(domain, facts)
        measured += answered
        faults += slow
        soon = format_duration(domain.answer_within)
        proofs.append(for_it(f"{domain.name}: incidents answered within {soon}: {answered:,}; on call: {on_call}"))
    if not faults and not measured:
        why = f"nobody has answered an incident in the last {LOOKED_BACK.days} days, and none is overdue"
        return unknown(asked.STAFFED, why, way_out="take incidents when they come: readiness incidents ack")
    way_out = (
        'promise it, Domain(…, answer_within="30m"), say who is on call, and take incidents: readiness incidents ack'
    )
    return answer(asked.STAFFED, proofs, faults, way_out=way_out)


def _answers(domain: Domain, facts: Gathered) -> tuple[int, list[Proof]]:
    """How many incidents of a domain somebody answered in time, and those that nobody did.

    One that was over in time by itself needed no answer, and proves nothing.
    """
    assert domain.answer_within is not None  # noqa: S101  # whoever calls has looked
    kept, slow = 0, []
    for one in facts.incidents:
        if one.finding.table.domain != domain.name:
            continue
        by_hand = one.resolved_by not in (None, WATCHER)
        answered_at = one.acknowledged_at or (one.resolved_at if by_hand else None)
        took = (answered_at or one.resolved_at or facts.now) - one.opened_at
        if took > domain.answer_within:
            said = f"answered after {_rounded(took)}" if answered_at else f"nobody answered for {_rounded(took)}"
            slow.append(_of_incident(one, said))
        elif answered_at is not None:
            kept += 1
    return kept, slow


def _rounded(took: timedelta) -> str:
    return format_duration(timedelta(seconds=round(took.total_seconds())))


def features(facts: Gathered) -> Answer:
    """Models score rows by the views that they learned from, and latest values are what is published."""
    return learned.features(facts.tables, facts.models, facts.incidents)


def models(facts: Gathered) -> Answer:
    """Whatever serves is a version whose artefact and training data are known, and are what they were."""
    return learned.models(facts.models)
