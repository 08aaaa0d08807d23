"""One installation, struck and put back: over SQLite or Postgres, in a folder or in a bucket."""

import gc
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import fs
from sqlalchemy import NullPool, create_engine, make_url, text

from readiness_pipelines.errors import ReadinessError
from readiness_pipelines.storage import Place, bare
from readiness_pipelines_tests.databases import URL_FILE, database_in, postgres, use_database
from readiness_pipelines_tests.faults.door_list import DOORS, prepare, reconciled
from readiness_pipelines_tests.stores import use_bucket, warehouse_in

_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"


@dataclass(frozen=True, slots=True)
class Finding:
    """What should not have happened.

    Attributes:
        door: At which door.
        fault: What was struck, for people; repeats it.
        what: What came out.
        place: Where in our code.
    """

    door: str
    fault: str
    what: str
    place: str


class Bench:
    """One installation, put back before each trial: tables know where they lie, so that it must be the same place.

    Attributes:
        folder: The installation's folder.
    """

    def __init__(self, folder: Path, over: str = "folder") -> None:
        """Prepare it: over a ``folder`` alone, over ``postgres``, or with its warehouse on ``s3``."""
        self.folder, self._kept = folder / over, folder / f"{over} kept"
        self.folder.mkdir()
        self._database = _PostgresKept(self.folder) if over == "postgres" else None
        if over == "s3":
            (self.folder / URL_FILE).write_text(database_in(self.folder))
            use_bucket(self.folder)
        prepare(self.folder)
        shutil.copytree(self.folder, self._kept, symlinks=True)
        self._objects = _ObjectsKept(warehouse_in(self.folder)) if over == "s3" else None
        if self._database:
            self._database.keep()

    def reset(self) -> None:
        """Put everything back."""
        gc.collect()  # what the installation before this had open
        shutil.rmtree(self.folder)
        shutil.copytree(self._kept, self.folder, symlinks=True)
        for kept in (self._database, self._objects):
            if kept:
                kept.reset()

    def files(self, below: str) -> list[Path]:
        """All files of the landing folder or the warehouse, by name."""
        found = (file for file in (self._kept / below).rglob("*") if file.is_file())
        return sorted(file.relative_to(self._kept) for file in found)

    def try_door(self, name: str, fault: str, strike: Callable[[], AbstractContextManager[Any]]) -> Iterator[Finding]:
        """Enter a door while something fails, and again when it does not any more."""
        with strike():
            yield from self.entered(name, fault)
        yield from self.entered_again(name, fault)

    def entered_again(self, name: str, fault: str) -> Iterator[Finding]:
        """Enter a door after a fault, and see that every row is accounted for."""
        door = DOORS[name]
        gc.collect()  # connections of the struck installation: SQLite shares what went wrong among those of a process
        yield from self.entered(name, f"{fault}, and then gone", during=False)
        if door.writes:
            try:
                problems = reconciled(self.folder)
            except Exception as error:
                yield Finding(name, f"{fault}, and then gone", f"reconcile: {error!r:.300}", place_of(error))
            else:
                if problems:
                    yield Finding(name, f"{fault}, and then gone", f"does not add up: {problems[0].what}", "laws")

    def entered(self, name: str, fault: str, *, during: bool = True) -> Iterator[Finding]:
        """Enter a door; where nothing fails any more, it must let in."""
        try:
            DOORS[name].enter(self.folder)
        except ReadinessError as error:
            if not during:
                yield Finding(name, fault, f"still refused: {error.what:.300}", place_of(error))
        except Exception as error:
            kind = f"{type(error).__module__}.{type(error).__name__}"
            yield Finding(name, fault, f"{kind}: {error!s:.300}", place_of(error))


class _PostgresKept:
    """A database, and a copy of it to begin anew from."""

    def __init__(self, folder: Path) -> None:
        use_database("postgres", folder)
        self._name = str(make_url(database_in(folder)).database)

    def keep(self) -> None:
        self._copy(self._name, f"{self._name}_kept")

    def reset(self) -> None:
        self._copy(f"{self._name}_kept", self._name)

    @staticmethod
    def _copy(name: str, to: str) -> None:
        engine = create_engine(make_url(postgres()), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {to} WITH (FORCE)"))
            connection.execute(text(_END_SESSIONS), {"name": name})
            connection.execute(text(f"CREATE DATABASE {to} TEMPLATE {name}"))


class _ObjectsKept:
    """The objects of a bucket as they were."""

    def __init__(self, warehouse: Place) -> None:
        self._place = warehouse
        self._kept = {path: self._read(path) for path in self._listed()}

    def reset(self) -> None:
        """Put back what is gone and remove what came: nothing is written twice under one name."""
        now = self._listed()
        for path in now - self._kept.keys():
            self._place.filesystem.delete_file(path)
        for path in self._kept.keys() - now:
            with self._place.filesystem.open_output_stream(path) as file:
                file.write(self._kept[path])

    def _listed(self) -> set[str]:
        found = self._place.filesystem.get_file_info(fs.FileSelector(bare(self._place.uri), recursive=True))
        return {info.path for info in found if info.type == fs.FileType.File}

    def _read(self, path: str) -> bytes:
        with self._place.filesystem.open_input_stream(path) as file:
            return bytes(file.read())


def place_of(error: BaseException) -> str:
    """Where in our code an error came out of somebody else's: the innermost line that is ours."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "readiness_pipelines/" in frame.filename and "readiness_pipelines_tests" not in frame.filename
    ]
    return f"{frames[-1].filename.rpartition('readiness_pipelines/')[2]}:{frames[-1].lineno}" if frames else "?"
