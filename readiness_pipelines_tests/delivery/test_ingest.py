"""What a source gives is kept whole, or not at all; its errors stay its own."""

from pathlib import Path

import pandera.pyarrow as pandera
import pyarrow as pa
import pytest

from readiness_pipelines import Domain, FileDrop, Function, Source, StaticBatches, Steward
from readiness_pipelines.batches import BatchRef
from readiness_pipelines.contracts import Places, RawBatch
from readiness_pipelines.delivery import ingest
from readiness_pipelines.errors import FileUnreadableError
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines_tests.samples import GOOD, Order, gated, land


class GrowingFile(FileDrop):
    """Files to which their sender adds a line between the look at them and the reading."""

    def open(self, batch: str, places: Places) -> RawBatch:
        """Open them, and let them grow."""
        found = super().open(batch, places)
        for origin in found.origins:
            with Path(places.landing.path, origin.name).open("ab") as more:
                more.write(b"9,1,paid,late\n")
        return found


def test_a_file_that_grows_while_it_is_read_is_not_ingested_and_the_error_is_the_sources(
    installation: Installation,
) -> None:
    shop = Domain("shop", owner="shop@shop.example")
    source = Source(
        origin="Export", steward=Steward("S", "s@s.example"), reader=GrowingFile(pattern="orders/{batch}.csv")
    )
    shop.gated("orders", source=source, schema=Order, batches=StaticBatches(keys=("day_1",)))
    land(installation.landing.path, "day_1", *GOOD)
    orders = gated(shop)
    with pytest.raises(FileUnreadableError) as error:
        ingest(orders, batch="day_1", installation=installation, run=Run())
    assert error.value.what == "orders/day_1.csv changed while it was read"
    assert error.value.way_out.startswith("write it under another name and rename it")
    assert installation.ledger.get(BatchRef(orders.id.raw, "day_1")) is None


class Price(pandera.DataFrameModel):
    """What a thing costs, and until when."""

    id: pa.string()
    until: pa.date32()


def test_a_row_of_a_function_with_a_year_of_five_digits_waits_and_the_others_do_not(installation: Installation) -> None:
    until = pa.array([19_000, 6_674_000], pa.int32()).cast(pa.date32())
    reader = Function(lambda: pa.table({"id": ["1", "2"], "until": until}))
    shop = Domain("shop", owner="shop@shop.example")
    source = Source(origin="Prices", steward=Steward("S", "s@s.example"), reader=reader)
    prices = shop.gated("prices", source=source, schema=Price, batches=StaticBatches(keys=("day_1",)))
    found = ingest(prices, batch="day_1", installation=installation, run=Run())
    assert (found.rows, found.unreadable_rows) == (2, 1)


@pytest.mark.parametrize(
    ("content", "path", "says"),
    [
        ('[{"note": {"ann@x.example": 1, "ann@x.example": 2}}]', None, "key «…» is there"),
        ('{"ann@x.example": [1], "status": []}', "ann@x", "'ann@x' is missing"),
        ('{"ann@x.example": [{"note": "x"}]}', None, "at its top it has no array of records"),
    ],
)
def test_keys_of_a_document_which_may_be_values_are_in_no_error_of_a_classified_table(
    installation: Installation, content: str, path: str | None, says: str
) -> None:
    shop = Domain("shop", owner="shop@shop.example")
    reader = FileDrop("{batch}.json", record_path=path)
    orders = shop.gated(
        "orders",
        source=Source(origin="Export", steward=Steward("S", "s@s.example"), reader=reader),
        schema=Order,
        batches=StaticBatches(keys=("day_1",)),
        classified={"note": "pii.direct"},
    )
    Path(installation.landing.path, "day_1.json").write_text(content)
    with pytest.raises(FileUnreadableError) as error:
        ingest(orders, batch="day_1", installation=installation, run=Run())
    assert says in str(error.value)
    assert not any("ann@x.example" in text for *_, text in installation.ledger.erasures.texts())
