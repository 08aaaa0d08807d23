"""The contracts that consumers know: those that are committed, in a folder, in a file, or at a commit."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from readiness_pipelines.compatibility.contract import Contract
from readiness_pipelines.contracts import Consumer, Table
from readiness_pipelines.errors import DeclarationError, first_line
from readiness_pipelines.interop.bounded_yaml import MOST_BYTES, YamlDocument, parse_yaml, read_yaml
from readiness_pipelines.interop.odcs.reading import ReadContract, read_odcs

FOLDER = Path("contracts")
"""Where exported contracts are, unless somebody says otherwise."""

ENDING = ".odcs.yaml"
_GIT_SECONDS = 60


def contract_file(table: object, folder: Path = FOLDER) -> Path:
    """Where the contract of a table is exported to."""
    return folder / f"{table}{ENDING}"


def known_contracts(against: str | None, *, folder: Path = FOLDER) -> dict[str, Contract]:
    """The contracts that consumers know, by table.

    Args:
        against: A file, a folder, or anything that git takes for a commit (``origin/main``); ``None`` for `folder`.
        folder: Where contracts are committed.

    Raises:
        DeclarationError: None of these, no contract there, or a file that is not one.
    """
    place = folder if against is None else Path(against)
    if place.is_file():
        return {contract.table: contract for contract in read_odcs(read_yaml(place)).contracts}
    if place.is_dir():
        documents = [read_yaml(file) for file in sorted(place.glob(f"*{ENDING}"))]
    elif against is None:
        raise DeclarationError(
            f"{folder}/ is not there: nothing says what consumers know",
            way_out="readiness contract export, and commit it",
        )
    else:
        documents = list(_committed(against, folder))
    exported = [one for one in map(read_odcs, documents) if one.ours]  # consumers' own may lie beside them
    if not exported:
        raise DeclarationError(
            f"{against or f'{folder}/'} has no contract that was exported",
            way_out=f"readiness contract export --out {folder}, and commit it",
        )
    return {contract.table: contract for one in exported for contract in one.contracts}


def _committed(ref: str, folder: Path) -> Iterator[YamlDocument]:
    """The contracts in a folder, as they are at a commit.

    Raises:
        DeclarationError: Git knows no such commit.
    """
    listed = _git("ls-tree", "--name-only", "--end-of-options", ref, f"{folder.as_posix()}/", ref=ref)
    for name in listed.decode(errors="replace").splitlines():
        if name.endswith(ENDING):
            yield parse_yaml(_git("show", "--end-of-options", f"{ref}:./{name}", ref=ref), file=f"{ref}:{name}")


def _git(*arguments: str, ref: str) -> bytes:
    command = ["git", *arguments]
    try:
        found = subprocess.run(command, capture_output=True, check=False, timeout=_GIT_SECONDS)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeclarationError(
            f"{ref} is not a file or folder, and git cannot be asked: {first_line(error)}", way_out="name a folder"
        ) from error
    if found.returncode:
        said = found.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
        raise DeclarationError(
            f"{ref} is not a file or folder, and not a commit either: {said[0]}",
            way_out="fetch it: git fetch origin main",
        )
    return found.stdout[: MOST_BYTES + 1]


def consumer_needs(table: Table) -> dict[str, Contract]:
    """The contracts of a table's consumers that have one of their own, by the consumers' names.

    Raises:
        DeclarationError: A file that is not there, is not a contract, or is of another table.
    """
    return {one.name: consumer_contract(one).contracts[0] for one in table.consumers if one.contract is not None}


def consumer_contract(consumer: Consumer) -> ReadContract:
    """A consumer's own contract, of the table alone that it is declared for.

    Raises:
        DeclarationError: As `consumer_needs`.
    """
    assert consumer.contract is not None  # noqa: S101  # who has none is not looked at
    read = read_odcs(read_yaml(consumer.contract))
    wanted = {str(consumer.table), consumer.table.name}
    found = [
        one for one in read.contracts if one.table in wanted or one.table.rpartition(".")[2] == consumer.table.name
    ]
    if len(found) != 1:
        there = ", ".join(one.table for one in read.contracts) or "none"
        raise DeclarationError(
            f"{consumer.contract} of the consumer {consumer.name} has no table {consumer.table} (it has: {there})",
            way_out=f"name it {consumer.table.name} below schema:",
        )
    return replace(read, contracts=(found[0],))
