"""Expressions as people write them, and as nobody should: made from a seed, over the grammar of decisions."""

from collections.abc import Callable, Sequence
from random import Random

TEXTS = ("note", "NOTE", '"note"', '"Größe (cm)"', "state", '"sta""te 2"', "_file", "_batch")
NUMBERS = ("order_id", "amount", "Amount", "price", "small", "_row")
TIMES = ("paid", "day")
FLAGS = ("flag",)

TEXT_LITERALS = (
    "''",
    "'a'",
    "'it''s'",
    "'now()'",
    "'-- no comment'",
    "'/* nor here */'",
    "'(SELECT 1)'",
    "'größer 🦆'",
    "'שלום\u200f'",
    "E'tab\\t'",
    "$$dollar$$",
    "'%'",
    "'1e3'",
    "'2026-02-30'",
    "'line\nline'",
)
NUMBER_LITERALS = (
    "0",
    "1",
    "-1",
    "3.14",
    "1e300",
    "-1e-300",
    "1e400",
    "9223372036854775807",
    "9" * 38,
    "9" * 60,
    "1_000",
)
TIME_LITERALS = (
    "DATE '2026-02-28'",
    "TIMESTAMP '2026-02-28 23:59:59.999999'",
    "TIMESTAMPTZ '2026-02-28 00:00:00+05:30'",
    "'infinity'::TIMESTAMP",
    "DATE '-infinity'",
    "make_date(2024, 2, 29)",
    "make_timestamp(2024, 2, 29, 1, 2, 3.5)",
    "try_strptime(note, '%Y-%m-%d')",
)
TYPES = ("INTEGER", "TINYINT", "HUGEINT", "DOUBLE", "DECIMAL(10, 2)", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "BLOB")
PATTERNS = ("'^[0-9]+$'", "'(a|b)*c?'", "'\\d{1,3}'", "'(?i)X'", "'.*'", "''", "'(a+)+$'")
PARTS = ("'year'", "'month'", "'day'", "'hour'", "'minute'")
BINARY = ("+", "-", "*", "/", "//", "%", "**", "&", "|", "<<", ">>")
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "==", "!=")

ALONE = (
    "",
    " ",
    ";",
    "*",
    "COLUMNS(*)",
    "COLUMNS('a.*')",
    "* EXCLUDE (note)",
    "UNPACK (COLUMNS(*))",
    "rows_given.*",
    "1 AS other",
    "1, 2",
    "1; DROP TABLE ledger_batches",
    "1; ATTACH '/tmp/x.db'",
    "1) FROM range(3) --",
    "1) UNION SELECT (2",
    "1) OR (true",
    "true) --",
    "true --",
    "1 /*",
    "/* */ 1 /* */ --",
    "PRAGMA database_list",
    "SET memory_limit = '100GB'",
    "COPY (SELECT 1) TO '/tmp/x.csv'",
    "ATTACH 'x.db'",
    "INSTALL httpfs",
    "LOAD spatial",
    "CALL pragma_version()",
    "SELECT 1",
    "FROM range(10)",
    "VALUES (1)",
    "WITH x AS (SELECT 1) SELECT * FROM x",
    "DISTINCT note",
    "ALL",
    "DEFAULT",
    "$1",
    "?",
    "$name",
    "#1",
    "'a",
    '"a',
    "$$a",
    ")",
    "((",
    "note note",
    "🦆(",
    "\0",
    "'a\0b'",
    "note\0",
    "'\ud800'",
    "note || '\udcff'",
    "note || '\u202e'",
    "note || '\x1b[2J'",
    "\ufeffnote",
    "note\u200b",
    "\u202enote",
    "n\u043ete",
    "'x'" + " || 'x'" * 2_000,
    "'" + "x" * 1_000_000 + "'",
    "(" * 5_000 + "1" + ")" * 5_000,
    "NOT " * 2_400 + "true",
    "- " * 2_400 + "1",
    "lower(" * 900 + "note" + ")" * 900,
    "CASE WHEN true THEN " * 300 + "1" + " END" * 300,
    "1" + "+1" * 4_000,
    "true" + " AND true" * 1_000,
    "[" * 900 + "]" * 900,
    "9" * 9_000,
    "'x' LIKE '" + "%_" * 4_000 + "'",
)
"""Hostile where they stand alone."""

