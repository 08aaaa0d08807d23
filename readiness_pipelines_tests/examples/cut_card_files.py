"""Cut the card transactions of Kaggle's exports into what a bank would deliver: days, reference tables, labels.

``python -m readiness_pipelines_tests.examples.cut_card_files EXPORTS LANDING`` writes ``LANDING/fraud`` anew, byte for
byte the same from the same exports. Lines of transactions are left as they are; customers, merchants and labels are
made of them.
"""

import csv
import gzip
import hashlib
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from readiness_pipelines.examples.fraud import OF_CUSTOMERS

JANUARY, JUNE = "january_as_exported.csv.gz", "june_as_exported.csv.gz"
SPREADSHEET, SAMPLE = "january_through_a_spreadsheet.csv.gz", "sampled_through_a_spreadsheet.csv.gz"
VERSIONS = {"2019-01-01": (JANUARY,), "2020-06-21": (JANUARY, JUNE)}
SAMPLE_DAY = "2020-03-10"
CUSTOMER = ("cc_num", *OF_CUSTOMERS)
MERCHANT = ("merchant", "category")
LABELLED_AFTER = timedelta(days=21)

Row = Mapping[str, str]


def main(exports: Path, landing: Path) -> None:
    """Write everything, with checksums."""
    folder = landing / "fraud"
    days: dict[str, list[Row]] = {}
    for name in (JANUARY, JUNE):
        for day, lines in by_day(exports / name, "%Y-%m-%d %H:%M:%S").items():
            write(folder / "transactions" / day / "transactions.csv.gz", lines)
            days[day] = rows(lines)
    damaged = by_day(exports / SPREADSHEET, "%d-%m-%Y %H:%M")["2019-01-04"]
    write(folder / "through_a_spreadsheet" / "2019-01-04" / "transactions.csv.gz", damaged)
    sample = gzip.decompress((exports / SAMPLE).read_bytes()).splitlines(keepends=True)
    write(folder / "transactions" / SAMPLE_DAY / "transactions.csv.gz", sample)
    days[SAMPLE_DAY] = rows(sample)
    for day, transactions in days.items():
        write_labels(folder / "labels" / day, day, transactions)
    for version, names in VERSIONS.items():
        known = [row for name in names for row in rows(gzip.decompress((exports / name).read_bytes()).splitlines(True))]
        write_distinct(folder / "customers" / f"{version}.csv.gz", CUSTOMER, known)
        write_distinct(folder / "merchants" / f"{version}.csv.gz", MERCHANT, known)
    files = sorted(file for file in folder.rglob("*.gz"))
    sums = (f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder)}\n" for file in files)
    (folder / "SHA256SUMS").write_text("".join(sums))


def by_day(export: Path, written: str) -> dict[str, list[bytes]]:
    """The lines of an export by the day of their transaction, each day with the header; `written` is how times are."""
    header, *lines = gzip.decompress(export.read_bytes()).splitlines(keepends=True)
    place = next(csv.reader([header.decode()])).index("trans_date_trans_time")
    days: dict[str, list[bytes]] = {}
    for line in lines:
        at = datetime.strptime(next(csv.reader([line.decode()]))[place], written)  # noqa: DTZ007  # local times
        days.setdefault(at.date().isoformat(), [header]).append(line)
    return days


def rows(lines: Sequence[bytes]) -> list[Row]:
    """Lines with their header as rows."""
    return list(csv.DictReader(io.StringIO(b"".join(lines).decode())))


def write_labels(folder: Path, day: str, transactions: Iterable[Row]) -> None:
    """The frauds of a day, as the fraud desk would report them three weeks later; a day without any has the header."""
    reported = (date.fromisoformat(day) + LABELLED_AFTER).isoformat()
    frauds = [f"{row['trans_num']},1,{reported}\n" for row in transactions if row["is_fraud"] == "1"]
    write(folder / f"reported-{reported}.csv.gz", [b"trans_num,is_fraud,reported_on\n", *map(str.encode, frauds)])


def write_distinct(file: Path, columns: Sequence[str], known: Iterable[Row]) -> None:
    """Some columns of all rows, each combination once, in the order in which they first appear."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([columns, *dict.fromkeys(tuple(row[column] for column in columns) for row in known)])
    write(file, [text.getvalue().encode()])


def write(file: Path, lines: Iterable[bytes]) -> None:
    """Write a packed file that is the same whenever it is written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(b"".join(lines), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
