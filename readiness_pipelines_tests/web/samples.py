"""A shop whose files hold what would run in a careless page, with a column about persons, and a site over it."""

from pathlib import Path

import pandera.pyarrow as pa
import pyarrow as arrow
from duckdb import DuckDBPyRelation as Relation

from readiness_pipelines import Domain, FileDrop, Ratio, Source, StaticBatches, Steward, Tolerance
from readiness_pipelines.delivery import replay_batch
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.ledger import RequestState
from readiness_pipelines.settings import Settings
from readiness_pipelines.testing import run_domains
from readiness_pipelines.web.site import Site

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(2)>'
SECRET = "carla.secret@example.org"  # noqa: S105  # a value of a person
HEADER = "order_id,amount,status,country,email"
GOOD = ("1,10.5,paid,DE,a@example.org", "2,20,refunded,DE,b@example.org", "3,30,paid,FR,c@example.org")
PART = ("1,10.5,paid,DE,a@example.org", f"2,-20,paid,FR,{SECRET}", "3,30,paid,FR,c@example.org", "4,4,paid,FR,d@e.org")
HELD = (
    f'1,-7,"{SCRIPT}",DE,{SECRET}',
    f"2,-20,paid,FR,{SECRET}",
    "3,-3,paid,FR,c@example.org",
    f'4,40,paid,"{IMAGE.replace(chr(34), chr(34) * 2)}",d@example.org',
)


class Order(pa.DataFrameModel):
    """One order of the shop."""

    order_id: arrow.int64() = pa.Field(unique=True)
    amount: arrow.float64() = pa.Field(ge=0)
    status: arrow.string() = pa.Field(isin=["paid", "refunded"])
    country: arrow.string()
    email: arrow.string()


def shop_domain(*, second_person_over: int | None = None) -> Domain:
    """Orders and the share of them that was refunded, by country."""
    shop = Domain(
        "shop",
        owner="shop@shop.example",
        on_call="oncall@shop.example",
        second_person_over=second_person_over,
        description=f"A shop {SCRIPT}",
    )
    orders = shop.gated(
        "orders",
        schema=Order,
        source=Source(
            origin=f"Shop export {IMAGE}",
            steward=Steward("Shop team", "shop@shop.example"),
            reader=FileDrop("orders/{batch}/*.csv", missing="?"),
        ),
        batches=StaticBatches(keys=("day+1", "day_2", "day_3")),
        tolerance=Tolerance(quarantined_ratio=0.5),
        classified={"email": "pii.direct"},
    )

    @shop.kpi(question="How many orders are refunded?", unit="ratio", target="<= 0.25", by=["country"])
    def refund_rate(orders: Relation) -> Ratio:
        """Share of the orders that were refunded."""
        return Ratio("count(*) FILTER (status = 'refunded')", "count(*)")

    assert orders.name == "orders"
    return shop


shop = shop_domain()
"""The shop, as settings name it."""


def shop_site(folder: Path, domain: Domain = shop) -> Site:
    """A site over a shop of which day+1 is published in part, day_2 whole, and day_3 held."""
    landing = folder / "landing" / "orders"
    for batch, name, rows in (
        ("day+1", "orders.csv", PART),
        ("day_2", "orders.csv", GOOD),
        ("day_3", f"{IMAGE.replace('/', '')}.csv", HELD),
    ):
        file = landing / batch / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join([HEADER, *rows]) + "\n")
    made = Settings(landing=str(folder / "landing"), warehouse=str(folder / "warehouse"), settles="0s")
    installation = Installation.open(made)
    run_domains(domain, installation=installation)
    return Site(
        settings=made,
        domains=(domain,),
        installation=installation,
        start_replay=lambda number: carry_out(number, domain, installation),
        hosts=frozenset({"testserver"}),
        patience=20,
    )


def carry_out(number: int, domain: Domain, installation: Installation) -> None:
    """Carry out a replay request here and now, as a process of its own would."""
    assert installation.ledger.claim_request(number)
    wanted = installation.ledger.replay_request(number)
    assert wanted is not None
    table, run = domain.table(wanted.ref.table.name), Run(who=wanted.who)
    replay_batch(table, batch=wanted.ref.batch, installation=installation, run=run)
    installation.ledger.move_request(number, state=RequestState.DONE, run_id=run.run_id)
