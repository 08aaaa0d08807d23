"""`readiness check`: what is wrong with the code, before it is deployed."""

import time
from dataclasses import asdict

import typer

from readiness_pipelines.cli.output import BROKEN_EXIT, AsJson, errors_for_people, print_json, say
from readiness_pipelines.contracts import Domain
from readiness_pipelines.delivery import CheckedCode, Mistake, check_domains, import_mistakes
from readiness_pipelines.domains import checked_domains, load_domain, named_domains
from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.settings import Settings


def check(as_json: AsJson = False) -> None:
    """Check all declarations without a row of data: build every gate, try every transform. The exit code tells."""
    with errors_for_people():
        began = time.perf_counter()
        settings = Settings()
        domains, mistakes = _imported(settings)
        found = check_domains(domains, settings)
        mistakes += found.mistakes
        if as_json:
            names = [domain.name for domain in domains]
            print_json({**asdict(found), "domains": names, "mistakes": [*map(asdict, mistakes)]})
        else:
            _say_all(found, mistakes, time.perf_counter() - began)
    if mistakes:
        raise typer.Exit(BROKEN_EXIT)


def _imported(settings: Settings) -> tuple[list[Domain], list[Mistake]]:
    """The domains that can be imported, and what is wrong with the others."""
    found: dict[str, Domain] = {}
    mistakes: list[Mistake] = []
    for reference in named_domains(settings):
        try:
            domain = load_domain(reference)
            checked_domains([*found.values(), domain])
        except ReadinessError as error:
            mistakes += import_mistakes(error)
        else:
            found[domain.name] = domain
    return list(found.values()), mistakes


def _say_all(found: CheckedCode, mistakes: list[Mistake], seconds: float) -> None:
    for one in mistakes:
        place = ":".join(filter(None, (one.file, str(one.line or ""))))
        say((f"{place}: " if place else "", "bold"), (f"{one.table}: " if one.table else "", "cyan"), one.what)
        if one.way_out:
            say(("  → ", "bold"), one.way_out)
    if found.untried:
        say(f"not tried, for only rows tell what their inputs are: {', '.join(found.untried)}")
    verdict = (f"{len(mistakes)} wrong", "bold red") if mistakes else ("nothing is wrong", "green")
    counted = (found.tables, "table"), (found.rules, "rule"), (found.tried, "transform")
    looked_at = ", ".join(f"{count:,} {what}{'' if count == 1 else 's'}" for count, what in counted)
    say(verdict, f" in {looked_at} tried on no rows ({seconds:.1f} s)")
