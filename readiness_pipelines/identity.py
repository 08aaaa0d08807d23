"""Who acts: what a token or the proxy proves; anything else is kept as said, and marked as unproved."""

import json
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from readiness_pipelines.errors import DeclarationError, NotAuthenticatedError
from readiness_pipelines.frozen import Frozen

UNPROVED = " (unproved)"
"""Ends the name of who acted where nothing proved it."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Signatures that are believed: by the issuer's key pair, never by a shared secret, never by none."""

_LEEWAY_SECONDS = 60


class Identity(Frozen):
    """How it is proved who acts: the table ``[settings.identity]``.

    Attributes:
        issuer: Who issues tokens (``iss``), as OpenID Connect has it; "" where there are none.
        audience: For whom they are issued (``aud``).
        keys: File of the issuer's public keys (JWKS): what ``jwks_uri`` of its discovery document gives.
        claim: The claim that names a person.
        header: The header in which the proxy before Dagster's webserver names who is authenticated; "" for none. The
            proxy has to set it on every request, whatever was sent.
        required: Whether who decides has to be proved; decisions of others are refused.
    """

    issuer: str = ""
    audience: str = ""
    keys: str = ""
    claim: str = Field(default="email", min_length=1)
    header: str = ""
    required: bool = False


def who_acts(identity: Identity, *, token: str, said: str) -> str:
    """Who acts, as it is kept.

    Args:
        identity: How it is proved.
        token: An OpenID Connect token, or JWT access token; "" where there is none.
        said: Who they say they are; what a token proves must be the same, unless it is "".

    Returns:
        The name that a token proves; else what was said, marked as unproved.

    Raises:
        NotAuthenticatedError: A token that proves nothing, or somebody else; none, where one is required.
        DeclarationError: A token, and no settings to prove it by; or keys that cannot be read.
    """
    if not token:
        if identity.required:
            raise NotAuthenticatedError(
                "nothing proves who you are", way_out="set READINESS_TOKEN to a token of your single sign-on"
            )
        return said if said.endswith(UNPROVED) else f"{said}{UNPROVED}"
    proved = proved_name(identity, token)
    if said and said.casefold() != proved.casefold():
        raise NotAuthenticatedError(
            f"the token is of {proved}, not of {said}", way_out="leave --who away, or use a token of theirs"
        )
    return proved


def same_person(one: str, other: str) -> bool:
    """Whether two names, as they are kept, are of one person: proved or not, and whatever their case."""
    return one.removesuffix(UNPROVED).casefold() == other.removesuffix(UNPROVED).casefold()


def proved_name(identity: Identity, token: str) -> str:
    """Whom a token is of.

    Raises:
        NotAuthenticatedError: A signature, issuer, audience or time that does not hold, or no name in it.
        DeclarationError: No settings to prove it by, or keys that cannot be read.
    """
    if not (identity.issuer and identity.audience and identity.keys):
        raise DeclarationError(
            "there is a token, and no settings to prove it by",
            way_out="set issuer, audience and keys in [settings.identity]",
        )
    try:
        from joserfc import jwt  # noqa: PLC0415  # of the extra
        from joserfc.errors import JoseError  # noqa: PLC0415  # as above
        from joserfc.jwk import KeySet  # noqa: PLC0415  # as above
    except ImportError:
        raise DeclarationError(
            "tokens need the library joserfc", way_out='pip install "readiness-pipelines[identity]"'
        ) from None
    keys = KeySet.import_key_set(_read(identity.keys))
    wanted: dict[str, Any] = {
        "iss": {"essential": True, "value": identity.issuer},
        "aud": {"essential": True, "value": identity.audience},
        "exp": {"essential": True},
    }
    try:
        claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
        jwt.JWTClaimsRegistry(now=int(time.time()), leeway=_LEEWAY_SECONDS, **wanted).validate(claims)
    except (JoseError, ValueError) as error:
        raise NotAuthenticatedError(
            f"the token proves nothing: {type(error).__name__}", way_out="get a new one from your single sign-on"
        ) from None
    name = claims.get(identity.claim)
    if not isinstance(name, str) or not name.strip():
        raise NotAuthenticatedError(
            f"the token has no claim {identity.claim!r} that names anybody", way_out="set claim in [settings.identity]"
        )
    return name.strip()


def _read(where: str) -> Any:
    path = Path(where.removeprefix("file:"))
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DeclarationError(
            f"the issuer's keys cannot be read from {path}: {type(error).__name__}",
            way_out="write there what the issuer's jwks_uri gives",
        ) from None
