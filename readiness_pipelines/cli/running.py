"""Batches run one after the other, each through its lane's Dagster job, in this process."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from readiness_pipelines.batches import BatchRef
from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import ERR
from readiness_pipelines.cli.stopping import Stop
from readiness_pipelines.commands import run_command
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import Unsettled, Work
from readiness_pipelines.errors import LandingError
from readiness_pipelines.names import TableId

_WAY_OUT = "\n  → "


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A batch that could not be judged or computed: of which table or lane, why, the error's code, and the way out."""

    name: str
    batch: str
    what: str
    way_out: str
    command: str
    code: str = ""

    @property
    def value(self) -> dict[str, str]:
        """What programs are told."""
        return {"of": self.name, "batch": self.batch, "code": self.code, "error": self.what, "way_out": self.way_out}


@dataclass(slots=True)
class RunReport:
    """What ran, and what broke."""

    ran: list[Work] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    unreachable: dict[TableId, LandingError] = field(default_factory=dict)
    unsettled: dict[tuple[TableId, str], Unsettled] = field(default_factory=dict)

    @property
    def refs(self) -> set[tuple[TableId, str]]:
        """The tables and batches that ran."""
        return {(table.id, work.batch) for work in self.ran for table in work.tables}

    def note_unreachable(self, table: GatedTable, error: LandingError) -> None:
        """Keep that a source cannot be reached; the others run all the same."""
        self.unreachable.setdefault(table.id, error)

    def note_unsettled(self, table: GatedTable, found: Unsettled) -> None:
        """Keep that a batch is still arriving."""
        self.unsettled[table.id, found.batch] = found


def run_works(
    first: Iterable[Work],
    more: Callable[[], Iterable[Work]],
    report: RunReport,
    stop: Stop,
    *,
    quiet: bool,
    again: bool = False,
) -> None:
    """Run some work, then ask what is due until nothing is: a month after its days.

    No batch of a lane runs twice for the same reason, and none that broke runs again.

    Args:
        first: What runs first.
        more: What is due now.
        report: Where it is noted what ran.
        stop: Whether to begin no other batch.
        quiet: Whether to show no progress.
        again: Whether what runs first is read from its source once more, also where it is what was ingested.

    Raises:
        ReadinessError: No Dagster job for a lane.
    """
    with batch_progress(quiet=quiet) as progress, ExitStack() as opened:
        task = progress.add_task("looking for what is due", total=None)
        seen: set[tuple[str, str, str]] = set()
        broken: set[tuple[str, str]] = set()
        due = list(first) or list(more())
        jobs = None
        while not stop.asked:
            due = [
                work
                for work in due
                if (work.lane.name, work.batch, work.fingerprint) not in seen
                and (work.lane.name, work.batch) not in broken
            ]
            if not due:
                return
            progress.update(task, total=len(report.ran) + len(due))
            if jobs is None:
                progress.update(task, description="starting Dagster")
                jobs = _Jobs(Path.cwd(), opened)
            for work in due:
                if stop.asked:
                    return
                progress.update(task, description=escape(f"{work.lane.name} {work.batch}"))
                seen.add((work.lane.name, work.batch, work.fingerprint))
                failure, code = jobs.run(work, again=again)
                if failure:
                    broken.add((work.lane.name, work.batch))
                    report.broken.append(broken_work(work, failure, code))
                report.ran.append(work)
                progress.advance(task)
            due, again = list(more()), False


def broken_work(work: Work, failure: str, code: str) -> Broken:
    """A failure, with its code and its way out."""
    what, way_out = split_failure(failure)
    first = work.tables[0]
    return Broken(
        name=str(first.id) if len(work.tables) == 1 else work.lane.name,
        batch=work.batch,
        what=what,
        way_out=way_out,
        command=run_command(BatchRef(first.id, work.batch)),
        code=code,
    )


def split_failure(failure: str) -> tuple[str, str]:
    """What went wrong, and the way out, of a failure as Dagster keeps it."""
    what, _, way_out = failure.partition(_WAY_OUT)
    return what.strip(), way_out.strip()


class _Jobs:
    """The lanes' Dagster jobs, found once, and the instance, opened once."""

    def __init__(self, project: Path, opened: ExitStack) -> None:
        # Dagster takes a second to import: only the command that needs it pays.
        from readiness_pipelines.orchestration import launching  # noqa: PLC0415

        self._launching = launching
        self._project = project
        self._jobs: dict[str, Any] = {}
        self._opened = opened
        self._instance: Any = None

    def run(self, work: Work, *, again: bool) -> tuple[str, str]:
        """Run a batch; what broke and its code, or "" where nothing did: a gate's verdict is not a failure."""
        launching, name = self._launching, work.lane.name
        if name not in self._jobs:
            self._jobs[name] = launching.find_job(name, project=self._project)
        if self._instance is None:
            self._instance = self._opened.enter_context(launching.open_instance(self._project))
        ran = launching.run_batch(
            self._jobs[name],
            work.batch,
            instance=self._instance,
            tags={"readiness/who": who_types(), **({"readiness/again": "true"} if again else {})},
            tables=[table.id for table in work.tables],
        )
        failure = launching.failure_of(ran, instance=self._instance)
        if not failure or launching.is_verdict(ran, instance=self._instance):
            return "", ""
        return failure, launching.failure_code(ran, instance=self._instance)


@contextmanager
def batch_progress(*, quiet: bool) -> Iterator[Progress]:
    """What runs, how far it is, and for how long, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR, disable=quiet or not ERR.is_terminal, transient=True) as progress:
        yield progress
