"""The codes of what the readers do not understand."""

from lvsc.plugin import Code

LINE = Code(
    "IPV101",
    "not a line of an IPVS table",
    """\
A table is a line `-A` with its options for each virtual service and a line `-a` for each real server, as `ipvsadm -Sn`
prints and `ipvsadm -R` reads them. This line is something else: `ipvsadm -R` stops at it, or changes a table that is not
in the text. Blank lines and comments are refused by ipvsadm too.""",
)
OPTION = Code(
    "IPV102",
    "an option that is not understood",
    """\
ipvsadm(8) has no such option, not here, or not twice; or it has, and lvsc has no word for what it does. So it cannot be
said what the service or the real server is.""",
)
VALUE = Code(
    "IPV103",
    "a value that ipvsadm would not take as it stands",
    """\
An address, port, number or name is missing or out of range, or ipvsadm would put another one in its place. Host and
service names instead of numbers come from `ipvsadm -S` without `-n`. A mark above 2147483647 is printed as a negative number by
ipvsadm up to 1.31, and cannot be restored.""",
)
TABLE = Code(
    "IPV104",
    "lines of a table that contradict each other",
    """\
A virtual service or a real server is there twice, or a real server is of a service that is not in the text. The kernel
takes the first and refuses the rest.""",
)
LISTING = Code(
    "IPV105",
    "a listing that does not fit the table",
    """\
`ipvsadm -Sn` does not say the thresholds, so `ipvsadm -Ln --thresholds` is read after it. Here the two are not of the
same table, or the listing has a line that is not understood. Print both at once, with nothing changing in between.""",
)
SCRIPT = Code(
    "IPV106",
    "a script that is not lvsc's",
    """\
The script that loads the table is the same on every director, but for the time-outs and the connection synchronisation that
it sets. This line of it is another one, so what it does cannot be said. Build and write the files again.""",
)

ALL = (LINE, OPTION, VALUE, TABLE, LISTING, SCRIPT)
