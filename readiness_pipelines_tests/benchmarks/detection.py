"""How well columns about persons are found: on columns made for tuning, and on such as the detector was not tuned on.

``python -m readiness_pipelines_tests.benchmarks.detection`` prints precision and recall by column; ``--missed`` names
what was missed and what was flagged wrongly.
"""

import argparse
import csv
import gzip
import io
import time
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from rich.console import Console

from readiness_pipelines.detection import Certainty, detect, in_sample
from readiness_pipelines_tests.benchmarks.detection_held_out import LATER_LOCALES, LOCALES, held_out
from readiness_pipelines_tests.benchmarks.detection_own import Labelled, own_columns

CARDS_PERSONAL = {"cc_num", "first", "last", "gender", "street", "city", "state", "zip", "lat", "long", "job", "dob"}
HOSPITAL_PERSONAL = {"encounter_id", "patient_nbr", "race", "gender", "age", "diag_1", "diag_2", "diag_3", "weight",
                     "payer_code"}  # fmt: skip


@dataclass(slots=True)
class Figures:
    """Columns by what they are and what was said of them."""

    found: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    innocent: int = 0

    @property
    def precision(self) -> float:
        """The share of the flagged columns that are about persons."""
        flagged = self.found + len(self.wrong)
        return self.found / flagged if flagged else 1.0

    @property
    def recall(self) -> float:
        """The share of the columns about persons that were flagged."""
        personal = self.found + len(self.missed)
        return self.found / personal if personal else 1.0


def measure(columns: Iterable[Labelled], *, least: Certainty) -> Figures:
    """Precision and recall by column, of what is flagged with at least some certainty."""
    figures = Figures()
    tables: dict[str, list[Labelled]] = {}
    for column in columns:
        tables.setdefault(column.table, []).append(column)
    for name, labelled in tables.items():
        rows = pa.table({one.name: pa.array(one.values) for one in labelled})
        flagged = {
            one.column
            for one in detect(in_sample(rows))
            if least is Certainty.LIKELY or one.certainty is Certainty.SURE
        }
        for one in labelled:
            where = f"{name}.{one.name} ({one.group})"
            if one.personal and one.name in flagged:
                figures.found += 1
            elif one.personal:
                figures.missed.append(where)
            elif one.name in flagged:
                figures.wrong.append(where)
            else:
                figures.innocent += 1
    return figures


def file_columns(table: str, text: bytes, personal: set[str]) -> list[Labelled]:
    """The columns of a CSV file, as text, as raw has them."""
    head, *body = csv.reader(io.StringIO(text.decode()))
    values = list(zip(*body, strict=False)) or [()] * len(head)
    return [
        Labelled(table, name or "c0", list(column), name in personal, group=name)
        for name, column in zip(head, values, strict=True)
    ]


def real_columns(data: Path) -> dict[str, list[Labelled]]:
    """The columns of the card files, the hospital's, and the wafers' (590 sensors: nobody)."""
    cards = data / "card_transactions"
    found: dict[str, list[Labelled]] = {"card files": []}
    for file in sorted(cards.glob("*.csv.gz")):
        found["card files"] += file_columns(file.name, gzip.decompress(file.read_bytes()), CARDS_PERSONAL)
    with zipfile.ZipFile(data / "readmissions" / "dataset_diabetes.zip") as archive:
        name = next(one for one in archive.namelist() if Path(one).name == "diabetic_data.csv")
        found["hospital"] = file_columns("hospital", archive.read(name), HOSPITAL_PERSONAL)
    with zipfile.ZipFile(data / "wafer_yield" / "uci-secom.csv.zip") as archive:
        name = next(one for one in archive.namelist() if Path(one).name == "uci-secom.csv")
        found["wafers"] = file_columns("wafers", archive.read(name), set())
    return found


def sets(data: Path | None, locales: Sequence[str], rows: int) -> dict[str, list[Labelled]]:
    """All sets of columns, by what they are called in the figures."""
    found = {"own, tuned on": own_columns()}
    for what, some in (("Faker, looked at", locales), ("Faker, held out", LATER_LOCALES)):
        found[what] = [one for locale in some for one in held_out(locale, rows=rows)]
        unnamed = [one for locale in some for one in held_out(locale, rows=rows, names=False)]
        found[f"{what}, values only"] = unnamed
    return {**found, **(real_columns(data) if data else {})}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, help="A folder with the card, hospital and wafer files.")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--locales", nargs="+", default=list(LOCALES))
    parser.add_argument("--missed", action="store_true", help="Name what was missed and what was flagged wrongly.")
    given = parser.parse_args()
    out = Console(soft_wrap=True, highlight=False, markup=False)
    out.print(
        "| columns | about persons | about nobody | sure: precision | recall | likely, too: precision | recall | s |"
    )
    out.print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, columns in sets(given.data, given.locales, given.rows).items():
        began = time.process_time()
        sure = measure(columns, least=Certainty.SURE)
        seconds = time.process_time() - began
        likely = measure(columns, least=Certainty.LIKELY)
        personal = sum(one.personal for one in columns)
        out.print(
            f"| {name} | {personal} | {len(columns) - personal} | {sure.precision:.2f} | {sure.recall:.2f} | "
            f"{likely.precision:.2f} | {likely.recall:.2f} | {seconds:.1f} |"
        )
        if given.missed:
            out.print("  missed, even as likely:", *likely.missed, sep="\n    ")
            out.print("  wrong, as sure:", *sure.wrong, sep="\n    ")
            out.print("  wrong, as likely:", *(one for one in likely.wrong if one not in sure.wrong), sep="\n    ")


if __name__ == "__main__":
    main()
