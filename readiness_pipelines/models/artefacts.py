"""Artefacts: what was trained, as bytes in the warehouse, under a name that says which it is."""

from readiness_pipelines.contracts.predictors import Predictor, checksum_of
from readiness_pipelines.errors import LakehouseError, first_line
from readiness_pipelines.installation import Installation
from readiness_pipelines.ledger import ModelVersion
from readiness_pipelines.names import TableId
from readiness_pipelines.storage import Place

FOLDER = "_models"
"""The folder of the warehouse in which artefacts lie; where raw rows lie apart, there: a model may remember rows."""

_AGAIN = "bring it back from a backup, or train another version: readiness model train {model} --seed 1"


def keep_artefact(content: bytes, *, model: TableId, version: int, installation: Installation) -> tuple[str, str]:
    """Keep an artefact; its checksum and its name below the warehouse. The same bytes get the same name.

    Raises:
        LakehouseError: It cannot be written.
    """
    checksum = checksum_of(content)
    folder, name = f"{FOLDER}/{model}", f"v{version}-{checksum[:16]}.model"
    home = _home(installation)
    try:
        (home / folder).make()
        home.write(f"{folder}/{name}", content)
    except OSError as error:
        raise LakehouseError(
            f"the artefact of version {version} of {model} cannot be written below {home}: {first_line(error)}",
            way_out="check the warehouse, then train it again: nothing is lost",
        ) from error
    return checksum, f"{folder}/{name}"


def artefact_of(version: ModelVersion, *, installation: Installation) -> bytes:
    """The bytes of a version.

    Raises:
        LakehouseError: It was not trained, cannot be read, or is another one than was recorded.
    """
    what = f"version {version.version} of {version.model}"
    if not version.artefact:
        raise LakehouseError(f"{what} has no artefact: its training was cut off", way_out="train it again")
    home = _home(installation)
    try:
        with home.read(version.artefact) as file:
            content = bytes(file.read())
    except OSError as error:
        raise LakehouseError(
            f"the artefact of {what} cannot be read from {home / version.artefact}: {first_line(error)}",
            way_out=_AGAIN.format(model=version.model),
        ) from error
    if checksum_of(content) != version.checksum:
        raise LakehouseError(
            f"the artefact of {what} is not the one that was trained: its checksum differs",
            way_out=_AGAIN.format(model=version.model),
        )
    return content


def predictor_of(version: ModelVersion, *, installation: Installation) -> Predictor:
    """What predicts as a version does.

    Raises:
        LakehouseError: As `artefact_of`, or what reads it is not installed.
    """
    content = artefact_of(version, installation=installation)
    what = f"version {version.version} of {version.model}"
    return Predictor.from_bytes(content, checksum=version.checksum, what=what)


def artefact_address(version: ModelVersion, *, installation: Installation) -> str:
    """Where an artefact is, for people and registries."""
    return (_home(installation) / version.artefact).uri


def _home(installation: Installation) -> Place:
    homes = installation.lakehouse.homes
    return homes.restricted or homes.published
