"""What the ledger keeps of erasures: which rows a landed file lacks."""

from readiness_pipelines.contracts import Origin
from readiness_pipelines.ledger import Ledger
from readiness_pipelines_tests.ledger.samples import NOW


def test_files_with_the_same_content_each_lack_rows_of_their_own(ledger: Ledger) -> None:
    headers = [Origin(name=f"b/{number}.csv", fingerprint="header") for number in (1, 2, 3)]
    ledger.erasures.note_lines("b/1.csv", "header", [0], at=NOW)
    ledger.erasures.note_lines("b/2.csv", "header", [0, 3], at=NOW)
    ledger.erasures.note_lines("b/3.csv", "another content", [7], at=NOW)
    assert ledger.erasures.lines(headers) == {"b/1.csv": (0,), "b/2.csv": (0, 3)}
