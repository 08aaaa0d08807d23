"""`readiness scorecard`: how ready the data is, and what proves it."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from readiness_pipelines.cli.output import OUT, AsJson, errors_for_people, print_json, say
from readiness_pipelines.cli.tables import plain_table
from readiness_pipelines.cli.words import find
from readiness_pipelines.contracts import Kpi
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation, utc_now
from readiness_pipelines.overview import (
    WHOLE,
    Answer,
    Area,
    EarlierScorecard,
    Grade,
    NextStep,
    Scorecard,
    SlaMonth,
    past_scorecards,
    plain_value,
    scorecard_value,
    scorecards,
    scorecards_to_keep,
)
from readiness_pipelines.settings import Settings

STYLES = {Grade.PASSES: "green", Grade.FAILS: "bold red", Grade.NO_EVIDENCE: "dim"}
SHOWN_EVIDENCE = 3
SHOWN_STEPS = 5
SHOWN_MONTHS = 3
SHOWN_DAYS = 30
SHOWN_WIDTH = 14

Scope = Annotated[str | None, typer.Argument(help="A domain, or a product as domain.name; all where nothing is named.")]


def show_scorecard(
    what: Scope = None,
    history: Annotated[bool, typer.Option("--history", help="How it went, day by day.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep it, as readiness watch does once a day.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how ready the data is: what passes, what fails, what has no evidence, with what proves it, and what next."""
    with errors_for_people():
        settings = Settings()
        domains, installation = load_domains(settings), Installation.open(settings)
        scope = _scope(what, settings)
        if history:
            past = past_scorecards(scope, installation=installation)
            if as_json:
                print_json({"scope": scope, "days": plain_value(past)})
            else:
                _say_past(past)
            return
        cards = scorecards(
            domains,
            installation=installation,
            identity_required=settings.identity.required,
            now=utc_now(),
        )
        if keep:
            installation.ledger.scorecards.keep(scorecards_to_keep(cards.values()))
        if as_json:
            print_json(scorecard_value(cards[scope]))
            return
        _say_card(cards[scope])
        if scope == WHOLE and len(domains) > 1:
            OUT.print(_scopes_table([card for name, card in cards.items() if name]))


def _scope(what: str | None, settings: Settings) -> str:
    if what is None:
        return WHOLE
    chosen = find(what.lower(), settings)
    if chosen.table is None:
        return chosen.domains[0].name
    if not isinstance(chosen.table, Kpi):
        products = ", ".join(str(kpi.id) for kpi in chosen.table.domain.kpis)
        raise DeclarationError(
            f"{chosen.table.id} is not a product", way_out=f"name a domain, or a product: {products or 'there is none'}"
        )
    return str(chosen.table.id)


def _say_card(card: Scorecard) -> None:
    counts = ", ".join(f"{card.count(verdict)} {verdict}" for verdict in Grade)
    say((card.scope or "all domains", "bold"), f": stage {card.stage} of 4 · {counts}")
    for part in Area:
        grid = plain_table(part.value)
        grid.show_header = False
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for answer in card.part(part):
            grid.add_row(Text(answer.verdict, style=STYLES[answer.verdict]), _answer_text(answer))
        OUT.print(grid)
    if card.slas:
        OUT.print(_slas_table(card.slas))
    by_way_out: dict[str, list[NextStep]] = {}
    for step in card.next:
        by_way_out.setdefault(step.way_out, []).append(step)
    grid = plain_table("what to do next")
    grid.show_header = False
    grid.add_column(overflow="fold", max_width=SHOWN_WIDTH)
    grid.add_column(overflow="fold")
    for way_out, steps in list(by_way_out.items())[:SHOWN_STEPS]:
        missing = sum(step.missing for step in steps)
        named = steps[0].question if len(steps) == 1 else f"{len(steps)} questions"
        grid.add_row(named, Text(f"{way_out} ({missing:,} to put right)" if missing else way_out))
    if by_way_out:
        OUT.print(grid)


def _answer_text(answer: Answer) -> Text:
    if answer.question.part is Area.STAGES:
        shown = Text(f"{answer.question.text}\n")
        for number, one in enumerate(answer.evidence):
            shown.append("  " if number == 0 else ", ").append(one.text, style="red" if one.against else "dim")
        return shown
    asked = answer.question.text.rpartition(": ")[2] if answer.question.part is Area.LAYERS else answer.question.text
    shown = Text(f"{answer.question.id}: ", style="bold").append(Text(asked, style="not bold"))
    for one in answer.evidence[:SHOWN_EVIDENCE]:
        shown.append(f"\n  {one.text}", style="not bold red" if one.against else "not bold dim")
    if (more := len(answer.evidence) - SHOWN_EVIDENCE) > 0:
        shown.append(f"\n  and {more} more in --json", style="not bold dim")
    return shown


def _slas_table(slas: Sequence[SlaMonth]) -> Grid:
    table = plain_table("data quality SLAs")
    for name in ("product", "month", "", "measured (promised)"):
        table.add_column(name, overflow="fold", no_wrap=name != "measured (promised)")
    by_product: dict[str, list[SlaMonth]] = {}
    for month in slas:
        by_product.setdefault(str(month.product), []).append(month)
    for product, months in by_product.items():
        for month in months[-SHOWN_MONTHS:]:
            so_far = "" if month.over else " so far"
            verdict = Text("kept", style="green") if month.kept else Text("broken", style="bold red")
            said = "; ".join(map(str, month.measures))
            table.add_row(product, f"{month.month}{so_far}", verdict, Text(said))
    return table


def _scopes_table(cards: Sequence[Scorecard]) -> Grid:
    table = plain_table("by domain and product")
    for name in ("", "stage", *(verdict.value for verdict in Grade)):
        table.add_column(name, overflow="fold", justify="right" if name else "left")
    for card in cards:
        table.add_row(card.scope, str(card.stage), *(str(card.count(verdict)) for verdict in Grade))
    return table


def _say_past(past: Sequence[EarlierScorecard]) -> None:
    if not past:
        say("no scorecard was kept yet: readiness watch keeps one a day, readiness scorecard --keep keeps one now")
        return
    table = plain_table("by day")
    for name in ("day", "stage", *(verdict.value for verdict in Grade), "changed"):
        table.add_column(name, overflow="fold", justify="left" if name in ("day", "changed") else "right")
    before: EarlierScorecard | None = None
    for day in past[-SHOWN_DAYS:]:
        changed = [
            f"{name}: {verdict}"
            for name, verdict in day.verdicts.items()
            if before and before.verdicts.get(name) != verdict
        ]
        counts = (str(day.count(verdict)) for verdict in Grade)
        table.add_row(f"{day.at:%Y-%m-%d}", str(day.stage), *counts, ", ".join(changed))
        before = day
    OUT.print(table)
