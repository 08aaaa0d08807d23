"""Keys that lie encrypted in a file, as a keyset of Tink, and that a key management service decrypts."""

import json
from pathlib import Path
from typing import Any

from readiness_pipelines.errors import DeclarationError

KEYSET = "tink:"
_KEK = "?kek="
_EXAMPLE = '"tink:keys/patients.json?kek=aws-kms://arn:aws:kms:…"'


def unwrap_keyset(where: str) -> bytes:
    """The primary key of a keyset that a key management service has wrapped.

    Args:
        where: ``tink:PATH?kek=URI``: a file as ``tinkey create-keyset`` writes it in JSON, of the type HMAC or AES-SIV,
            and the key that encrypts it, ``aws-kms://arn:…`` or ``gcp-kms://projects/…``.

    Raises:
        DeclarationError: No such file, a keyset that the service does not decrypt, or one of another type.
    """
    path, found, kek = where.removeprefix(KEYSET).partition(_KEK)
    if not (path and found and kek):
        raise DeclarationError(
            "the place of a wrapped key names no file or no key that wraps it", way_out=f"write {_EXAMPLE}"
        )
    try:
        text = Path(path).read_text(encoding="utf-8")
        json.loads(text)
    except OSError as error:
        raise DeclarationError(
            f"the keyset {path} cannot be read: {error.strerror}", way_out="create it with tinkey, or name its place"
        ) from None
    except ValueError:
        raise DeclarationError(
            f"the keyset {path} is not JSON", way_out="write it with tinkey --out-format json"
        ) from None
    return _primary_key(text, path, kek)


def _primary_key(text: str, path: str, kek: str) -> bytes:
    try:
        import tink  # noqa: PLC0415  # an extra
        from tink import aead, json_proto_keyset_format, proto_keyset_format, secret_key_access  # noqa: PLC0415
        from tink.proto import tink_pb2  # noqa: PLC0415
    except ImportError:
        raise DeclarationError(
            "a wrapped key needs Tink, which is not installed", way_out="pip install 'readiness-pipelines[kms]'"
        ) from None
    aead.register()
    service, unreachable = _service(kek)
    try:
        wrapped_by = service.get_aead(kek)
        handle = json_proto_keyset_format.parse_encrypted(text, wrapped_by, b"")
    except (tink.TinkError, ValueError, *unreachable) as error:
        # What the service says may quote what it was given: its kind is enough.
        raise DeclarationError(
            f"{kek} did not decrypt the keyset {path} ({type(error).__name__})",
            way_out="check that the service is up, that this process may use the key, and that it wrapped this keyset",
        ) from None
    keyset = tink_pb2.Keyset.FromString(proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
    primary = next(key.key_data for key in keyset.key if key.key_id == keyset.primary_key_id)
    return _secret(primary.type_url.rpartition(".")[2], primary.value, path)


def _service(kek: str) -> tuple[Any, tuple[type[Exception], ...]]:
    """The client of the service that has the key, and what it raises where the service cannot be reached."""
    if kek.startswith("aws-kms://"):
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415  # an extra
        from tink.integration import awskms  # noqa: PLC0415  # an extra

        return awskms.AwsKmsClient(kek, None), (BotoCoreError,)
    if kek.startswith("gcp-kms://"):
        try:
            from google.api_core.exceptions import GoogleAPIError  # noqa: PLC0415  # an extra of the extra
            from tink.integration import gcpkms  # noqa: PLC0415  # an extra of the extra
        except ImportError:
            raise DeclarationError(
                "keys that Google's service wraps need its client", way_out="pip install 'tink[gcpkms]'"
            ) from None
        return gcpkms.GcpKmsClient(kek, None), (GoogleAPIError,)
    raise DeclarationError(f"{kek!r} is not the address of a key that wraps keys", way_out=f"write {_EXAMPLE}")


def _secret(kind: str, value: bytes, path: str) -> bytes:
    from tink.proto import aes_siv_pb2, hmac_pb2  # noqa: PLC0415  # an extra

    match kind:
        case "HmacKey":
            secret: bytes = hmac_pb2.HmacKey.FromString(value).key_value
        case "AesSivKey":
            secret = aes_siv_pb2.AesSivKey.FromString(value).key_value
        case _:
            raise DeclarationError(
                f"the primary key of the keyset {path} is of the type {kind}",
                way_out="create one of the type HMAC_SHA256_256BITTAG or AES256_SIV",
            )
    return secret
