"""A REST catalog for tests: the protocol's few calls that PyIceberg makes, served from a SQL catalog of PyIceberg's."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pyiceberg.catalog.rest import CreateTableRequest, TableResponse
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.table import CommitTableRequest, Table
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER

STATUSES: dict[type[Exception], int] = {
    CommitFailedException: 409,
    NamespaceAlreadyExistsError: 409,
    TableAlreadyExistsError: 409,
    NoSuchTableError: 404,
}


def serve_rest_catalog(folder: Path, *, token: str = "") -> str:
    """Serve an empty catalog from a thread of this process, for as long as it lives; its address."""
    catalog = SqlCatalog("behind", uri=f"sqlite:///{folder / 'rest.db'}?timeout=30", warehouse=str(folder / "unused"))
    catalog.create_tables()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's
            pass

        def do_GET(self) -> None:  # the base class's
            self._serve(b"")

        do_HEAD = do_DELETE = do_GET  # noqa: N815  # the base class's

        def do_POST(self) -> None:  # the base class's
            self._serve(self.rfile.read(int(self.headers["Content-Length"])))

        def _serve(self, body: bytes) -> None:
            try:
                if token and self.headers.get("Authorization") != f"Bearer {token}":
                    return self._answer(401, _error(401, "NotAuthorizedException", "no or wrong token"))
                self._answer(200, _called(catalog, self.command, self.path, body))
            except tuple(STATUSES) as error:
                status = STATUSES[type(error)]
                self._answer(status, _error(status, type(error).__name__, str(error)))

        def _answer(self, status: int, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def _called(catalog: SqlCatalog, method: str, path: str, body: bytes) -> str:
    match method, path.split("?", maxsplit=1)[0].strip("/").split("/")[1:]:
        case "GET", ["config"]:
            return json.dumps({"defaults": {}, "overrides": {}})
        case "GET", ["namespaces"]:
            return json.dumps({"namespaces": [list(name) for name in catalog.list_namespaces()]})
        case "POST", ["namespaces"]:
            catalog.create_namespace(tuple(json.loads(body)["namespace"]))
            return json.dumps({"namespace": json.loads(body)["namespace"], "properties": {}})
        case "GET", ["namespaces", namespace, "tables"]:
            names = [{"namespace": [namespace], "name": name} for _, name in catalog.list_tables(namespace)]
            return json.dumps({"identifiers": names})
        case "POST", ["namespaces", namespace, "tables"]:
            return _created(catalog, namespace, CreateTableRequest.model_validate_json(body))
        case "POST", ["namespaces", namespace, "register"]:
            asked = json.loads(body)
            return _loaded(catalog.register_table((namespace, asked["name"]), asked["metadata-location"]))
        case "DELETE", ["namespaces", namespace, "tables", name]:
            catalog.drop_table((namespace, name))
            return "{}"
        case "DELETE", ["namespaces", namespace]:
            catalog.drop_namespace(namespace)
            return "{}"
        case "GET" | "HEAD", ["namespaces", namespace, "tables", name]:
            return _loaded(catalog.load_table((namespace, name)))
        case "POST", ["namespaces", namespace, "tables", name]:
            return _committed(catalog, (namespace, name), CommitTableRequest.model_validate_json(body))
        case _:
            raise NoSuchTableError(f"{method} {path}")


def _created(catalog: SqlCatalog, namespace: str, asked: CreateTableRequest) -> str:
    table = catalog.create_table(
        (namespace, asked.name),
        asked.table_schema,
        asked.location,
        asked.partition_spec or UNPARTITIONED_PARTITION_SPEC,
        asked.write_order or UNSORTED_SORT_ORDER,
        asked.properties,
    )
    return _loaded(table)


def _committed(catalog: SqlCatalog, identifier: tuple[str, str], asked: CommitTableRequest) -> str:
    table = catalog.load_table(identifier)
    response = catalog.commit_table(table, asked.requirements, asked.updates)
    return response.model_dump_json(by_alias=True)


def _loaded(table: Table) -> str:
    whole = {"metadata-location": table.metadata_location, "metadata": table.metadata}
    return TableResponse.model_validate(whole).model_dump_json(by_alias=True)


def _error(status: int, kind: str, message: str) -> str:
    return json.dumps({"error": {"message": message, "type": kind, "code": status}})
