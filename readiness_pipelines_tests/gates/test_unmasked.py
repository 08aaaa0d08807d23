"""Masked by a transform, and wrong: each way of giving a value away holds the batch, and none names a value."""

import hmac
from hashlib import md5, sha256
from typing import Any

import pandera.pyarrow as pp
import pyarrow as pa
import pytest

from readiness_pipelines import DeclarationError, Gate, GateBuildError, MaskingVerified, Route
from readiness_pipelines.testing import judge

KEYS = {"people": b"k" * 32, "others": b"o" * 32}
PERSONS = [f"Person-{n:03}" for n in range(40)]
ARRIVED = pa.table({"name": PERSONS})


def keyed(value: str, key: str = "people") -> str:
    return hmac.digest(KEYS[key], value.encode(), sha256).hex()[:32]


def held(*changes: dict[str, Any], key: str = "people") -> str:
    rows = [{"who": keyed(person), "note": "fine", **change} for person, change in zip(PERSONS, changes, strict=False)]
    schema = pp.DataFrameSchema({name: pp.Column(pa.string()) for name in ("who", "note")})
    gate = Gate(schema, rules=[MaskingVerified("who", of="raw.persons", source_column="name", key=key)])
    judged = judge(gate, *rows, tables={"raw.persons": ARRIVED}, keys=KEYS)
    reason = getattr(judged.outcome, "reason", "")
    assert bool(reason) == (not judged.published)
    assert not any(person.lower() in reason.lower() for person in PERSONS)
    return str(reason)


def test_what_the_key_made_is_published() -> None:
    assert held(*({} for _ in PERSONS)) == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"who": "Person-007"}, "1 values are published as they arrived"),
        ({"who": "PERSON-007"}, "1 values are published as they arrived"),
        ({"who": "Person-007 "}, "1 values are published as they arrived"),
        ({"who": sha256(b"Person-007").hexdigest()}, "1 values are hashes without a key"),
        ({"who": md5(b"person-007").hexdigest().upper()}, "1 values are hashes without a key"),  # noqa: S324  # wrong
        ({"who": keyed("Person-007", "others")}, "1 values are not made by the key 'people'"),
        ({"who": keyed("Person-007 ")}, "1 values are not made by the key 'people'"),
        ({"who": keyed("PERSON-007")}, "1 values are not made by the key 'people'"),
        ({"note": "person-007"}, "note repeats who in 1 rows"),
        ({"_file": "export_Person-007.csv"}, "_file repeats who in 1 names of files"),
    ],
    ids=[
        "a row missed",
        "upper case",
        "a blank behind",
        "plain hash",
        "plain hash of another spelling",
        "another key",
        "hash of a blank behind",
        "hash of upper case",
        "a copy in another column",
        "the name of a file",
    ],
)
def test_each_way_of_masking_wrong_is_held(change: dict[str, Any], why: str) -> None:
    assert why in held(*({} for _ in range(7)), change, *({} for _ in range(20)))


def test_without_the_key_nothing_is_verified_and_so_held() -> None:
    assert "the key 'lost' is not there" in held({}, key="lost")


def test_without_a_named_key_values_copies_and_plain_hashes_are_found_all_the_same() -> None:
    assert held({"who": "any token"}, key="") == ""
    assert "hashes without a key" in held({"who": sha256(b"Person-001").hexdigest()}, key="")


def test_it_holds_whatever_the_gate_s_routes_say() -> None:
    schema = pp.DataFrameSchema({"who": pp.Column(pa.string())})
    rule = MaskingVerified("who", of="raw.persons")
    with pytest.raises(GateBuildError, match="cannot be published with a warning"):
        Gate(schema, rules=[rule], routes={"masking_verified_who": Route.WARN})
    gate = Gate(schema, rules=[rule], default_route=Route.WARN)
    assert gate.rules[-1].route is Route.HOLD
    with pytest.raises(DeclarationError):
        MaskingVerified("who")  # type: ignore[call-arg]  # it names no table
