"""`make bench`: this gate beside no gate at all and beside its peers, on the same rows and rules, in one run."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from readiness_pipelines_tests.benchmarks.contenders import CONTENDERS, FLOORS
from readiness_pipelines_tests.benchmarks.data import bad_rows, make_orders, written_rows

OUT = Console(width=120)
GATE = next(iter(CONTENDERS))
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """The medians of one contender's runs on one file; no seconds where it did not finish, with the reason."""

    contender: str
    rows: int
    bad: float
    seconds: float | None
    peak_mb: float | None
    remark: str = ""


def main() -> None:
    """Measure, print the tables, and write the figures and the chart."""
    options = _options()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        for rows in options.millions:
            for bad in options.bad:
                file = f"{scratch}/orders.parquet"
                make_orders(file, rows=int(rows * MILLION), bad=bad)
                found = _compare(file, int(rows * MILLION), bad, scratch, options)
                OUT.print(_table(found))
                figures += found
    options.results.mkdir(parents=True, exist_ok=True)
    Path(options.results, "gate.json").write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n")
    _chart(figures, options.results / "gate.png")
    OUT.print(f"figures and chart are in {options.results}/")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 5, 20], help="rows of the inputs, in millions")
    parser.add_argument("--bad", type=float, nargs="+", default=[0, 0.003, 0.5], help="shares of bad rows")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, of which the median is shown")
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), help="contenders")
    parser.add_argument("--timeout", type=int, default=600, help="seconds after which a run is given up")
    parser.add_argument("--scratch", default=None, help="folder for inputs and outputs")
    parser.add_argument("--results", type=Path, default=Path("docs/benchmarks"), help="folder for figures and chart")
    return parser.parse_args()


def _compare(file: str, rows: int, bad: float, scratch: str, options: argparse.Namespace) -> list[Figure]:
    """Run the contenders in turns, so that a slow minute of the machine hits all of them."""
    everything, failing = written_rows([file]), bad_rows(file)
    passing = (everything[0] - failing[0], everything[1] - failing[1])
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in options.only}
    remarks: dict[str, str] = {}
    for turn in range(options.runs):
        for name in options.only:
            if name in remarks:
                continue
            OUT.print(f"[dim]{rows:,} rows, {bad:.1%} bad, run {turn + 1} of {options.runs}: {name}[/]")
            wanted = (everything, (0, 0)) if name in FLOORS else (passing, failing)
            result = _run(name, file, scratch, options.timeout)
            if "error" in result:
                remarks[name] = result["error"]
            elif (tuple(result["good"]), tuple(result["bad"])) != wanted:
                remarks[name] = f"other rows: {result['good']} good, {result['bad']} bad, not {wanted}"
            runs[name].append(result)
    return [_figure(name, rows, bad, runs[name], remarks.get(name, "")) for name in options.only]


def _run(name: str, file: str, scratch: str, timeout: int) -> dict:  # type: ignore[type-arg]  # parsed JSON
    command = [sys.executable, "-W", "ignore", "-m", "readiness_pipelines_tests.benchmarks.one", name, file, scratch]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=os.environ)
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {timeout} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:200]}
    result: dict = json.loads(done.stdout.strip().splitlines()[-1])  # type: ignore[type-arg]
    return result


def _figure(name: str, rows: int, bad: float, runs: list[dict[str, float]], remark: str) -> Figure:
    done = [run for run in runs if "seconds" in run]
    if not done:
        return Figure(name, rows, bad, None, None, remark)
    seconds, peak = (statistics.median(run[key] for run in done) for key in ("seconds", "peak_mb"))
    return Figure(name, rows, bad, round(seconds, 2), round(peak), remark)


def _table(figures: list[Figure]) -> Table:
    first = figures[0]
    table = Table(title=f"{first.rows:,} rows, {first.bad:.1%} bad", title_justify="left")
    for column in ("", "seconds", "peak MB", "gate ÷ this, time", "gate ÷ this, memory", "remark"):
        table.add_column(column, justify="left" if column in ("", "remark") else "right")
    gate = next((figure for figure in figures if figure.contender == GATE), None)
    for figure in figures:
        ratios = ("–", "–")
        if gate and gate.seconds and gate.peak_mb and figure.seconds and figure.peak_mb:
            ratios = (f"{gate.seconds / figure.seconds:.2f}", f"{gate.peak_mb / figure.peak_mb:.2f}")
        shown = ("–", "–") if figure.seconds is None else (f"{figure.seconds:.2f}", f"{figure.peak_mb:,.0f}")
        table.add_row(figure.contender, *shown, *ratios, figure.remark)
    return table


def _chart(figures: list[Figure], file: Path) -> None:
    """Time and memory at the middle share of bad rows, one group of bars for each size."""
    import matplotlib as mpl  # noqa: PLC0415  # only the benchmark's own environment has it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    shares = sorted({figure.bad for figure in figures})
    share = shares[len(shares) // 2]
    shown = [figure for figure in figures if figure.bad == share]
    sizes = sorted({figure.rows for figure in shown})
    names = list(dict.fromkeys(figure.contender for figure in shown))
    drawing, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    for axis, key, label in ((axes[0], "seconds", "seconds"), (axes[1], "peak_mb", "peak MB")):
        for place, name in enumerate(names):
            values = [
                next((getattr(f, key) or 0 for f in shown if (f.contender, f.rows) == (name, size)), 0)
                for size in sizes
            ]
            left = [index + (place - len(names) / 2) * 0.12 for index in range(len(sizes))]
            axis.bar(left, values, width=0.11, label=name, color="black" if name == GATE else None)
        axis.set_xticks(range(len(sizes)), [f"{size / MILLION:g} M rows" for size in sizes])
        axis.set_ylabel(label)
        axis.set_yscale("log")
    axes[0].legend(fontsize=8)
    drawing.suptitle(f"Split and write, {share:.1%} of the rows bad")
    drawing.savefig(file, dpi=110)


if __name__ == "__main__":
    main()
