"""A place is a folder or a prefix of a bucket, and behaves the same."""

from pathlib import Path

import pytest

from readiness_pipelines.storage import ObjectStore, Place
from readiness_pipelines_tests.stores import new_bucket

NAMES = ["a/b/c.txt", "a/d.txt", "it's ü.txt", "a/b=1/50%.txt"]


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place.of(tmp_path / "place") if request.param == "folder" else new_bucket() / "place"


def filled(place: Place) -> Place:
    for name in NAMES:
        folder = place / name.rpartition("/")[0] if "/" in name else place
        folder.make()
        place.write(name, name.encode())
    return place


def test_what_is_written_is_listed_with_its_size_and_read(place: Place) -> None:
    filled(place)
    assert {file.name: file.size_bytes for file in place.files()} == {name: len(name.encode()) for name in NAMES}
    for name in NAMES:
        with place.read(name) as stream, place.read_anywhere(name) as file:
            assert stream.read() == file.read() == name.encode()


def test_a_listing_below_a_folder_gives_names_from_the_place(place: Place) -> None:
    assert {file.name for file in filled(place).files("a/b")} == {"a/b/c.txt"}
    assert list(place.files("nowhere")) == []


def test_removing_twice_is_as_good_as_once(place: Place) -> None:
    filled(place).remove("a/d.txt")
    place.remove("a/d.txt")
    assert "a/d.txt" not in {file.name for file in place.files()}


def test_a_relative_folder_starts_at_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Place.of("data").path == tmp_path / "data"
    assert Place.of("s3://bucket/data/").uri == "s3://bucket/data"


def test_a_server_that_does_not_answer_is_an_os_error() -> None:
    with pytest.raises(OSError, match=r"(?i)connect"):
        list(Place.of("s3://bucket/x", ObjectStore(endpoint="http://127.0.0.1:1", region="x")).files())
