"""The codes of what the reader does not understand."""

from lvsc.plugin import Code

SYNTAX = Code(
    "KAD101",
    "not the syntax of keepalived.conf",
    """\
A quote or block is not closed, a brace stands where none can, a line is longer than keepalived reads (1022 bytes), or holds
a character or a backslash that releases of keepalived read differently. What keepalived makes of the rest of the
file depends on it.""",
)
EXPANSION = Code(
    "KAD102",
    "text that keepalived expands",
    """\
`include` reads other files, `@NAME` keeps a line for some hosts only, `$NAME` stands for a definition, and `~SEQ` and `~LST`
repeat a line. lvsc expands none of them, so it would not see what keepalived sees. Give it the file as it is once
expanded: one complete file for each host.""",
)
KEYWORD = Code(
    "KAD103",
    "a keyword that is not understood",
    """\
keepalived has no such keyword in this block, or it has and lvsc has no word for what it says. What the block does cannot be
said without it: remove it, or leave the file out of the comparison.""",
)
VALUE = Code(
    "KAD104",
    "a value that is not understood",
    """\
A value is missing, out of range, one too many, or one that lvsc has no word for. keepalived logs such a line and
goes on with a default, which is most often not what was meant.""",
)
STRUCTURE = Code(
    "KAD105",
    "blocks that do not fit together",
    """\
Something is there twice, is missing, or names what is not there: a virtual service without real servers, a sync group of
unknown instances, two real servers with one address and port, a setting that has nothing to set. keepalived drops,
mixes up or changes such things, each release in its own way.""",
)

ALL = (SYNTAX, EXPANSION, KEYWORD, VALUE, STRUCTURE)
