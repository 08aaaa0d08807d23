"""A server that speaks S3, which the tests start themselves, and where a test's folder has its warehouse."""

import atexit
import logging
import os
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from readiness_pipelines.storage import ObjectStore, Place

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

BUCKET_FILE = "warehouse.url"
"""In a test's folder, names the bucket and the server that its installation uses; without it, a folder beside it."""

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}


@cache
def s3_http_server() -> "BaseWSGIServer":
    """This process's S3 server, started at the first call and stopped with the process."""
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415  # only those who ask pay
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415  # as above

    os.environ.update(CREDENTIALS)  # before Arrow's driver starts: it reads them once
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    atexit.register(server.shutdown)
    return server


def s3_server() -> ObjectStore:
    """Where this process's S3 server is."""
    return ObjectStore(endpoint=f"http://127.0.0.1:{s3_http_server().port}", region="us-east-1")


def new_bucket() -> Place:
    """A new, empty bucket."""
    from pyarrow.fs import S3FileSystem  # noqa: PLC0415  # only those who ask pay

    store = s3_server()
    name = f"test-{uuid4().hex[:12]}"
    S3FileSystem(endpoint_override=store.endpoint, region=store.region, allow_bucket_creation=True).create_dir(name)
    return Place.of(f"s3://{name}", store)


def warehouse_in(folder: Path) -> Place:
    """The warehouse of a test's folder; also for the processes that the test starts."""
    chosen = folder / BUCKET_FILE
    if not chosen.exists():
        return Place.of(folder / "warehouse")
    uri, endpoint, region = chosen.read_text().split()
    return Place.of(uri, ObjectStore(endpoint=endpoint, region=region))


def use_bucket(folder: Path) -> Place:
    """Make a test's folder use a new, empty bucket as its warehouse."""
    bucket = new_bucket()
    (folder / BUCKET_FILE).write_text(f"{bucket.uri}/warehouse {bucket.store.endpoint} {bucket.store.region}")
    return bucket
