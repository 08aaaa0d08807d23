"""Where a topic's brokers are, as options of librdkafka."""

import os
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from readiness_pipelines.errors import DeclarationError

_VARIABLE = "env:"
_SCHEME = "kafka://"


def broker_options(brokers: str, connection: Callable[[str], str]) -> Mapping[str, str]:
    """Options by which a client reaches brokers.

    Args:
        brokers: As `Topic.brokers` has them.
        connection: Gives an address by its name in the settings.

    Raises:
        UnknownNameError: No connection has the name.
        DeclarationError: A variable that is not set, or an address without a host and port.
    """
    said = brokers
    if brokers.startswith(_VARIABLE):
        name = brokers.removeprefix(_VARIABLE)
        if not (said := os.environ.get(name, "")):
            raise DeclarationError(f"brokers are in the variable {name}, which is not set", way_out=f"set {name}")
    elif ":" not in brokers:
        said = connection(brokers)
    if not said.startswith(_SCHEME):
        return {"bootstrap.servers": _checked(said, brokers)}
    try:
        parts = urlsplit(said)
        user, _, hosts = parts.netloc.rpartition("@")
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise DeclarationError(f"the brokers of {brokers!r} are not an address") from error
    if user:
        name, _, password = user.partition(":")
        options |= {"sasl.username": unquote(name), "sasl.password": unquote(password)}
        options.setdefault("security.protocol", "SASL_SSL")
        options.setdefault("sasl.mechanism", "PLAIN")
    return {**options, "bootstrap.servers": _checked(hosts, brokers)}


def _checked(hosts: str, brokers: str) -> str:
    if not all(part.rpartition(":")[0] and part.rpartition(":")[2].isdigit() for part in hosts.split(",")):
        raise DeclarationError(
            f"the brokers of {brokers!r} are not host:port, or several with commas", way_out='"kafka-1:9092"'
        )
    return hosts
