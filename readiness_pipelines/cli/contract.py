"""`readiness contract`: what tables promise, in the Open Data Contract Standard; who breaks when that changes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from readiness_pipelines.cli.contract_report import contract_sections, contract_value
from readiness_pipelines.cli.output import (
    BROKEN_EXIT,
    AsJson,
    count_of,
    errors_for_people,
    print_json,
    say,
    say_next,
)
from readiness_pipelines.cli.plan_report import markdown_of, print_sections
from readiness_pipelines.cli.words import What, find
from readiness_pipelines.commands import contract_export_command
from readiness_pipelines.compatibility.contract import Contract
from readiness_pipelines.compatibility.verdict import ContractVerdict
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.interop.bounded_yaml import read_yaml
from readiness_pipelines.interop.odcs.baseline import ENDING, FOLDER, contract_file, known_contracts
from readiness_pipelines.interop.odcs.checking import check_contracts, declared_contract, unread_needs
from readiness_pipelines.interop.odcs.importing import Imported, import_contracts
from readiness_pipelines.interop.odcs.linting import LintProblem
from readiness_pipelines.interop.odcs.linting import lint as lint_contract
from readiness_pipelines.interop.odcs.reading import read_odcs
from readiness_pipelines.interop.odcs.taken import Unmapped
from readiness_pipelines.interop.odcs.writing import odcs_text
from readiness_pipelines.names import checked_domain_name
from readiness_pipelines.settings import Settings

SHOWN = 20
"""So many lines of one kind are printed; all are in the JSON, and on the page."""

app = typer.Typer(
    no_args_is_help=True, help="What tables promise, as ODCS files: export, import, lint; who breaks when it changes."
)

Folder = Annotated[Path, typer.Option("--dir", help="The folder in which contracts are committed.")]


@app.command("export")
def export(
    what: What = None,
    out: Annotated[Path, typer.Option(help="The folder to write to; - prints them.")] = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Write the contract of each table, in ODCS 3.1: schema, classes, rules, freshness, consumers, who answers."""
    with errors_for_people():
        tables = find(what, Settings()).tables
        contracts = {str(table.id): declared_contract(table) for table in tables}
        if str(out) == "-":
            typer.echo("---\n".join(odcs_text(one) for one in contracts.values()), nl=False)
            return
        out.mkdir(parents=True, exist_ok=True)
        written = {name: _write(contract_file(name, out), odcs_text(one)) for name, one in contracts.items()}
        lost = {name: _lost(one) for name, one in contracts.items()}
        gone = _undeclared(out, set(contracts)) if what is None else []
        if as_json:
            print_json(
                [
                    {
                        "table": name,
                        "file": str(contract_file(name, out)),
                        "version": one.version,
                        "gate": one.gate,
                        "changed": written[name],
                        "not_carried": lost[name],
                    }
                    for name, one in contracts.items()
                ]
            )
            return
        changed = sum(written.values())
        say(f"{out}/ has {count_of(len(contracts), 'contract')}; {changed:,} new or changed")
        for name, lines in lost.items():
            for line in lines:
                say((f"{name}: ", "bold"), line)
        for file in gone:
            say((f"{file} is of a table that is not declared any more: delete it", "yellow"))
        if changed:
            say("commit them: they are what consumers know, and what readiness contract check compares with")


def _undeclared(folder: Path, tables: set[str]) -> list[Path]:
    """The exported contracts of tables that are not there any more."""
    there = [(file, read_odcs(read_yaml(file))) for file in sorted(folder.glob(f"*{ENDING}"))]
    return [file for file, read in there if read.ours and not tables & {one.table for one in read.contracts}]


def _write(file: Path, text: str) -> bool:
    """Whether the file is another one now."""
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return False
    file.write_text(text, encoding="utf-8")
    return True


