"""What one regular expression reads of messages is what the parser reads of them, each by itself."""

import json
import random

from readiness_pipelines.limits import Limits
from readiness_pipelines.sources.messages import TopicMessage, decode_messages

SPACES = ("", " ", "\n", "\t ")
NUMBERS = ("0", "-0", "1.50", "1e5", "-2.5E-3", "01", "1.", ".5", "+1", "NaN", "-Infinity", "9" * 40, "\u0661")
STRINGS = ('""', '"é"', '"null"', '" a "', '"a\\"b"', '"\\ud800"', '"a\\u0041"', '"a\tb"', '"a\x00b"', '"\x7f"', '"a')
OTHERS = ("true", "false", "null", "True", "[1, 2.0]", '{"a": 1}', "")

ODD_KEYS = ('a\\":1,\\"b', "a\\\\nb", "a\\nb", "\\u0061", "\\ud83d", "\\\\ud83d", " a", "e\u0301", "é", "n" * 1_001)
"""As JSON writes them; the first one would pass for two keys where it were taken as it is."""


def written(chance: random.Random) -> bytes:
    """An object, which may be JSON."""

    def space() -> str:
        return chance.choice(SPACES)

    keys = chance.choice((["a", "b"], ["b", "a"], ["a"], ["a", "a"], ["a", "B"], ["a", "b", "c d.e*"], ["_row"], []))
    if chance.random() < 0.3:
        keys = [*chance.sample(ODD_KEYS, 2), "a"][chance.randrange(3) :]
    kinds = (NUMBERS, STRINGS, OTHERS, ('"x"', "1"), ('"x"', "1"))
    pairs = (f'{space()}"{key}"{space()}:{space()}{chance.choice(chance.choice(kinds))}{space()}' for key in keys)
    text = f"{space()}{{{','.join(pairs)}}}{space()}{chance.choice(('', '', '', '', ',', 'x'))}"
    text = chance.choice(("\ufeff", *[""] * 20)) + text
    return text.encode("utf-8", "surrogatepass") if chance.random() < 0.97 else b"\xff" + text.encode()


def test_many_messages_are_decoded_together_as_each_is_alone() -> None:
    chance = random.Random(7)
    for seed in range(8):
        plain = [json.dumps({"a": str(number), "b": number}).encode() for number in range(seed % 3)]
        values = [*plain, *(written(chance) for _ in range(200))]
        messages = [TopicMessage(number % 3, number, None, value) for number, value in enumerate(values)]
        together = decode_messages(messages, topic="t", known=("a", "b"), limits=Limits())
        rows = {row["_row"]: row for row in together.table.to_pylist()}
        assert together.table["_row"].to_pylist() == [partition << 44 | offset for partition, offset, *_ in messages]
        spelled = ["a", "b"]
        for message in messages:
            alone = decode_messages([message], topic="t", known=spelled, limits=Limits())
            spelled += [name for name in alone.names if name not in spelled]
            (row,) = alone.table.to_pylist()
            assert {**dict.fromkeys(together.names), **row} == rows[row["_row"]], message.value


def test_keys_that_a_file_refuses_are_a_row_that_says_why_and_no_value_is_lost() -> None:
    for value, why in (
        ('{" a": 1, "a": 2}', "two of its keys differ in blanks around them, or in how accents are written, only"),
        (
            '{"\u00e9": 1, "e\u0301": 2}',
            "two of its keys differ in blanks around them, or in how accents are written, only",
        ),
        ('{"\\ud83d": 1, "\\\\ud83d": 2}', r"key '\\ud83d' is there twice"),
        (f'{{"{"n" * 1_001}": 1}}', f"its key '{'n' * 80}' cannot be a column's name"),
    ):
        message = TopicMessage(0, 0, None, value.encode())
        (row,) = decode_messages([message], topic="t", known=(), limits=Limits()).table.to_pylist()
        assert row["_unreadable_reason"] == why
        assert json.loads(row["_unreadable"])["value"] == value


def test_no_message_makes_the_keys_of_the_next_ones_pass_for_other_keys() -> None:
    sent = ('{"a\\":1,\\"b": 5}', '{"a":1,"b":2}', '{"a\\\\nb": 6}', '{"a\\nb": 7}', '\ufeff{"a": 8}')
    messages = [TopicMessage(0, number, None, value.encode()) for number, value in enumerate(sent)]
    rows = decode_messages(messages, topic="t", known=(), limits=Limits()).table.to_pylist()
    names = ('a":1,"b', "a", "b", r"a\nb", "a\nb")
    assert [[row[name] for name in names] for row in rows] == [
        ["5", None, None, None, None],
        [None, "1", "2", None, None],
        [None, None, None, "6", None],
        [None, None, None, None, "7"],
        [None, "8", None, None, None],
    ]


def test_nested_values_keep_their_letters_in_keys_as_in_values() -> None:
    value = '{"a": {"\u00fc": "\u00fc", "q\\"": ["\u91cf"], "\\ud83d": 1.10}}'.encode()
    (row,) = decode_messages([TopicMessage(0, 0, None, value)], topic="t", known=(), limits=Limits()).table.to_pylist()
    assert row["a"] == '{"\u00fc": "\u00fc", "q\\"": ["\u91cf"], "\\\\ud83d": 1.10}'
