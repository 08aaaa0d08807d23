"""Offline is online: sampled keys, held against what is published of them; per record, against what batches made."""

import secrets
from dataclasses import dataclass

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import FeatureView
from readiness_pipelines.delivery.online.computing import PerRecord, compare_per_record
from readiness_pipelines.delivery.online.encoding import hash_of
from readiness_pipelines.delivery.online.keeping import TURN, Keeper, is_overtaken, stale_batches_of
from readiness_pipelines.delivery.online.looking_up import kept_state
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import ALL_BATCHES, BatchFinding, FindingKind, OnlineRow
from readiness_pipelines.names import TableId

SAMPLED = 1_000
"""Keys that are compared, where nobody says how many: half of what is published, half of what is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineCheck:
    """What a comparison of latest values with what is published found.

    Attributes:
        view: The view.
        keys: The keys that were compared.
        missing: Those of which a row is published and none is kept.
        extra: Those of which a row is kept and none is published.
        different: Those of which another row, or other values, are kept.
        stale: The batches that are not kept as they are published; only what is not of these is compared.
        under_way: Whether a delivery is under way, or was cut off: nothing is compared then.
        per_record: What a comparison of values per record found; ``None`` where the view does not promise them.
    """

    view: TableId
    keys: int
    missing: int
    extra: int
    different: int
    stale: int
    under_way: bool
    per_record: PerRecord | None

    @property
    def equal(self) -> bool:
        """Whether all that was compared is as it should be."""
        return not (self.wrong or self.stale or (self.per_record is not None and self.per_record.different))

    @property
    def wrong(self) -> int:
        """How many keys have not what is published."""
        return self.missing + self.extra + self.different


def check_online(
    view: FeatureView, *, installation: Installation, run: Run, sampled: int = SAMPLED, keep: bool = True
) -> OnlineCheck:
    """Hold sampled keys against what is published of them. What differs is kept as a finding, by counts, until healed.

    Args:
        view: The view.
        installation: Where the tables and the ledger are.
        run: Who, and when.
        sampled: How many keys: half of them drawn from what is published, half from what is kept.
        keep: Whether what is found becomes a finding, which is an incident once the domain is watched.

    Raises:
        DeclarationError: The view keeps no values.
        UpstreamNotPublishedError: None are kept yet.
        LakehouseError: The history cannot be read.
        LedgerError: The ledger cannot be reached.
    """
    online, now = installation.ledger.online_values, run.clock()
    with installation.lakehouse.turn(str(view.id), TURN, run_id=run.run_id):
        state = kept_state(installation, view)
        stale = stale_batches_of(view, installation)
        under_way = bool(installation.ledger.open_attempts(tables=[view.id]))
        wanted: dict[str, OnlineRow] = {}
        kept: dict[str, OnlineRow] = {}
        hashes: set[str] = set()
        if not under_way and not is_overtaken(state, now):
            keeper = Keeper(view, installation, run)
            with installation.engine(f"a sample of {view.id}") as engine:
                drawn = keeper.sample_keys(engine, max(sampled // 2, 1))
                drawn += [row.key for row in online.first_from(view.id, secrets.token_hex(16), sampled // 2).values()]
                wanted = keeper.published(engine, list(dict.fromkeys(drawn)))
            hashes = {hash_of(key) for key in drawn}
            kept = dict(online.get(view.id, sorted(hashes)))
    moved = {
        one for one in hashes for row in (wanted.get(one), kept.get(one)) if row is not None and row.batch in stale
    }
    hashes -= moved
    found = OnlineCheck(
        view=view.id,
        keys=len(hashes),
        missing=sum(one in wanted and one not in kept for one in hashes),
        extra=sum(one in kept and one not in wanted for one in hashes),
        different=sum(one in kept and one in wanted and kept[one] != wanted[one] for one in hashes),
        stale=len(stale) + is_overtaken(state, now),
        under_way=under_way,
        per_record=compare_per_record(view, installation=installation) if view.per_record else None,
    )
    if keep and not under_way:
        _keep(found, installation=installation, run=run)
    return found


def _keep(found: OnlineCheck, *, installation: Installation, run: Run) -> None:
    refresh = f"readiness features refresh {found.view}"
    findings = []
    if found.wrong or found.stale:
        findings.append(
            BatchFinding(
                kind=FindingKind.ONLINE,
                measured="values",
                column=None,
                promised="the latest values are those that are published",
                seen=f"{found.wrong:,} of {found.keys:,} sampled keys differ ({found.missing:,} missing, "
                f"{found.extra:,} too many, {found.different:,} with other values), {found.stale:,} batches are stale",
                details={"way_out": refresh},
            )
        )
    if found.per_record is not None and found.per_record.different:
        findings.append(
            BatchFinding(
                kind=FindingKind.ONLINE,
                measured="per record",
                column=None,
                promised="per record the features are those of the batch",
                seen=f"{found.per_record.different:,} of {found.per_record.entities:,} sampled entities differ",
                details={"way_out": f"drop per_record=True from {found.view}, or compute by entity alone"},
            )
        )
    ref = BatchRef(found.view, ALL_BATCHES)
    installation.ledger.findings.replace(ref, {FindingKind.ONLINE: findings}, at=run.clock())
