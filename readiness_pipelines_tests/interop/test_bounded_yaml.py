"""YAML from anybody is read, or refused with its line, in bounded time and memory."""

from pathlib import Path

import pytest

from readiness_pipelines.errors import DeclarationError
from readiness_pipelines.interop.bounded_yaml import MOST_BYTES, parse_yaml, read_yaml

LAUGHS = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    f"{chr(98 + at)}: &{chr(98 + at)} [{','.join(['*' + chr(97 + at)] * 9)}]\n".encode() for at in range(9)
)

REFUSED: dict[str, tuple[bytes, str]] = {
    "a billion laughs": (LAUGHS, r"f\.yaml:\d: there are more than 200,000 values, with those of aliases"),
    "brackets without end": (b"[" * 100_000, "f.yaml:1: values are more than 64 deep"),
    "a mapping in itself many times": (b"{a: " * 100_000, "f.yaml:1: values are more than 64 deep"),
    "lines that go ever deeper": (b"".join(b" " * at + b"a:\n" for at in range(3000)), "f.yaml:65: values are more"),
    "a list within itself": (b"a: &a [*a]", "f.yaml:1: &a is within itself"),
    "a mapping within itself": (b"a: &a\n  b: *a", "f.yaml:2: &a is within itself"),
    "an alias of nothing": (b"a: *b", "f.yaml:1: nothing is called &b"),
    "a key twice": (b"a: 1\nb: 2\na: 3", "f.yaml:3: the key 'a' is there twice"),
    "a Python object": (b"a: !!python/object/apply:os.system ['ls']", "f.yaml:1: a value has the type .*python"),
    "a list as a key": (b"? [a]\n: 1", "f.yaml:1: a key is a list or a mapping"),
    "two documents": (b"a: 1\n---\nb: 2", "f.yaml:2: a second document begins"),
    "a merge of a number": (b"a:\n  <<: 3", "f.yaml:2: << is followed by something else"),
    "a tab": (b"a:\n\tb: 1", "f.yaml:2 is not valid YAML"),
    "bytes that are no text": (b"a: \xed\xa0\x80", "f.yaml is not UTF-8"),
    "a zero byte": (b"a: \x00", "f.yaml is not valid YAML"),
    "more than 8 MB": (b"#" * (MOST_BYTES + 1), "f.yaml is larger than 8 MB"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_take_all_time_or_memory_is_refused_with_its_line(what: str) -> None:
    content, message = REFUSED[what]
    with pytest.raises(DeclarationError, match=message) as refused:
        parse_yaml(content, file="f.yaml")
    assert refused.value.way_out


def test_values_are_what_the_text_says_and_know_their_lines() -> None:
    found = parse_yaml(
        b"a: &x {b: 1, c: 2026-11-01}\nd:\n  - *x\n  - {<<: *x, b: yes}\ne: 12:30:45\nf: " + b"9" * 5000, file="f"
    )
    assert found.value["d"] == [{"b": 1, "c": "2026-11-01"}, {"b": True, "c": "2026-11-01"}]
    assert found.value["f"] == "9" * 5000
    assert [found.line(path) for path in ((), ("a", "b"), ("d", 1, "b"), ("e",), ("f", "nowhere"))] == [1, 1, 4, 5, 6]
    assert parse_yaml("größe: ja".encode("utf-16"), file="f").value == {"größe": "ja"}
    assert parse_yaml(b'{"a": [1, 2.5, null, "x"]}', file="f").value == {"a": [1, 2.5, None, "x"]}
    assert parse_yaml(b"", file="f").value is None


def test_only_files_are_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.yaml", Path("/dev/zero")):
        with pytest.raises(DeclarationError, match="is not a file"):
            read_yaml(path)
