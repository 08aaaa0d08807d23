"""What an Avro file has in its blocks, unpacked: Iceberg's manifests keep the least and greatest values of columns."""

import zlib
from io import BytesIO

_MAGIC = b"Obj\x01"
_MARK_BYTES = 16


def avro_blocks(content: bytes) -> bytes:
    """The header and the unpacked blocks of an Avro file, one after the other; nothing for a file that is none.

    Raises:
        ValueError: It is cut off, or packed in a way that is not known.
    """
    if not content.startswith(_MAGIC):
        return b""
    stream = BytesIO(content)
    stream.seek(len(_MAGIC))
    header = _map(stream)
    codec = header.get(b"avro.codec", b"null")
    if codec not in (b"null", b"deflate"):
        raise ValueError(f"an Avro file is packed by {codec.decode('ascii', 'replace')}")
    stream.seek(_MARK_BYTES, 1)
    found = [b"\n".join([*header, *header.values()])]
    while stream.tell() < len(content):
        _long(stream)
        block = stream.read(_long(stream))
        found.append(zlib.decompress(block, wbits=-15) if codec == b"deflate" else block)
        stream.seek(_MARK_BYTES, 1)
    return b"\n".join(found)


def _map(stream: BytesIO) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    while count := _long(stream):
        if count < 0:
            _long(stream)  # the size of the block, which nobody needs
        for _ in range(abs(count)):
            name = stream.read(_long(stream))
            found[name] = stream.read(_long(stream))
    return found


def _long(stream: BytesIO) -> int:
    """A number as Avro writes it: seven bits a byte, the sign in the last bit."""
    shift = number = 0
    while True:
        if not (byte := stream.read(1)):
            raise ValueError("an Avro file is cut off")
        number |= (byte[0] & 0x7F) << shift
        if not byte[0] & 0x80:
            return (number >> 1) ^ -(number & 1)
        shift += 7
