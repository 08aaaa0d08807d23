"""What people said in Label Studio comes as rows, with who said it; a batch on which they disagree is held."""

import json
from pathlib import Path
from typing import Any

import pandera.pyarrow as pa
import pyarrow as arrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness_pipelines import Domain, LabelStudio, Route, Source, StaticBatches, Steward
from readiness_pipelines.batches import BatchRef, BatchState
from readiness_pipelines.contracts.readers import Places, Reader
from readiness_pipelines.errors import (
    DeclarationError,
    FileUnreadableError,
    UnknownNameError,
    UpstreamNotPublishedError,
)
from readiness_pipelines.installation import Installation
from readiness_pipelines.models import label_tasks
from readiness_pipelines.sources.agreement import alpha_of
from readiness_pipelines.storage import Place
from readiness_pipelines.testing import run_domains
from readiness_pipelines_tests.models.clinic import clinic, land

READER = LabelStudio("labels/{batch}/*.json", control="reason", key=("of_batch", "of_row"))


def annotation(who: Any, label: str | None, *, control: str = "reason") -> dict[str, Any]:
    result = {"from_name": control, "type": "choices", "value": {"choices": [label]}}
    return {
        "completed_by": who,
        "created_at": "2026-11-01T10:00:00Z",
        "result": [result],
        "was_cancelled": label is None,
    }


def export(folder: Path, batch: str, labels: list[list[str | None]], *, name: str = "a") -> None:
    """Tasks of two annotators and more, each labelled by as many as there are labels."""
    tasks = [
        {
            "id": number + 1,
            "data": {"of_batch": "b1", "of_row": number, "note": "…"},
            "annotations": [annotation({"id": who, "email": f"p{who}@x.example"}, one) for who, one in enumerate(some)],
        }
        for number, some in enumerate(labels)
    ]
    (folder / "labels" / batch).mkdir(parents=True, exist_ok=True)
    (folder / "labels" / batch / f"{name}.json").write_text(json.dumps(tasks))


def read(folder: Path, batch: str = "b1") -> list[dict[str, Any]]:
    places = Places(landing=Place.of(str(folder)), connection=str, batches=StaticBatches(keys=("b1", "b2")))
    return READER.open(batch, places).rows.read_all().to_pylist()  # type: ignore[no-any-return]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), max_size=12))
def test_agreement_is_one_where_all_agree_and_is_the_same_for_any_order(tasks: list[list[str]]) -> None:
    alpha = alpha_of(tasks)
    assert (alpha is None) == all(len(labels) < 2 for labels in tasks)
    assert alpha_of([labels[::-1] for labels in reversed(tasks)]) == pytest.approx(alpha)
    if alpha is not None:
        assert alpha <= 1
        assert (alpha == 1) == all(len(set(labels)) == 1 for labels in tasks if len(labels) > 1)


def test_agreement_is_what_krippendorff_reckons() -> None:
    """His example of two observers and ten units: six ones and fourteen noughts, four mismatches: alpha 0.095."""
    one, two = "0100000000", "1110010010"
    assert alpha_of([list(pair) for pair in zip(one, two, strict=True)]) == pytest.approx(0.095, abs=5e-4)


def test_an_annotation_is_a_row_with_who_and_how_far_they_agree_over_all_files(tmp_path: Path) -> None:
    assert isinstance(READER, Reader)
    export(tmp_path, "b1", [["yes", "yes"], ["no", "yes"], []])
    export(tmp_path, "b1", [["no", None]], name="b")
    rows = read(tmp_path)
    assert [(row["of_row"], row["annotator"], row["label"], row["task_agreement"]) for row in rows[:4]] == [
        ("0", "p0@x.example", "yes", 1 / 3),
        ("0", "p1@x.example", "yes", 1 / 3),
        ("1", "p0@x.example", "no", 0.0),
        ("1", "p1@x.example", "yes", 0.0),
    ]
    assert [row["label"] for row in rows[4:]] == ["no", None]
    assert [row["_row"] for row in rows] == list(range(6))
    assert {row["_file"] for row in rows} == {"labels/b1/a.json", "labels/b1/b.json"}
    assert len({row["agreement"] for row in rows}) == 1


