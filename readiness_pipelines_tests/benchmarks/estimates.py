"""`make bench-estimates`: quality estimated without labels, beside what it was when the labels came.

On the labelled sets in NannyML's wheel (Apache-2.0): predictions of their models for a reference time, which
calibrates, and for later rows, in batches in their order. Prints the mean error of the estimate beside that of saying
that nothing changed, and writes both to docs/benchmarks/estimates.json.
"""

import argparse
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv
from rich.console import Console
from rich.table import Table

from readiness_pipelines.models.calibrating import calibrated
from readiness_pipelines.models.metrics import measure
from readiness_pipelines.models.quality import estimated_quality

RESULT = Path("docs/benchmarks/estimates.json")
FOLDER = "nannyml/datasets/data"
SETS = {
    "US census, employment in MA": ("employment_MA", "pq", "_target", "employed", "predicted_probability", 5_000),
    "car loans (made up)": ("synthetic_car_loan", "csv", "_target", "repaid", "y_pred_proba", 5_000),
    "California housing": ("california_housing", "csv", "_gt", "clf_target", "y_pred_proba", 800),
}
METRICS = ("auc", "accuracy", "log_loss", "brier")
FULL = 0.5
"""A last batch with less than so much of the rows is left out."""


def rows_of(wheel: ZipFile, name: str, kind: str) -> pa.Table:
    """A file of the wheel."""
    content = io.BytesIO(wheel.read(f"{FOLDER}/{name}.{kind}"))
    return pq.read_table(content) if kind == "pq" else csv.read_csv(content)


def batches_of(wheel: ZipFile, name: str) -> Iterator[tuple[str, Any, Any, Any, Any]]:
    """Each batch: its name, the reference's scores and labels, its own scores and labels."""
    stem, kind, suffix, label, score, size = SETS[name]
    before, after = rows_of(wheel, f"{stem}_reference", kind), rows_of(wheel, f"{stem}_analysis", kind)
    labels = rows_of(wheel, f"{stem}_analysis{suffix}", kind)
    after = after.join(labels, "id").sort_by("id")

    def numbers(rows: pa.Table, column: str) -> Any:
        return np.asarray(rows.column(column).cast(pa.float64()).to_numpy())

    for at in range(0, after.num_rows, size):
        part = after.slice(at, size)
        if part.num_rows >= FULL * size:
            yield (
                f"{name} {at // size + 1}",
                numbers(before, score),
                numbers(before, label),
                numbers(part, score),
                numbers(part, label),
            )


def errors_of(wheel: ZipFile, name: str) -> dict[str, Any]:
    """By metric, how far the estimate and the reference's value are from what was measured."""
    found: dict[str, list[tuple[float, float, float, bool]]] = {metric: [] for metric in METRICS}
    for batch, scores, labels, own, actual in batches_of(wheel, name):
        calibrator = calibrated(scores, labels)
        for metric in METRICS:
            was, true = measure(metric, labels, scores), measure(metric, actual, own)
            estimate = estimated_quality(batch, metric, own, calibrator)
            if was is None or true is None or estimate.value is None or estimate.low is None or estimate.high is None:
                continue
            inside = estimate.low <= true <= estimate.high
            found[metric].append((abs(estimate.value - true), abs(was - true), true - was, inside))
    return {
        metric: {
            "batches": len(ones),
            "error": round(float(np.mean([one[0] for one in ones])), 4),
            "error_of_no_change": round(float(np.mean([one[1] for one in ones])), 4),
            "largest_error": round(max(one[0] for one in ones), 4),
            "largest_change": round(max(ones, key=lambda one: abs(one[2]))[2], 4),
            "within_interval": f"{sum(one[3] for one in ones)} of {len(ones)}",
        }
        for metric, ones in found.items()
        if ones
    }


def main() -> None:
    """Estimate, measure, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", required=True, help="nannyml-0.13.1-py3-none-any.whl")
    asked = parser.parse_args()
    with ZipFile(asked.wheel) as wheel:
        figures = {name: errors_of(wheel, name) for name in SETS}
    table = Table("set", "metric", "batches", "error", "of no change", "largest", "largest change", "within interval")
    for name, metrics in figures.items():
        for metric, one in metrics.items():
            table.add_row(name, metric, *(str(value) for value in one.values()))
    Console(width=140).print(table)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
