"""Links: within the landing folder they are files like others; one that leads out is refused, and its batch alone."""

from pathlib import Path

import pytest

from readiness_pipelines.batches import Versions
from readiness_pipelines.contracts.readers import Places
from readiness_pipelines.errors import LandingError
from readiness_pipelines.sources import FileDrop
from readiness_pipelines.storage import Place

DROP = FileDrop("orders/{batch}/*.csv")
CONTENT = b"a,b\n1,2\n"


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """A landing folder with one good batch, beside a folder that no sender may reach."""
    landing = tmp_path / "landing"
    for folder in (landing / "orders" / "good", tmp_path / "secret"):
        folder.mkdir(parents=True)
        (folder / "x.csv").write_bytes(CONTENT)
    return landing


def rows(landing: Path, batch: str) -> int:
    places = Places(landing=Place.of(landing), connection=str, batches=Versions())
    return int(DROP.open(batch, places).rows.read_all().num_rows)


def keys(landing: Path) -> list[str]:
    places = Places(landing=Place.of(landing), connection=str, batches=Versions())
    return [arrival.batch for arrival in DROP.arrivals(places)]


@pytest.mark.parametrize("whole_folder", [True, False], ids=["a folder", "a file"])
def test_a_link_that_leads_out_is_refused_by_name_and_other_batches_go_on(landing: Path, whole_folder: bool) -> None:
    link = landing / "orders" / "bad"
    if whole_folder:
        link.symlink_to(landing.parent / "secret")
    else:
        link.mkdir()
        (link / "x.csv").symlink_to(landing.parent / "secret" / "x.csv")
    assert keys(landing) == ["bad", "good"]
    name = "orders/bad" if whole_folder else "orders/bad/x.csv"
    with pytest.raises(LandingError, match=f"batch 'bad': {name} is a link that leads out") as caught:
        rows(landing, "bad")
    assert caught.value.way_out
    assert rows(landing, "good") == 1


def test_a_link_to_the_whole_of_the_source_is_refused(landing: Path) -> None:
    (landing / "orders").rename(landing.parent / "moved")
    (landing / "orders").symlink_to(landing.parent / "moved")
    with pytest.raises(LandingError, match="batch 'good': orders is a link that leads out"):
        rows(landing, "good")


def test_a_link_into_a_folder_whose_name_begins_alike_leads_out(landing: Path) -> None:
    beside = landing.parent / "landing_old"
    beside.mkdir()
    (beside / "x.csv").write_bytes(CONTENT)
    (landing / "orders" / "bad").symlink_to(beside)
    with pytest.raises(LandingError, match="leads out"):
        rows(landing, "bad")


def test_a_link_within_the_landing_folder_is_read(landing: Path) -> None:
    (landing / "orders" / "again").symlink_to(landing / "orders" / "good")
    (landing / "orders" / "third").mkdir()
    (landing / "orders" / "third" / "y.csv").symlink_to("../good/x.csv")
    assert {batch: rows(landing, batch) for batch in keys(landing)} == {"again": 1, "good": 1, "third": 1}


def test_a_landing_folder_that_is_a_link_itself_is_read(landing: Path) -> None:
    (landing.parent / "link").symlink_to(landing)
    assert rows(landing.parent / "link", "good") == 1


def test_links_that_never_end_or_lead_nowhere_stop_nobody(landing: Path) -> None:
    (landing / "orders" / "good" / "up").symlink_to("..")
    (landing / "orders" / "good" / "self.csv").symlink_to("self.csv")
    (landing / "orders" / "good" / "gone.csv").symlink_to("nowhere.csv")
    assert keys(landing) == ["good"]
    assert rows(landing, "good") == 1


def test_a_name_that_is_not_utf8_is_refused_and_other_batches_go_on(landing: Path) -> None:
    (landing / "orders" / "bad").mkdir()
    bad = bytes(landing / "orders" / "bad") + b"/caf\xe9.csv"
    Path(bad.decode("utf-8", "surrogateescape")).write_bytes(CONTENT)
    key = bytes(landing / "orders") + b"/t\xe9"
    Path(key.decode("utf-8", "surrogateescape")).mkdir()
    Path((key + b"/x.csv").decode("utf-8", "surrogateescape")).write_bytes(CONTENT)
    assert keys(landing) == ["bad", "good", "t\\xe9"]
    with pytest.raises(LandingError, match=r"batch 'bad': the name of the file orders/bad/caf\\xe9.csv is not UTF-8"):
        rows(landing, "bad")
    with pytest.raises(LandingError, match="not a batch key"):
        rows(landing, "t\\xe9")
    assert rows(landing, "good") == 1
