"""What one regular expression reads of messages is what the parser reads of them, each by itself."""

import json
import random

from readiness_pipelines.limits import Limits
from readiness_pipelines.sources.messages import TopicMessage, decode_messages

SPACES = ("", " ", "\n", "\t ")
NUMBERS = ("0", "-0", "1.50", "1e5", "-2.5E-3", "01", "1.", ".5", "+1", "NaN", "-Infinity", "9" * 40, "\u0661")
STRINGS = ('""', '"é"', '"null"', '" a "', '"a\\"b"', '"\\ud800"', '"a\\u0041"', '"a\tb"', '"a\x00b"', '"\x7f"', '"a')
OTHERS = ("true", "false", "null", "True", "[1, 2.0]", '{"a": 1}', "")


def written(chance: random.Random) -> bytes:
    """An object, which may be JSON."""

    def space() -> str:
        return chance.choice(SPACES)

    keys = chance.choice((["a", "b"], ["b", "a"], ["a"], ["a", "a"], ["a", "B"], ["a", "b", "c d.e*"], ["_row"], []))
    kinds = (NUMBERS, STRINGS, OTHERS, ('"x"', "1"), ('"x"', "1"))
    pairs = (f'{space()}"{key}"{space()}:{space()}{chance.choice(chance.choice(kinds))}{space()}' for key in keys)
    text = f"{space()}{{{','.join(pairs)}}}{space()}{chance.choice(('', '', '', '', ',', 'x'))}"
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