PARTS_OF_OTHERS = (
    "(SELECT 1)",
    "(SELECT max(amount) FROM decided)",
    "(SELECT content FROM read_text('/etc/passwd'))",
    "(SELECT count(*) FROM read_csv('/etc/passwd'))",
    "(SELECT count(*) FROM '/etc/passwd')",
    "(SELECT count(*) FROM information_schema.tables)",
    "(SELECT count(*) FROM duckdb_secrets())",
    "(SELECT sql FROM sqlite_master)",
    "(SELECT note FROM shop.orders LIMIT 1)",
    "(SELECT unnest([1]))",
    "EXISTS (FROM range(3))",
    "read_text('/etc/passwd')",
    "read_csv('/etc/passwd')",
    "glob('/etc/*')",
    "getenv('HOME')",
    "getvariable('x')",
    "current_setting('temp_directory')",
    "current_query()",
    "current_database()",
    "version()",
    "nextval('s')",
    "currval('s')",
    "random()",
    "setseed(0.5)",
    "uuid()",
    "uuidv7()",
    "gen_random_uuid()",
    "now()",
    "today()",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "get_current_timestamp()",
    "transaction_timestamp()",
    "age(paid)",
    "ago(INTERVAL 1 DAY)",
    "txid_current()",
    "pg_sleep(1)",
    "sleep_ms(1)",
    "error('x')",
    "hash(note)",
    "query('SELECT 1')",
    "query_table('x')",
    "sql_auto_complete('S')",
    "json_execute_serialized_sql('x')",
    "json_serialize_sql('SELECT 1')",
    "write_log('x')",
    "count(*)",
    "sum(amount)",
    "max(note)",
    "list(note)",
    "string_agg(note, ',')",
    "first(note)",
    "sum(amount) FILTER (WHERE true)",
    "row_number() OVER ()",
    "lag(amount) OVER (ORDER BY order_id)",
    "unnest([1, 2])",
    "generate_series(1, 2)",
    "range(1000000000000)",
    "repeat('x', 1000000000)",
    "list_transform([1], lambda x: x + 1)",
    "[x FOR x IN [1, 2]]",
    "list_aggregate([1], 'sum')",
    "array_agg(note)",
    "struct_pack(a := 1)",
    "row(1, 2)",
    "map_from_entries([(1, 2)])",
    "MAP {1: 2}",
    "from_json('1', '\"INT\"')",
    "json_extract('{}', '$')",
    "main.lower(note)",
    "system.main.lower(note)",
    "lower(DISTINCT note)",
    "lower(note ORDER BY note)",
    "note COLLATE NOCASE",
    "paid AT TIME ZONE 'Europe/Berlin'",
    "rowid",
    "gone",
    "other.note",
    "lowr(note)",
    "icu_sort_key(note, 'de')",
    "timezone('UTC', paid)",
    "to_timestamp(0)::VARCHAR",
    "lpad(note, 1000000000, 'x')",
    "rpad(note, order_id * 1000000, 'x')",
    "lpad(lpad('', 2000000000, 'x'), 1, 'x')",
    "format('{:1000000000d}', order_id)",
    "format('{:{}d}', order_id, 1000000000)",
    "printf('%1000000000d', order_id)",
    "printf('%*d', 1000000000, order_id)",
    "format(note, order_id)",
    "levenshtein(lpad('', 90000, 'x'), lpad('', 90000, 'y'))",
    "regexp_replace(regexp_replace(regexp_replace(note, '', '"
    + "x" * 900
    + "', 'g'), '', '"
    + "x" * 900
    + "', 'g'), '', '"
    + "x" * 900
    + "', 'g')",
    "replace(replace(replace('xxxxxxxx', 'x', '"
    + "x" * 900
    + "'), 'x', '"
    + "x" * 900
    + "'), 'x', '"
    + "x" * 900
    + "')",
    "regexp_matches(note, '(((a{1,100}){1,10}){1,10})*b')",
    "regexp_matches(note, '(')",
    "regexp_matches(note, note)",
    "CAST(note AS INTEGER)",
    "CAST(note AS DATE)",
    "CAST(note AS gone)",
    "CAST(note AS UUID)",
    "CAST(amount AS ENUM ('a'))",
    "note::INTEGER[]",
    "note::STRUCT(a INTEGER)",
    "strptime(note, '%Y')",
    "1 // 0",
    "1 % 0",
    "order_id // (order_id - order_id)",
    "1 << 100",
    "9223372036854775807 + order_id",
    "chr(-1)",
    "sqrt(-1)",
    "ln(0)",
    "2 ** 10000",
    "make_date(2026, 13, 45)",
    "date_trunc('now', paid)",
    "paid + INTERVAL 999999 YEAR",
)
"""Hostile wherever they stand, or at least doubtful."""


