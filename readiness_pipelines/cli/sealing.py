"""Sealing a stream's windows in a process of its own, without an orchestrator: what `readiness run` would do."""

import subprocess
import sys
from dataclasses import dataclass, field

import typer

from readiness_pipelines.cli.acting import who_types
from readiness_pipelines.cli.output import errors_for_people, say
from readiness_pipelines.cli.words import find_gated
from readiness_pipelines.contracts import GatedTable
from readiness_pipelines.delivery import do_work, due_work, windows_over
from readiness_pipelines.domains import load_domains
from readiness_pipelines.installation import Installation, Run
from readiness_pipelines.settings import Settings

_SEAL = "import sys; from readiness_pipelines.cli.sealing import seal_window; seal_window(*sys.argv[1:])"


@dataclass
class Sealer:
    """Seals windows that are over, each in a process of its own: slices go on meanwhile.

    Attributes:
        table: The table.
        installation: Where the ledger is.
        run: Who, and when.
        beside: Whether what is said goes to standard error, where standard output is for programs.
    """

    table: GatedTable
    installation: Installation
    run: Run
    beside: bool = False
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def look(self) -> None:
        """Begin to seal the oldest window that is over, if no other is being sealed."""
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None and self.process.returncode != 0:
            text = f"a window was not sealed: its process ended with {self.process.returncode}; it is tried again"
            typer.echo(text, err=self.beside)
        self.process = None
        over = windows_over(self.table, installation=self.installation, now=self.run.clock())
        if over:
            command = [sys.executable, "-c", _SEAL, str(self.table.id), over[0]]
            out = sys.stderr if self.beside else None
            self.process = subprocess.Popen(command, stdout=out)  # noqa: S603  # our own

    def wait(self) -> None:
        """Wait for the window that is being sealed."""
        if self.process is not None:
            self.process.wait()


def seal_window(name: str, batch: str) -> None:
    """Seal a window, and compute what follows from it in the same batch; what is not due is left.

    Args:
        name: The table.
        batch: The window.

    Raises:
        SystemExit: It could not be sealed; the error is printed.
    """
    with errors_for_people():
        settings = Settings()
        table = find_gated(name, load_domains(settings))
        installation, run = Installation.open(settings), Run(who=who_types())
        for work in due_work([table.domain], installation=installation, now=run.clock()):
            if work.batch == batch and table.id in {one.id for one in work.tables}:
                do_work(work, installation=installation, run=run)
                say(f"sealed {batch} of {name}")
