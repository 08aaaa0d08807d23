"""Who acts: a token proves it or nothing does, and a token that does not hold proves nothing."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from readiness_pipelines.errors import DeclarationError, NotAuthenticatedError
from readiness_pipelines.identity import Identity, who_acts

KEY = RSAKey.generate_key(2048, parameters={"kid": "a", "use": "sig"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "a", "use": "sig"})
SHARED = OctKey.import_key("a shared secret of some thirty bytes", parameters={"kid": "a"})
CLAIMS = {"iss": "https://login.example", "aud": "readiness", "email": "ann@shop.example"}


def token(key: Any = KEY, algorithm: str = "RS256", **claims: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": "a"}, {**CLAIMS, "exp": int(time.time()) + 600, **claims}, key)


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    return Identity(issuer=CLAIMS["iss"], audience="readiness", keys=f"file:{tmp_path / 'jwks.json'}")


def test_a_token_proves_who_acts_and_without_one_nothing_does(identity: Identity) -> None:
    assert who_acts(identity, token=token(), said="") == "ann@shop.example"
    assert who_acts(identity, token=token(), said="Ann@shop.example") == "ann@shop.example"
    assert who_acts(identity, token="", said="ann@shop.example") == "ann@shop.example (unproved)"
    assert who_acts(identity, token="", said="ann (unproved)") == "ann (unproved)"


def test_where_it_is_required_nobody_acts_unproved(identity: Identity) -> None:
    with pytest.raises(NotAuthenticatedError, match="nothing proves who you are"):
        who_acts(identity.model_copy(update={"required": True}), token="", said="ann@shop.example")


def test_nobody_acts_in_the_name_of_somebody_else(identity: Identity) -> None:
    with pytest.raises(NotAuthenticatedError, match=r"is of ann@shop\.example, not of bob@shop\.example"):
        who_acts(identity, token=token(), said="bob@shop.example")


@pytest.mark.parametrize(
    "made",
    [
        token(exp=int(time.time()) - 600),
        token(aud="another"),
        token(iss="https://login.evil.example"),
        token(OTHER),
        token(SHARED, "HS256"),
        token(email=""),
        "not.a.token",
        # {"alg":"none"}, unsigned
        "eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImFubkBzaG9wLmV4YW1wbGUifQ.",
    ],
    ids=["expired", "audience", "issuer", "another key", "shared secret", "nobody", "no token", "unsigned"],
)
def test_a_token_that_does_not_hold_proves_nothing(identity: Identity, made: str) -> None:
    with pytest.raises(NotAuthenticatedError):
        who_acts(identity, token=made, said="")


def test_a_token_without_settings_to_prove_it_by_is_not_believed() -> None:
    with pytest.raises(DeclarationError, match="no settings to prove it by"):
        who_acts(Identity(), token=token(), said="")
