"""Keys that a key management service has wrapped: a real service over HTTP decrypts them, or the batch waits."""

import hmac
from hashlib import sha256
from pathlib import Path

import boto3
import pytest
import tink
from tink import aead, json_proto_keyset_format, mac
from tink.integration import awskms

from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.keys import read_key
from readiness_pipelines.settings import Settings
from readiness_pipelines_tests.stores import s3_server


@pytest.fixture
def kek(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a new key in the service."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", s3_server().endpoint)
    service = boto3.client("kms", region_name="us-east-1")
    return f"aws-kms://{service.create_key()['KeyMetadata']['Arn']}"


def wrap(template: object, *, by: str, to: Path) -> tink.KeysetHandle:
    """A new keyset, written to a file as the service encrypts it."""
    mac.register()
    aead.register()
    keyset = tink.new_keyset_handle(template)
    text = json_proto_keyset_format.serialize_encrypted(keyset, awskms.AwsKmsClient(by, None).get_aead(by), b"")
    to.write_text(text, encoding="utf-8")
    return keyset


def test_the_primary_key_of_a_wrapped_keyset_is_the_key(kek: str, tmp_path: Path) -> None:
    file = tmp_path / "patients.json"
    template = mac.mac_key_templates.create_hmac_key_template(32, 32, tink.proto.common_pb2.SHA256)
    template.output_prefix_type = tink.proto.tink_pb2.RAW
    keyset = wrap(template, by=kek, to=file)
    key = Settings(keys={"patients": f"tink:{file}?kek={kek}"}).key("patients")
    assert keyset.primitive(mac.Mac).compute_mac(b"P-1") == hmac.digest(key, b"P-1", sha256)
    assert key not in file.read_bytes()


def test_a_keyset_that_is_not_decrypted_is_named_without_what_is_in_it(
    kek: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "patients.json"
    wrap(mac.mac_key_templates.HMAC_SHA256_256BITTAG, by=kek, to=file)
    other = f"aws-kms://{boto3.client('kms', region_name='us-east-1').create_key()['KeyMetadata']['Arn']}"
    with pytest.raises(DeclarationError, match="did not decrypt"):
        read_key("patients", f"tink:{file}?kek={other}")
    with pytest.raises(DeclarationError, match="not the address of a key that wraps keys"):
        read_key("patients", f"tink:{file}?kek=vault://here")
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(DeclarationError, match=r"did not decrypt the keyset .* \(EndpointConnectionError\)"):
        read_key("patients", f"tink:{file}?kek={kek}")


def test_a_keyset_of_another_kind_is_refused(kek: str, tmp_path: Path) -> None:
    file = tmp_path / "patients.json"
    wrap(aead.aead_key_templates.AES256_GCM, by=kek, to=file)
    with pytest.raises(DeclarationError, match="is of the type AesGcmKey"):
        read_key("patients", f"tink:{file}?kek={kek}")
    file.write_text("{", encoding="utf-8")
    with pytest.raises(DeclarationError, match="is not JSON"):
        read_key("patients", f"tink:{file}?kek={kek}")
