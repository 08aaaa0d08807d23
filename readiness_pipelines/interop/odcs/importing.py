"""From contracts of the standard to the page of a domain, with a list of all that is not on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from readiness_pipelines.compatibility.contract import Contract
from readiness_pipelines.drafting.naming import table_name
from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.interop.bounded_yaml import read_yaml
from readiness_pipelines.interop.odcs.page.page import python_page
from readiness_pipelines.interop.odcs.reading import ReadContract, read_odcs
from readiness_pipelines.interop.odcs.taken import Unmapped
from readiness_pipelines.interop.odcs.trying import tried
from readiness_pipelines.names import SHADOWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A page made of contracts.

    Attributes:
        domain: The domain that it declares.
        page: Its text.
        tables: The names of its tables, by those in the contracts.
        unmapped: What was not read of the files, by file.
        lost: What was read and cannot be said on the page, a line each.
    """

    domain: str
    page: str
    tables: dict[str, str]
    unmapped: dict[str, tuple[Unmapped, ...]]
    lost: tuple[str, ...]


def import_contracts(files: Sequence[Path], *, domain: str = "", with_code: bool = False) -> Imported:
    """Read contracts, and write the page that declares what they promise.

    Args:
        files: The files.
        domain: The domain's name; by default what the contracts say.
        with_code: Whether functions in the contracts become code of the page.

    Raises:
        DeclarationError: A file that is not a contract, that has no table, or two with the same table.
    """
    found = [read_odcs(read_yaml(file)) for file in files]
    for one in found:
        if not one.contracts:
            raise DeclarationError(f"{one.file} has no table: its schema is empty", way_out="name one below schema:")
    names = [contract.table for one in found for contract in one.contracts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DeclarationError(f"the contracts have a table {twice[0]} twice", way_out="import one of them")
    name = domain or domain_name(found)
    results = [tried(_within(contract, name, one)) for one in found for contract in one.contracts]
    lost = [line for _, lines in results for line in lines]
    shown = [
        f"{Path(one.file).name}, {line}" if len(found) > 1 else str(line) for one in found for line in one.unmapped
    ]
    page = python_page(
        name,
        [contract for contract, _ in results],
        origin=", ".join(_described(one) for one in found),
        unmapped=[*shown, *lost],
        with_code=with_code,
    )
    return Imported(
        domain=name,
        page=page.text,
        tables=dict(page.tables),
        unmapped={one.file: one.unmapped for one in found},
        lost=(*lost, *page.lost),
    )


def domain_name(contracts: Sequence[ReadContract]) -> str:
    """A name for the domain of some contracts, by what they say."""
    wanted = next((one.domain for one in contracts if one.domain), contracts[0].id)
    name = table_name([wanted], ())
    return f"{name}_domain" if name.endswith(tuple(f"_{shadow}" for shadow in SHADOWS)) else name


def _within(contract: Contract, domain: str, read: ReadContract) -> Contract:
    """The contract as one of the domain; references to a domain of another name stay what they are."""
    del domain
    known = {one.name for one in contract.columns}
    return replace(
        contract,
        guarantees=tuple(one for one in contract.guarantees if read.ours or known.issuperset(one.columns)),
    )


def _described(read: ReadContract) -> str:
    told = f"{Path(read.file).name} ({read.id}" + (f", version {read.written_version}" if read.written_version else "")
    return told + (f", {read.status})" if read.status else ")")
