"""`readiness serve`: the gates of tables behind an address, one record at a time."""

import importlib.util
import ipaddress
from typing import Annotated

import typer

from readiness_pipelines.cli.output import errors_for_people, say
from readiness_pipelines.domains import named_domains
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.settings import Settings


def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 for any.")] = 8_300,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes answer.")] = 1,
    watch: Annotated[
        float, typer.Option(min=0, help="Seconds between two looks whether the code changed; 0 for none.")
    ] = 2.0,
) -> None:
    """Judge single records over HTTP, by the gates of the tables; new versions of them without a restart."""
    with errors_for_people():
        settings = Settings()
        named_domains(settings)
        if importlib.util.find_spec("uvicorn") is None or importlib.util.find_spec("starlette") is None:
            raise DeclarationError(
                "what answers over HTTP is not installed", way_out="pip install 'readiness-pipelines[serve]'"
            )
        if not settings.serve.tokens and not _is_this_machine(host):
            raise DeclarationError(
                f"others than this machine could ask at {host}, and no token proves who they are",
                way_out='name tokens: [settings.serve.tokens] checkout = "env:CHECKOUT_TOKEN"',
            )
        from readiness_pipelines.serving.supervisor import Supervisor  # noqa: PLC0415  # of the extra

        Supervisor(host=host, port=port, workers=workers, watch=watch, say=say).run()


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
