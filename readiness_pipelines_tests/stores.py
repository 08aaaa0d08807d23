"""A server that speaks S3, which the tests start themselves, and where a test's folder has its warehouse."""

import atexit
import logging
import os
from functools import cache
from pathlib import Path
from uuid import uuid4

from readiness_pipelines.storage import ObjectStore, Place

BUCKET_FILE = "warehouse.url"
"""In a test's folder, names the bucket and the server that its installation uses; without it, a folder beside it."""

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}


@cache
def s3_server() -> ObjectStore:
    """This process's S3 server, started at the first call and stopped with the process."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  # only those who ask pay

    os.environ.update(CREDENTIALS)  # before Arrow's driver starts: it reads them once
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    atexit.register(server.stop)
    host, port = server.get_host_and_port()
    return ObjectStore(endpoint=f"http://{host}:{port}", region="us-east-1")


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