class Grammar:
    """Expressions from a seed: the same seed gives the same ones."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def innocent(self, depth: int) -> tuple[str, str]:
        """An expression and a condition that mean something, most of which decisions allow."""
        made: Sequence[Callable[[int], str]] = (self.text, self.number, self.time, self.flag)
        return self._chance.choice(made)(depth), self.flag(depth)

    def hostile(self, depth: int) -> tuple[str, str]:
        """An expression and a condition, at least one of them hostile, or broken."""
        kind = self._chance.random()
        if kind < 0.3:
            bad = self._chance.choice(ALONE)
        elif kind < 0.85:
            bad = self._around(self._chance.choice(PARTS_OF_OTHERS), depth)
        else:
            bad = self._broken(self._chance.choice(self.innocent(depth)))
        good = self.flag(1)
        return (bad, good) if self._chance.random() < 0.6 else (self.text(1), bad)

    def text(self, depth: int) -> str:
        pick = self._chance.choice
        if depth <= 0:
            return pick((*TEXTS, *TEXT_LITERALS, "NULL"))
        text, number, time, flag = self.text, self.number, self.time, self.flag
        return pick(
            (
                lambda d: (
                    f"{pick(('lower', 'UPPER', 'trim', 'ltrim', 'reverse', 'strip_accents', 'md5', 'hex'))}({text(d)})"
                ),
                lambda d: f"{text(d)} || {text(d)}",
                lambda d: f"{pick(('lpad', 'rpad'))}({text(d)}, {pick('0358')}, {pick(('0', 'xy')).join(chr(39) * 2)})",
                lambda d: f"substring({text(d)}, {pick(('1', '-2', '0'))}, {pick('0358')})",
                lambda d: f"{pick(('left', 'right'))}({text(d)}, {pick(('2', '-1', '0'))})",
                lambda d: f"replace({text(d)}, {pick(TEXT_LITERALS)}, {pick(TEXT_LITERALS)})",
                lambda d: f"translate({text(d)}, 'abc', 'x')",
                lambda d: f"regexp_replace({text(d)}, {pick(PATTERNS)}, 'x', 'g')",
                lambda d: f"regexp_extract({text(d)}, {pick(PATTERNS)})",
                lambda d: f"coalesce({text(d)}, {text(d)})",
                lambda d: f"nullif({text(d)}, {text(d)})",
                lambda d: f"if({flag(d)}, {text(d)}, {text(d)})",
                lambda d: f"CASE WHEN {flag(d)} THEN {text(d)} ELSE {text(d)} END",
                lambda d: f"CASE {text(d)} WHEN {text(d)} THEN {text(d)} END",
                lambda d: f"CAST({number(d)} AS VARCHAR)",
                lambda d: f"({number(d)})::VARCHAR",
                lambda d: f"strftime({time(d)}, '%Y-%m-%d %H')",
                lambda d: f"split_part({text(d)}, ',', {pick(('1', '-1', '0'))})",
                lambda d: f"concat({text(d)}, {number(d)}, {flag(d)})",
                lambda d: f"concat_ws('-', {text(d)}, {text(d)})",
                lambda d: f"greatest({text(d)}, {text(d)})",
                lambda d: f"({text(d)})[1:2]",
                lambda d: f"string_split({text(d)}, ',')[1]",
                lambda d: f"list_value({text(d)}, 'b')[1]",
                lambda d: f"{{'a': {text(d)}}}.a",
                lambda d: f"format('{{}} and {{:>5}}', {text(d)}, {text(d)})",
                lambda _: "printf('%5d', order_id)",
                lambda d: f"TRY({text(d)})",
            )
        )(depth - 1)

    def number(self, depth: int) -> str:
        pick = self._chance.choice
        if depth <= 0:
            return pick((*NUMBERS, *NUMBER_LITERALS, "NULL"))
        text, number, time, flag = self.text, self.number, self.time, self.flag
        return pick(
            (
                lambda d: f"{number(d)} {pick(BINARY)} {number(d)}",
                lambda d: f"-({number(d)})",
                lambda d: (
                    f"{pick(('abs', 'ceil', 'FLOOR', 'round', 'sign', 'sqrt', 'ln', 'exp', 'log10'))}({number(d)})"
                ),
                lambda d: f"round({number(d)}, {pick(('0', '2', '-2'))})",
                lambda d: f"{pick(('pow', 'mod', 'least', 'greatest'))}({number(d)}, {number(d)})",
                lambda d: f"{pick(('length', 'strlen', 'ascii'))}({text(d)})",
                lambda d: f"{pick(('instr', 'levenshtein', 'jaccard', 'strpos'))}({text(d)}, {text(d)})",
                lambda d: f"TRY_CAST({text(d)} AS {pick(('INTEGER', 'DOUBLE', 'DECIMAL(10, 2)', 'HUGEINT'))})",
                lambda d: f"{pick(('year', 'month', 'dayofweek', 'epoch'))}({time(d)})",
                lambda d: f"extract(day FROM {time(d)})",
                lambda d: f"date_part({pick(PARTS)}, {time(d)})",
                lambda d: f"date_diff({pick(PARTS)}, {time(d)}, {time(d)})",
                lambda d: f"coalesce({number(d)}, {number(d)})",
                lambda d: f"CASE WHEN {flag(d)} THEN {number(d)} ELSE {number(d)} END",
                lambda d: f"CAST({number(d)} AS {pick(TYPES)})",
                lambda d: f"TRY(CAST({number(d)} AS {pick(TYPES)}))",
            )
        )(depth - 1)

    def time(self, depth: int) -> str:
        pick = self._chance.choice
        if depth <= 0:
            return pick((*TIMES, *TIME_LITERALS, "NULL::TIMESTAMP"))
        time = self.time
        return pick(
            (
                lambda d: f"{time(d)} + INTERVAL {pick('123')} {pick(('DAY', 'MONTH', 'HOUR'))}",
                lambda d: f"{time(d)} - to_days({pick('123')})",
                lambda d: f"date_trunc({pick(PARTS)}, {time(d)})",
                lambda d: f"last_day({time(d)})",
                lambda d: f"coalesce({time(d)}, {time(d)})",
                lambda d: f"CAST({time(d)} AS {pick(('DATE', 'TIMESTAMP'))})",
            )
        )(depth - 1)

    def flag(self, depth: int) -> str:
        pick = self._chance.choice
        if depth <= 0:
            return pick((*FLAGS, "true", "_row >= 2", "note IS NULL", "order_id = 3", "amount < 0", "state = 'paid'"))
        text, number, time, flag = self.text, self.number, self.time, self.flag
        return pick(
            (
                lambda d: f"{text(d)} {pick(COMPARISONS)} {text(d)}",
                lambda d: f"{number(d)} {pick(COMPARISONS)} {number(d)}",
                lambda d: f"{time(d)} {pick(COMPARISONS)} {time(d)}",
                lambda d: f"{flag(d)} {pick(('AND', 'OR'))} {flag(d)}",
                lambda d: f"NOT ({flag(d)})",
                lambda d: f"{text(d)} IS {pick(('', 'NOT '))}NULL",
                lambda d: f"{number(d)} BETWEEN {number(d)} AND {number(d)}",
                lambda d: f"{text(d)} {pick(('', 'NOT '))}IN ({text(d)}, {text(d)})",
                lambda d: f"{text(d)} {pick(('LIKE', 'NOT ILIKE', 'GLOB', 'SIMILAR TO', '~'))} {pick(PATTERNS)}",
                lambda d: f"{text(d)} LIKE 'a!%%' ESCAPE '!'",
                lambda d: f"{pick(('contains', 'starts_with', 'suffix'))}({text(d)}, {text(d)})",
                lambda d: f"{pick(('regexp_matches', 'regexp_full_match'))}({text(d)}, {pick(PATTERNS)})",
                lambda d: f"list_contains([{text(d)}], {text(d)})",
                lambda d: f"{pick(('isnan', 'isinf', 'isfinite'))}({number(d)}::DOUBLE)",
                number,
            )
        )(depth - 1)

    def _around(self, part: str, depth: int) -> str:
        """A part within others, at some depth."""
        for _ in range(self._chance.randint(0, depth)):
            part = self._chance.choice(
                (
                    f"coalesce({part}, note)",
                    f"CASE WHEN true THEN {part} END",
                    f"CASE WHEN {part} IS NULL THEN 1 ELSE 2 END",
                    f"TRY({part})",
                    f"({part})",
                    f"{part} IS NOT NULL",
                    f"CAST({part} AS VARCHAR)",
                    f"[{part}][1]",
                    f"note || ({part})",
                    f"true OR ({part}) IS NULL",
                )
            )
        return part

    def _broken(self, text: str) -> str:
        """A text with a few characters lost, doubled, or put in."""
        for _ in range(self._chance.randint(1, 3)):
            place = self._chance.randrange(len(text) + 1)
            put = self._chance.choice(
                ("", "", "'", '"', "(", ")", ";", "--", ",", "\0", "\u202e", "*", "$1", "::", "/*")
            )
            text = text[:place] + put + text[place + self._chance.randint(0, 1) :]
        return text
