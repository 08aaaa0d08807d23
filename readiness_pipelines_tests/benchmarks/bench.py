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

from readiness_pipelines_tests.benchmarks.data import bad_rows, land_orders, make_orders, written_rows
from readiness_pipelines_tests.benchmarks.inputs import INPUTS, Input
from readiness_pipelines_tests.benchmarks.small import small_figures

OUT = Console(width=120)
MILLION = 1_000_000
ONE = "readiness_pipelines_tests.benchmarks.one"


@dataclass(frozen=True, slots=True)
class Figure:
    """The medians of one contender's runs on one file; no seconds where it did not finish, with the reason."""

    input: str
    contender: str
    rows: int
    bad: float
    seconds: float | None
    peak_mb: float | None
    remark: str = ""


def main() -> None:
    """Measure, print the tables, and write the figures and the chart."""
    options = _options()
    options.results.mkdir(parents=True, exist_ok=True)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        for rows in options.millions:
            for bad in options.bad:
                orders = f"{scratch}/orders.parquet"
                make_orders(orders, rows=int(rows * MILLION), bad=bad)
                for name in options.inputs:
                    found = _compare(name, orders, int(rows * MILLION), bad, scratch, options)
                    OUT.print(_table(found))
                    figures += found
                    # Each time: what was measured for an hour stays where the rest is given up.
                    Path(options.results, "gate.json").write_text(
                        json.dumps([asdict(f) for f in figures], indent=1) + "\n"
                    )
        small = small_figures(Path(scratch), OUT) if options.small else None
    if small is not None:
        Path(options.results, "small.json").write_text(json.dumps(small, indent=1) + "\n")
    _chart(figures, options.results / "gate.png")
    OUT.print(f"figures and chart are in {options.results}/")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 5, 20], help="rows of the inputs, in millions")
    parser.add_argument("--bad", type=float, nargs="+", default=[0, 0.003, 0.5], help="shares of bad rows")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, of which the median is shown")
    parser.add_argument("--inputs", nargs="+", default=list(INPUTS), choices=list(INPUTS), help="what is given")
    parser.add_argument("--only", nargs="+", default=None, help="contenders; all of an input where none is named")
    parser.add_argument("--no-small", dest="small", action="store_false", help="without small and wide batches")
    parser.add_argument("--timeout", type=int, default=600, help="seconds after which a run is given up")
    parser.add_argument("--scratch", default=None, help="folder for inputs and outputs")
    parser.add_argument("--results", type=Path, default=Path("docs/benchmarks"), help="folder for figures and chart")
    return parser.parse_args()


def _compare(kind: str, orders: str, rows: int, bad: float, scratch: str, options: argparse.Namespace) -> list[Figure]:
    """Run the contenders in turns, so that a slow minute of the machine hits all of them."""
    given = INPUTS[kind]
    file = orders if not given.suffix else _landed(orders, given, scratch)
    everything, failing = written_rows([orders], given.key), bad_rows(orders, given.key)
    passing = (everything[0] - failing[0], everything[1] - failing[1])
    names = [name for name in given.contenders if options.only is None or name in options.only]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    remarks: dict[str, str] = {}
    for turn in range(options.runs):
        for name in names:
            if name in remarks:
                continue
            OUT.print(f"[dim]{given.what}: {rows:,} rows, {bad:.1%} bad, run {turn + 1} of {options.runs}: {name}[/]")
            wanted = (everything, (0, 0)) if name in given.floors else (passing, failing)
            result = _run(kind, name, file, scratch, options.timeout)
            if "error" in result:
                remarks[name] = result["error"]
            elif (tuple(result["good"]), tuple(result["bad"])) != wanted:
                remarks[name] = f"other rows: {result['good']} good, {result['bad']} bad, not {wanted}"
            runs[name].append(result)
    return [_figure(kind, name, rows, bad, runs[name], remarks.get(name, "")) for name in names]


def _landed(orders: str, given: Input, scratch: str) -> str:
    folder = Path(scratch, f"landed{given.suffix}")
    folder.mkdir(exist_ok=True)
    file = f"{folder}/day{given.suffix}"
    land_orders(orders, file)
    return file


def _run(kind: str, name: str, file: str, scratch: str, timeout: int) -> dict:  # type: ignore[type-arg]  # parsed JSON
    command = [sys.executable, "-W", "ignore", "-m", ONE, kind, name, file, scratch]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=os.environ)
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {timeout} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:200]}
    result: dict = json.loads(done.stdout.strip().splitlines()[-1])  # type: ignore[type-arg]
    return result


def _figure(kind: str, name: str, rows: int, bad: float, runs: list[dict[str, float]], remark: str) -> Figure:
    done = [run for run in runs if "seconds" in run]
    if not done:
        return Figure(kind, name, rows, bad, None, None, remark)
    seconds, peak = (statistics.median(run[key] for run in done) for key in ("seconds", "peak_mb"))
    return Figure(kind, name, rows, bad, round(seconds, 2), round(peak), remark)


def _table(figures: list[Figure]) -> Table:
    first = figures[0]
    given = INPUTS[first.input]
    table = Table(title=f"{given.what}: {first.rows:,} rows, {first.bad:.1%} bad", title_justify="left")
    for column in ("", "seconds", "peak MB", "ours ÷ this, time", "ours ÷ this, memory", "remark"):
        table.add_column(column, justify="left" if column in ("", "remark") else "right")
    gate = next((figure for figure in figures if figure.contender == given.ours), None)
    for figure in figures:
        ratios = ("–", "–")
        if gate and gate.seconds and gate.peak_mb and figure.seconds and figure.peak_mb:
            ratios = (f"{gate.seconds / figure.seconds:.2f}", f"{gate.peak_mb / figure.peak_mb:.2f}")
        shown = ("–", "–") if figure.seconds is None else (f"{figure.seconds:.2f}", f"{figure.peak_mb:,.0f}")
        table.add_row(figure.contender, *shown, *ratios, figure.remark)
    return table


def _chart(figures: list[Figure], file: Path) -> None:
    """Time at the middle share of bad rows, a drawing for each input, one group of bars for each size."""
    import matplotlib as mpl  # noqa: PLC0415  # only the benchmark's own environment has it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    shares = sorted({figure.bad for figure in figures})
    share = shares[len(shares) // 2]
    kinds = list(dict.fromkeys(figure.input for figure in figures))
    drawing, axes = plt.subplots(1, len(kinds), figsize=(6 * len(kinds), 4.5), layout="constrained", squeeze=False)
    for axis, kind in zip(axes[0], kinds, strict=True):
        shown = [figure for figure in figures if (figure.bad, figure.input) == (share, kind)]
        sizes = sorted({figure.rows for figure in shown})
        for place, name in enumerate(names := list(dict.fromkeys(figure.contender for figure in shown))):
            took = {figure.rows: figure.seconds or 0 for figure in shown if figure.contender == name}
            values = [took.get(size, 0) for size in sizes]
            left = [index + (place - len(names) / 2) * 0.1 for index in range(len(sizes))]
            axis.bar(left, values, width=0.09, label=name, color="black" if name == INPUTS[kind].ours else None)
        axis.set_xticks(range(len(sizes)), [f"{size / MILLION:g} M rows" for size in sizes])
        axis.set_title(INPUTS[kind].what, fontsize=10)
        axis.set_ylabel("seconds")
        axis.set_yscale("log")
        axis.legend(fontsize=7)
    drawing.suptitle(f"{share:.1%} of the rows bad")
    drawing.savefig(file, dpi=110)


if __name__ == "__main__":
    main()
