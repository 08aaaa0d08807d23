"""The words that messages of DuckDB, Arrow and Python are made of. What is not among them may be a value."""

_WORDS = """
a about above accepts added adding after all allowed already also an and any applied are argument arguments array
arrowinvalid as ascii at attributeerror authentication bad be because been before begin below between bigint binary
bind binder binderexception blob bool boolean both buffer but by byte bytes can can't cannot cast casting catalog
character characters check checks closed code codec column columns compare comparison connect connection constant
constraint contain contains conversion conversionexception convert converted converting could count create csv data
database date datetime dd decimal decode decoded default delimiter denied destination did didn't divide division
does doesn't domain double doubles dtype duplicate each element elements empty encode end enough error errors escape
exactly exceeded exceeds exception exist exists expect expected expecting expression extra fail failed fails field
fields file files first float floating for format found from function given got greater group had has have held hex
higher hint host huge hugeint if in incompatible index indexerror input insert int int16 int32 int64 int8 integer
internal interval into invalid invalidinputexception is isn't it its json key keyerror keys length less like limit
line list literal login long longer lost lower malformed map match matches maximum may message minimum missing mm
more most multiplication must name named names nan near negative nested network no non not null nullable number
numbers numeric object of offset on only operand operator operators or order other out outofrangeexception outside
over overflow parameter parquet parse parsed parser parsing password pattern permission port position possible
precision primary provided query quoted range read reading real record referenced refused regex regular required
result returned role row rows runtimeerror scale schema select server set short should size smaller socket source
specifier start statement str string struct subquery subtraction such syntax table take taken target text than that
the there this time timed timeout timestamp timezone to too transform try trying tuple type typeerror types ubigint
uint uint16 uint32 uint64 uint8 unable unexpected unicode union unique unit unknown unsupported unterminated up use
used user utf8 uuid valid value valueerror values varchar vector was when where which while will with without would
wrong year yyyy zero zerodivisionerror zone
"""

KNOWN_WORDS = frozenset(_WORDS.split())
