"""`readiness web`: the web page, in one process."""

import os
import subprocess
import sys
import threading
from queue import SimpleQueue
from typing import Annotated

import typer

from readiness_pipelines.cli.output import errors_for_people, say
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings

AT_ONCE = 2
"""So many replays run at once; others wait for their turn."""

ANYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # to compare with


def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen at.")] = 3080,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Nobody may decide here: for those who only look.")
    ] = False,
) -> None:
    """Serve the web page: how everything stands, what waits, decide and replay, the map, the same as JSON.

    A replay that is started from a page runs in a process of its own. It listens on this machine alone, unless told
    otherwise; before others reach it, put a proxy before it that knows who they are: docs/deploy.md.
    """
    with errors_for_people():
        settings = Settings()
        if host in ANYWHERE and not settings.web_url:
            raise DeclarationError(
                "a page that others reach has to know by which name they do",
                way_out="set READINESS_WEB_URL to its address, such as https://readiness.example",
            )
        # Only this command pays for a server.
        import uvicorn  # noqa: PLC0415

        from readiness_pipelines.web.app import build_app  # noqa: PLC0415
        from readiness_pipelines.web.site import Site  # noqa: PLC0415

        site = Site(
            settings=settings,
            domains=load_domains(settings),
            installation=Installation.open(settings),
            start_replay=ReplayProcesses().start,
            read_only=read_only,
            hosts=frozenset({host} - ANYWHERE),
        )
        where = f"http://{host}:{port}{site.root}/"
        uvicorn.run(
            build_app(site, ready=lambda: say("the page is at ", (where, "bold"), "; Ctrl-C ends it")),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )


class ReplayProcesses:
    """Carries out replay requests in processes of their own, a few at once; they outlive this one."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[int] = SimpleQueue()
        for number in range(AT_ONCE):
            threading.Thread(target=self._work, name=f"replays {number}", daemon=True).start()

    def start(self, request: int) -> None:
        """Carry out a request as soon as there is room."""
        self._waiting.put(request)

    def _work(self) -> None:
        while True:
            number = self._waiting.get()
            # A session of its own: Ctrl-C ends the page, not what it has started.
            subprocess.run(  # noqa: S603  # our own module and a number
                [sys.executable, "-m", "readiness_pipelines.cli.requested", str(number)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(os.environ),
                start_new_session=True,
                check=False,
            )