@pytest.mark.parametrize(
    ("results", "label"),
    [
        ([("labels", {"start": 3, "end": 9, "text": "Ann", "labels": ["PER"]})], "PER"),
        ([("rectanglelabels", {"x": 1.5, "rectanglelabels": [name]}) for name in ("car", "bus", "car")], "bus|car|car"),
        ([("videorectangle", {"framesCount": 9, "sequence": [], "labels": ["car"]})], "car"),
        ([("textarea", {"start": 1, "end": 2, "text": ["a name"]})], "a name"),
        ([("pairwise", {"selected": "left"})], "left"),
        ([("rating", {"rating": 4})], "4"),
        ([("labels", {"start": 3, "end": 9, "text": "Ann"})], None),
    ],
)
def test_a_label_is_what_was_chosen_and_not_where(
    tmp_path: Path, results: list[tuple[str, dict[str, Any]]], label: str | None
) -> None:
    said = [{"from_name": "reason", "type": kind, "value": value} for kind, value in results]
    export(tmp_path, "b1", [["yes"]])
    file = tmp_path / "labels" / "b1" / "a.json"
    (task,) = json.loads(file.read_text())
    file.write_text(json.dumps([{**task, "annotations": [{**task["annotations"][0], "result": said}]}]))
    assert [row["label"] for row in read(tmp_path)] == [label]


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"id": 1}]', "[", '[{"annotations": []}'])
def test_a_file_that_is_no_export_is_refused_by_name(tmp_path: Path, text: str) -> None:
    export(tmp_path, "b1", [["yes"]])
    (tmp_path / "labels" / "b1" / "a.json").write_text(text)
    with pytest.raises(FileUnreadableError, match=r"labels/b1/a\.json"):
        read(tmp_path)


class Annotation(pa.DataFrameModel):
    """What somebody said about a row."""

    of_batch: str
    of_row: arrow.int64()
    annotator: str
    label: str = pa.Field(isin=["yes", "no"])
    agreement: float = pa.Field(ge=0.67)


def test_a_batch_on_which_they_disagree_is_held_and_tasks_show_no_classified_column(
    installation: Installation,
) -> None:
    folder = Path(str(installation.landing.path))
    domain = clinic(classified={"age": "pii.quasi"})
    labels = Domain("labels", owner="a@b.example")
    reasons = labels.gated(
        "reasons",
        schema=Annotation,
        source=Source(origin="Label Studio", steward=Steward("Desk", "d@b.example"), reader=READER),
        batches=StaticBatches(keys=("b1", "b2")),
        routes={"agreement_greater_than_or_equal_to": Route.HOLD},
    )
    stays = domain.table("stays")
    with pytest.raises(UpstreamNotPublishedError):
        label_tasks(stays, "b1", show=["ward"], installation=installation)
    land(folder, "b1", rows=20)
    run_domains(domain, installation=installation)
    tasks = label_tasks(stays, "b1", show=["ward", "visits"], most=12, installation=installation)
    assert len(tasks) == 12
    assert tasks == label_tasks(stays, "b1", show=["ward", "visits"], most=12, installation=installation)
    assert set(tasks[0]["data"]) == {"of_table", "of_batch", "of_row", "ward", "visits"}
    with pytest.raises(DeclarationError, match="not shown outside"):
        label_tasks(stays, "b1", show=["age"], installation=installation)
    with pytest.raises(UnknownNameError, match="did you mean 'ward'"):
        label_tasks(stays, "b1", show=["wards"], installation=installation)

    export(folder, "b1", [["yes", "yes"], ["no", "no"], ["no", "no"], ["yes", "yes"]])
    export(folder, "b2", [["yes", "no"], ["no", "yes"], ["no", "no"], ["yes", "yes"]])
    run_domains(labels, installation=installation)
    states = {batch: installation.ledger.get(BatchRef(reasons.id, batch)) for batch in ("b1", "b2")}
    assert {batch: record.state for batch, record in states.items() if record} == {
        "b1": BatchState.PUBLISHED,
        "b2": BatchState.HELD,
    }
