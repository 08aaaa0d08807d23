"""`make conform`: random schemas with compound checks, and what the gate and Pandera say of random batches.

    python -m readiness_pipelines_tests.conformance.conform --cases 10000 --seed 7

Each case is judged by Pandera, by the gate of the batch (from several files in any order, on a host in any zone; a
share of them on Spark too) and by the gate record by record. A case agrees, is refused with a reason, has no oracle
because Pandera itself cannot evaluate it, or disagrees. Prints each case that disagrees with the seed that repeats it
(``--only 7:123``), and ends with 1 where any did.
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from readiness_pipelines.errors import GateBuildError
from readiness_pipelines.gates import Gate
from readiness_pipelines_tests.conformance.fuzzed import FuzzedCase, fuzzed_case
from readiness_pipelines_tests.conformance.verdicts import (
    NoOracleError,
    host_zone,
    said_by_pandera,
    said_of_batch,
    said_of_record,
    said_on,
)


class Outcome(StrEnum):
    """What came of a case."""

    AGREES = "agree"
    REFUSED = "refused"
    NO_ORACLE = "no oracle"
    DISAGREES = "disagree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a case, and why; and whether Spark judged it too."""

    outcome: Outcome
    why: str = ""
    on_spark: bool = False


def run_case(case: FuzzedCase, *, on_spark: bool = False) -> Result:
    """Judge a case by all, and compare."""
    with host_zone(case.zone):
        try:
            gate = Gate(case.schema)
            batch = said_of_batch(case, gate)
        except GateBuildError as refusal:
            return Result(outcome=Outcome.REFUSED, why=refusal.what)
        except Exception as error:  # what is not the gate's own is a fault of the gate
            return Result(outcome=Outcome.DISAGREES, why=f"the gate raises {type(error).__name__}: {error}")
        try:
            pandera = said_by_pandera(case, case.table)
        except NoOracleError as error:
            return Result(outcome=Outcome.NO_ORACLE, why=str(error))
        if batch != pandera:
            return Result(outcome=Outcome.DISAGREES, why=f"Pandera {_shown(pandera)}, the batch {_shown(batch)}")
        if why := _records_disagree(case, gate):
            return Result(outcome=Outcome.DISAGREES, why=why)
        return _on_spark(case) if on_spark else Result(outcome=Outcome.AGREES)


def _records_disagree(case: FuzzedCase, gate: Gate) -> str:
    for row, record in enumerate(case.table.to_pylist()):
        try:
            pandera = said_by_pandera(case, case.table.slice(row, 1))
        except NoOracleError:
            continue
        try:
            broken, undecided = said_of_record(gate, record)
        except GateBuildError:
            continue
        except Exception as error:  # what is not the gate's own is a fault of the gate
            return f"check_record of row {row} raises {type(error).__name__}: {error}"
        wanted = {name for name, rows in pandera.items() if rows and name not in undecided}
        if broken != wanted:
            return f"of record {row} Pandera says {sorted(wanted)}, check_record {sorted(broken)}"
    return ""


def _on_spark(case: FuzzedCase) -> Result:
    from readiness_pipelines_tests.engines import opened  # noqa: PLC0415  # only those who ask pay

    try:
        gate = Gate(case.schema, engine="spark")
        with opened("spark") as engine:
            spark = said_on(engine, case, gate)
    except GateBuildError:  # refused there alone
        return Result(outcome=Outcome.AGREES)
    except Exception as error:  # what is not the gate's own is a fault of the gate
        why = f"the gate on Spark raises {type(error).__name__}: {error}"
        return Result(outcome=Outcome.DISAGREES, why=why, on_spark=True)
    pandera = said_by_pandera(case, case.table)
    if spark != pandera:
        why = f"Pandera {_shown(pandera)}, Spark {_shown(spark)}"
        return Result(outcome=Outcome.DISAGREES, why=why, on_spark=True)
    return Result(outcome=Outcome.AGREES, on_spark=True)


def _shown(said: object) -> str:
    return str({name: sorted(rows) for name, rows in dict(said).items()})  # type: ignore[call-overload]  # a mapping


def main() -> int:
    """Run cases, and print what came of them."""
    parser = argparse.ArgumentParser(description="What the gate and Pandera say of random schemas and batches.")
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--spark", type=float, default=0.0, help="the share of cases that Spark judges too")
    parser.add_argument("--only", help="the one case that a run named: 7:123")
    parser.add_argument("--reasons", action="store_true", help="print why cases were refused or have no oracle")
    given = parser.parse_args()
    chance = Random(given.seed)  # repeatable, not secret
    seeds = [given.only] if given.only else [f"{given.seed}:{number}" for number in range(given.cases)]
    counts: Counter[Outcome] = Counter()
    reasons: Counter[str] = Counter()
    by_spark = 0
    start = time.monotonic()
    for seed in seeds:
        case = fuzzed_case(seed)
        result = run_case(case, on_spark=chance.random() < given.spark)
        counts[result.outcome] += 1
        by_spark += result.on_spark
        if result.outcome is Outcome.DISAGREES:
            sys.stdout.write(f"{case}\n  disagrees: {result.why}\n")
        elif result.why:
            reasons[f"{result.outcome}: {result.why.splitlines()[0][:110]}"] += 1
    if given.reasons or given.only:
        sys.stdout.writelines(f"{count:6} {why}\n" for why, count in reasons.most_common())
    figures = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in Outcome)
    spark = f", {by_spark:,} judged by Spark too" if given.spark else ""
    sys.stdout.write(f"seed {given.seed}: {len(seeds):,} cases, {figures}{spark}; {time.monotonic() - start:.0f} s\n")
    return int(counts[Outcome.DISAGREES] > 0)


if __name__ == "__main__":
    sys.exit(main())
