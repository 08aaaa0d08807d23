"""Who types a command, as it is kept."""

import getpass

from readiness_pipelines.identity import who_acts
from readiness_pipelines.settings import Settings


def who_types(said: str | None = None) -> str:
    """Who types a command: proved by a token where there is one; else who they say, or the system, says they are.

    Raises:
        NotAuthenticatedError: A token that proves nothing, or somebody else; none, where one is required.
        DeclarationError: A token, and no settings to prove it by.
    """
    settings = Settings()
    token = settings.token.strip()
    return who_acts(settings.identity, token=token, said=said or ("" if token else getpass.getuser()))
