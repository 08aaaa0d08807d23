"""`readiness suggest`: rules that earlier batches suggest, and how often each would have been broken."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from readiness_pipelines.batches import in_order
from readiness_pipelines.cli.output import AsJson, count_batches, errors_for_people, print_json, say
from readiness_pipelines.cli.words import find_table
from readiness_pipelines.domains import load_domains
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.installation import Installation
from readiness_pipelines.settings import Settings

if TYPE_CHECKING:
    from readiness_pipelines.drafting import Suggestion


def suggest(
    table: Annotated[str, typer.Argument(help="A table, as domain.table.", metavar="TABLE")],
    as_json: AsJson = False,
) -> None:
    """Suggest rules that earlier batches of a table kept, with how many of them would have broken each."""
    from readiness_pipelines.delivery.baseline import profiles_of  # noqa: PLC0415  # not for --help
    from readiness_pipelines.delivery.gates import gate_of  # noqa: PLC0415  # as above
    from readiness_pipelines.drafting import suggest_rules  # noqa: PLC0415  # as above
    from readiness_pipelines.drafting.suggesting import as_json as plain  # noqa: PLC0415  # as above

    with errors_for_people():
        settings = Settings()
        found = find_table(table, load_domains(settings))
        installation = Installation.open(settings)
        batches = in_order(found.batches, installation.ledger.visible_batches(found.id))
        profiles = profiles_of(found, batches, installation=installation)
        ordered = [profiles[batch] for batch in batches if batch in profiles]
        if not ordered:
            raise DeclarationError(f"no batch of {found.id} has a profile yet", way_out=f"readiness run {found.id}")
        rules = suggest_rules(ordered, known=[rule.name for rule in gate_of(found).rules])
        based = {"batches": len(ordered), "first": ordered[0].batch, "last": ordered[-1].batch}
        if as_json:
            print_json({"table": str(found.id), "based_on": based, "suggestions": [dict(plain(one)) for one in rules]})
            return
        say(
            (str(found.id), "bold"),
            f": {len(rules)} rule{'' if len(rules) == 1 else 's'}, over the published rows of ",
            f"{count_batches(len(ordered))} ({ordered[0].batch} to {ordered[-1].batch})",
        )
        say("Rows that wait are in no profile: what the gate has already is not suggested.")
        of_rules = [one for one in rules if one.into == "rules"]
        _say([one for one in rules if one.into == "schema"], "add to what the fields of the schema have (…)")
        _say(of_rules, "add to rules=[…] of the table")
        if imports := _imports(of_rules):
            say("")
            say(("with these imports:", "bold"))
            for line in imports:
                say(f"  {line}")


def _say(rules: "Sequence[Suggestion]", where: str) -> None:
    """Rules to be copied, each below a comment with what it rests on."""
    if not rules:
        return
    say("")
    say((f"{where}:", "bold"))
    for one in rules:
        ahead = f"; {one.broken_ahead:,} of {one.ahead:,} judged by those before them" if one.ahead else ""
        broken = f"broken by {one.broken:,} of {count_batches(one.batches)} ({one.false_alarms:.1%}){ahead}"
        column = f"{one.column}: " if one.column else ""
        say((f"  # {column}{one.seen}", "dim"))
        say((f"  # {broken}", "dim"))
        say(f"  {one.column}: pa.Field(…, {one.text})" if one.into == "schema" else f"  {one.text},")


def _imports(rules: "Sequence[Suggestion]") -> list[str]:
    """What a page imports for rules of a table."""
    text = "\n".join(one.text for one in rules)
    ours = [name for name in ("null_share", "row_count") if f"{name}(" in text]
    return [
        *(["import narwhals.stable.v1 as nw"] if "nw." in text else []),
        *(["import pandera.pyarrow as pa"] if "pa." in text else []),
        *([f"from readiness_pipelines import {', '.join(ours)}"] if ours else []),
    ]
