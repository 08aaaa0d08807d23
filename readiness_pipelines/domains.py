"""The domains that the settings name, for the command line, Dagster and tests alike."""

import builtins
import importlib
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from readiness_pipelines.contracts import Domain, Table
from readiness_pipelines.errors import DeclarationError, ReadinessError, UnknownNameError, suggestion
from readiness_pipelines.names import TableId
from readiness_pipelines.settings import Settings


def load_domains(settings: Settings) -> tuple[Domain, ...]:
    """Import the domains that the settings name; modules are also looked for in the working folder.

    Raises:
        DeclarationError: No domain is named, an entry that cannot be imported or is not a domain, or a name that two
            domains have.
    """
    return checked_domains(load_domain(reference) for reference in named_domains(settings))


def named_domains(settings: Settings) -> tuple[str, ...]:
    """The domains that the settings name, as ``module:attribute``.

    Raises:
        DeclarationError: None is named.
    """
    if not settings.domains:
        file = Path(settings.config)
        if not file.exists():
            raise DeclarationError(
                f"there is no {file} in {Path.cwd()}, and no variable names a domain: this is not a project's folder",
                way_out="change to the project's folder; or begin one: readiness init NAME",
            )
        raise DeclarationError(
            f"no domain is named in {file}", way_out='write there: [settings] domains = ["my_project.shop:shop"]'
        )
    return tuple(settings.domains)


def checked_domains(domains: Iterable[Domain]) -> tuple[Domain, ...]:
    """Domains, if no two different ones have one name; the same one given twice counts once.

    Raises:
        DeclarationError: Two domains of one name: their tables would overwrite each other's.
    """
    found: dict[str, Domain] = {}
    for domain in domains:
        if not isinstance(domain, Domain):
            raise DeclarationError(
                f"a {type(domain).__name__} is not a domain", way_out='give a Domain("name", owner=…)'
            )
        known = found.setdefault(domain.name, domain)
        if known is not domain:
            raise DeclarationError(
                f"two domains are called {domain.name!r}: one in {known.module}, one in {domain.module}; each would "
                "overwrite the other's tables",
                way_out="give one of them another name",
            )
    return tuple(found.values())


def tables_of(domains: Iterable[Domain]) -> Mapping[TableId, Table]:
    """All tables and products of some domains, by identity."""
    return {table.id: table for domain in domains for table in domain.tables}


def load_domain(reference: str) -> Domain:
    """Import a domain; its module is also looked for in the working folder.

    Args:
        reference: The domain, as ``module:attribute``.

    Raises:
        DeclarationError: It cannot be imported, or is not a domain.
    """
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    module_name, _, attribute = reference.partition(":")
    way_out = 'write it as module:attribute, e.g. domains = ["my_project.shop:shop"]'
    try:
        module = importlib.import_module(module_name)
    except ReadinessError:
        raise
    except ImportError as error:
        raise DeclarationError(
            f"the settings name the domain {reference!r}, which cannot be imported: {error}",
            way_out=nearest_name(error) or way_out,
        ) from error
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        # A syntax error says itself where it is.
        place = "" if isinstance(error, SyntaxError) else f" ({Path(last.filename).name}, line {last.lineno})"
        raise DeclarationError(
            f"the module {module_name} of the domain {reference!r} breaks when it is imported: "
            f"{type(error).__name__}: {error}{place}",
            way_out=nearest_name(error) or "fix the module",
        ) from error
    wanted = attribute or module_name.rpartition(".")[2]
    found = getattr(module, wanted, None)
    if isinstance(found, Domain):
        return found
    names = [name for name, value in vars(module).items() if isinstance(value, Domain)]
    if found is None:
        raise UnknownNameError(f"domain in {module_name}", wanted, names)
    raise DeclarationError(
        f"the settings name {reference!r}, which is a {type(found).__name__}, not a Domain", way_out=way_out
    )


def nearest_name(error: Exception) -> str:
    """What may have been meant where a name is not known, as a way out; "" where nothing is near, or otherwise."""
    match error:
        case ImportError() if found := _NOT_THERE.match(str(error)):
            name, known = found["name"], list(vars(sys.modules.get(found["module"], object)))
        case NameError(name=str(name)) if name in sys.modules[_PACKAGE].__all__:
            return f"from readiness_pipelines import {name}"
        case NameError(name=str(name)) if error.__traceback__ is not None:
            frame = [*traceback.walk_tb(error.__traceback__)][-1][0]
            known = [*frame.f_locals, *frame.f_globals, *vars(builtins)]
        case AttributeError(name=str(name)):
            known = dir(error.obj)
        case _:
            return ""
    near = get_close_matches(name, [one for one in known if not one.startswith("_")], n=1)
    return suggestion(name, near) if near else ""


_PACKAGE = __name__.partition(".")[0]
_NOT_THERE = re.compile(r"cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'")
