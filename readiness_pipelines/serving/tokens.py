"""Who asks: by a token, compared in a time that says nothing of it."""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.keys import read_key

_SCHEME = b"bearer "


class Tokens:
    """The tokens of those who may ask, by their names; none where everybody on this machine may.

    Raises:
        DeclarationError: A token that is not where the settings say, is too short, or is of two names.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self._digests: dict[str, bytes] = {}
        for name, place in places.items():
            digest = sha256(read_key(name, place, what="token")).digest()
            if digest in self._digests.values():
                raise DeclarationError(
                    f"the token {name!r} is somebody else's too", way_out="give each one of their own"
                )
            self._digests[name] = digest

    @property
    def needed(self) -> bool:
        """Whether who asks has to have one."""
        return bool(self._digests)

    def name_of(self, authorization: bytes) -> str | None:
        """Whose token a header ``Authorization`` has; ``None`` for nobody's."""
        if not self._digests:
            return ""
        given = authorization[len(_SCHEME) :].strip() if authorization[: len(_SCHEME)].lower() == _SCHEME else b""
        digest, found = sha256(given).digest(), None
        for name, known in self._digests.items():  # all of them: the time says not which one it was
            if hmac.compare_digest(digest, known):
                found = name
        return found
