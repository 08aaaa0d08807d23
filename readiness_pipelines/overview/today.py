"""How each product stands now, the worst first, in one sentence each; and what is wrong beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness_pipelines.contracts import Domain, Kpi
from readiness_pipelines.domains import tables_of
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import Attempt, Finding, Incident, Severity
from readiness_pipelines.names import TableId
from readiness_pipelines.overview.latency import Publications
from readiness_pipelines.overview.observing import observe
from readiness_pipelines.overview.standings import ORDER, Standing, findings_said, sentence_of, standing_of
from readiness_pipelines.overview.today_models import ModelToday, models_today
from readiness_pipelines.products import KpiValue, format_value


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductToday:
    """How a product stands.

    Attributes:
        product: The product.
        standing: The worst of what there is to say.
        sentence: All of it in one sentence.
        batch: Its newest published batch; ``None`` where nothing is published.
        values: Its totals of the newest batches, from old to new, as far as they were read.
        read: Whether they were.
        findings: What is not as promised of it and of all that it is made of, the worst first.
    """

    product: Kpi
    standing: Standing
    sentence: str
    batch: str | None
    values: tuple[KpiValue, ...]
    read: bool
    findings: tuple[Finding, ...]

    @property
    def value(self) -> KpiValue | None:
        """The newest total; ``None`` where there is none, or it was not read."""
        return self.values[-1] if self.values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """How everything stands.

    Attributes:
        at: When that was looked at, in UTC.
        products: The products, the worst first.
        models: The models, the worst first.
        others: What is not as promised of tables that feed no product, the worst first.
        findings: All that is not as promised.
        incidents: What is open or acknowledged.
        held: How many batches are held.
        waiting: How many batches have rows that wait, the held ones among them.
        rows: How many rows wait.
        running: Deliveries under way.
    """

    at: datetime
    products: tuple[ProductToday, ...]
    models: tuple[ModelToday, ...]
    others: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    incidents: tuple[Incident, ...]
    held: int
    waiting: int
    rows: int
    running: tuple[Attempt, ...]

    def count(self, standing: Standing) -> int:
        """How many products stand so."""
        return sum(one.standing is standing for one in self.products)


def today(
    domains: Sequence[Domain],
    *,
    installation: Installation,
    now: datetime,
    publications: Publications,
    values: Mapping[TableId, Sequence[KpiValue]],
) -> Today:
    """How everything in some domains stands. Nothing is written, and no table of the lakehouse is read.

    Args:
        domains: The domains.
        installation: Where the ledger is.
        now: The time.
        publications: What consumers see.
        values: Totals of products, from old to new, as far as they were read.

    Raises:
        LedgerError: The ledger cannot be reached.
    """
    tables, ledger = tables_of(domains), installation.ledger
    observed = observe(tables.values(), installation=installation, now=now, publications=publications)
    findings = sorted(observed.findings, key=_worst)
    waiting = [one for one in ledger.glances(waiting=True) if one.ref.table in tables]
    at_risk: dict[str, list[Finding]] = {}
    for finding in findings:
        for product in dict.fromkeys((*finding.at_risk, str(finding.table))):
            at_risk.setdefault(product, []).append(finding)
    products = [
        _product(kpi, at_risk.get(str(kpi.id), ()), publications, values) for domain in domains for kpi in domain.kpis
    ]
    fed = {str(one.product.id) for one in products}
    return Today(
        at=now,
        products=tuple(sorted(products, key=_worst_product)),
        models=models_today(domains, findings, installation=installation, publications=publications),
        others=tuple(one for one in findings if not one.at_risk and str(one.table) not in fed),
        findings=tuple(findings),
        incidents=tuple(one for one in ledger.incidents.incidents(active=True) if one.finding.table in tables),
        held=sum(one.state == "held" for one in waiting),
        waiting=len(waiting),
        rows=sum(one.counts.quarantined for one in waiting),
        running=tuple(one for one in ledger.open_attempts() if one.ref.table in tables),
    )


def _worst(finding: Finding) -> tuple[int, bool, datetime, str]:
    return ORDER[standing_of(finding)], finding.severity is not Severity.ERROR, finding.since, str(finding.table)


def _worst_product(one: ProductToday) -> tuple[int, int, str]:
    return ORDER[one.standing], -len(one.findings), str(one.product.id)


def _product(
    kpi: Kpi,
    findings: Sequence[Finding],
    publications: Publications,
    values: Mapping[TableId, Sequence[KpiValue]],
) -> ProductToday:
    published = publications.get(kpi.id, ())
    newest = max((one.batch for one in published), key=kpi.batches.order, default=None)
    known = tuple(values.get(kpi.id, ()))
    value = known[-1] if known else None
    found = {standing_of(one) for one in findings}
    if value is not None and value.met is False:
        found.add(Standing.MISSED)
    if newest is None:
        found.add(Standing.NOTHING)
    standing = min(found, key=ORDER.__getitem__, default=Standing.FINE)
    return ProductToday(
        product=kpi,
        standing=standing,
        sentence=_sentence(kpi, findings, value, newest),
        batch=newest,
        values=known,
        read=kpi.id in values or newest is None,
        findings=tuple(findings),
    )


def _sentence(kpi: Kpi, findings: Sequence[Finding], value: KpiValue | None, newest: str | None) -> str:
    """What there is to say, the worst first."""
    parts = findings_said(findings)
    if value is not None and value.met is False and value.target is not None:
        of, bound = format_value(value.value, kpi.unit), format_value(value.target.bound, kpi.unit)
        sign = _SIGNS.get(value.target.comparison, value.target.comparison)
        parts.append((ORDER[Standing.MISSED], f"{of} misses {sign} {bound}"))
    if parts:
        return sentence_of(parts)
    if newest is None:
        return "Nothing is published yet."
    if value is not None and value.met:
        return "Meets its target; nothing waits, nothing is late."
    return "Nothing waits, nothing is late."


_SIGNS = {"<=": "≤", ">=": "≥"}