def _lost(contract: Contract) -> list[str]:
    """What of a contract no file can carry, a line each."""
    lines = [f"the rule {one.name} is words alone there: {one.lost}" for one in contract.guarantees if one.lost]
    reader = contract.source.get("reader") or {}
    lines += [f"how it is read is not there: {kind} is code" for kind, given in reader.items() if "lost" in given]
    return lines


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Contracts: ODCS 3.1 or 3.2 (or 3.0), YAML or JSON.")],
    into: Annotated[Path, typer.Option("--into", help="The page to write: shop.py.")],
    domain: Annotated[str, typer.Option(help="The domain's name; by default what the contracts say.")] = "",
    code: Annotated[
        bool, typer.Option("--code", help="Make functions in the contracts code of the page: only if you trust them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a page that declares what contracts promise. What cannot be mapped is listed, and a comment on the page."""
    with errors_for_people():
        if domain:
            checked_domain_name(domain)
        if into.exists():
            raise DeclarationError(f"{into} is there already", way_out="choose another name, or move it away")
        found = import_contracts(files, domain=domain, with_code=code)
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_text(found.page, encoding="utf-8")
        if as_json:
            print_json(_imported_value(found, into))
            return
        say(f"{into} declares the domain {found.domain}: {', '.join(found.tables.values())}")
        unmapped = [(file, one) for file, all_of in found.unmapped.items() for one in all_of]
        lines = [(f"{file}:{one.line}: ", f"{one.where}: {one.why}: {one.value}") for file, one in unmapped]
        lines += [("", line) for line in found.lost]
        if lines:
            say(f"{count_of(len(lines), 'thing')} not mapped; each is a comment on the page:")
        for where, line in lines[:SHOWN]:
            say("  ", (where, "dim"), line)
        if len(lines) > SHOWN:
            say(f"  and {len(lines) - SHOWN:,} more, on the page")
        say_next(f"READINESS_DOMAINS={into.stem}:domain readiness check")


def _imported_value(found: Imported, into: Path) -> dict[str, Any]:
    return {
        "page": str(into),
        "domain": found.domain,
        "tables": found.tables,
        "unmapped": [
            {"file": file, "line": one.line, "where": one.where, "why": one.why, "value": one.value}
            for file, all_of in found.unmapped.items()
            for one in all_of
        ],
        "lost": list(found.lost),
    }


@app.command("lint")
def lint(
    files: Annotated[list[Path], typer.Argument(help="Contracts: ODCS 3.0 to 3.2, YAML or JSON.")],
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with contracts by the standard's own rules, and what an import would not map. Exit code 1."""
    with errors_for_people():
        problems: list[LintProblem] = []
        refused: list[tuple[str, DeclarationError]] = []
        unmapped: dict[str, tuple[Unmapped, ...]] = {}
        for file in files:
            try:
                document = read_yaml(file)
                problems += lint_contract(document)
                unmapped[str(file)] = read_odcs(document).unmapped
            except DeclarationError as error:
                refused.append((str(file), error))
        if as_json:
            print_json(
                {
                    "problems": [
                        *({"file": name, "what": one.what, "way_out": one.way_out} for name, one in refused),
                        *(
                            {"file": p.file, "line": p.line, "where": p.where, "what": p.what, "way_out": p.way_out}
                            for p in problems
                        ),
                    ],
                    "unmapped": {
                        file: [{"line": one.line, "where": one.where, "why": one.why} for one in found]
                        for file, found in unmapped.items()
                    },
                }
            )
        else:
            for _, refusal in refused:
                say(refusal.what)
                if refusal.way_out:
                    say(("  → ", "bold"), refusal.way_out)
            for one in problems:
                say((f"{one.file}:{one.line}: ", "bold"), f"{one.where}: {one.what}")
                if one.way_out:
                    say(("  → ", "bold"), one.way_out)
            wrong = len(problems) + len(refused)
            verdict = (f"{wrong} wrong", "bold red") if wrong else ("nothing is wrong", "green")
            left = sum(map(len, unmapped.values()))
            say(verdict, f" in {count_of(len(files), 'contract')}; an import would list {left:,} as not mapped")
        if problems or refused:
            raise typer.Exit(BROKEN_EXIT)


@app.command("check")
def check(
    what: What = None,
    against: Annotated[
        str | None,
        typer.Option(help="What consumers know: a file, a folder, or a commit (origin/main); by default --dir."),
    ] = None,
    folder: Folder = FOLDER,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what breaks consumers, also where none that is declared breaks.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say who breaks by what the code changes in the contracts, and how; before it is merged.

    The exit code is 0 where nobody breaks, or those who do were told in time, and 1 where somebody breaks.
    """
    with errors_for_people():
        chosen = find(what, Settings())
        known = known_contracts(against, folder=folder)
        today = datetime.now(UTC).date()
        verdicts = check_contracts(chosen.tables, known, today=today, whole=chosen.table is None)
        stale = _stale(verdicts, folder) if against is not None and not Path(against).exists() else []
        passed = all(one.may_pass(strict=strict) for one in verdicts) and not stale
        unread = {str(table.id): unread_needs(table) for table in chosen.tables}
        if as_json:
            print_json(
                {
                    "may_pass": passed,
                    "stale": stale,
                    "tables": [contract_value(one, strict=strict) for one in verdicts],
                    "not_compared": {name: list(lines) for name, lines in unread.items() if lines},
                }
            )
        else:
            sections = list(contract_sections(verdicts))
            if markdown:
                typer.echo(f"## Contracts\n\n{markdown_of(sections) or 'No contract changes.'}")
            else:
                print_sections(sections)
                for name, lines in unread.items():
                    for line in lines:
                        say((f"{name}: ", "bold"), line)
                _say_verdict(verdicts, stale, passed=passed)
        if not passed:
            raise typer.Exit(BROKEN_EXIT)


def _stale(verdicts: tuple[ContractVerdict, ...], folder: Path) -> list[str]:
    """The committed contracts that are not what the code says: consumers would go on to know the old ones."""
    found = []
    for one in verdicts:
        file = contract_file(one.table, folder)
        if not one.after:
            found += [str(file)] if file.exists() else []
        elif not file.exists() or [c.version for c in read_odcs(read_yaml(file)).contracts] != [one.after]:
            found.append(str(file))
    return found


def _say_verdict(verdicts: tuple[ContractVerdict, ...], stale: list[str], *, passed: bool) -> None:
    changed = [one for one in verdicts if one.changes]
    broken = sum(len(one.breakages) for one in verdicts)
    for file in stale[:SHOWN]:
        say((f"{file} is not what the code says", "yellow"))
    counted = f"{count_of(len(changed), 'contract')} of {len(verdicts):,} changed; {count_of(broken, 'breakage')}"
    say(counted, ": ", ("may be merged", "green") if passed else ("not to be merged so", "bold red"))
    if stale:
        say_next(contract_export_command())
    elif not passed:
        say('announce a change before you make it: domain.announce(table, "column x", announced=…, effective=…, why=…)')
