"""Codes of what `lvsc verify` finds."""

from lvsc.diagnostics import Code

OTHERWISE = Code(
    "LVS701",
    "a file that says something else than the spec",
    """What was emitted was read back by the backend's own reader, which shares no words with its emitter, and does not say what
the spec asks for. So the backend has a defect: do not load the file. Report it with the spec, or use another backend.""",
)

MISREAD = Code(
    "LVS702",
    "a file that its own backend cannot read",
    """The backend's reader does not know a file or a part of it that the backend itself emitted, so nothing proves what programs
make of it. This is a defect of the backend; report it with the spec.""",
)

FILTERS_DIFFER = Code(
    "LVS703",
    "two packet filters that treat packets differently",
    """The same spec was emitted for two packet filters and both texts were read back. They must do the same to every packet, and
do not: one of the two backends has a defect. Report it with the spec, and do not change from one packet filter to the other.""",
)

REFUSED = Code(
    "LVS704",
    "a file that its program refuses",
    """The program that is to read the file was given it, in a place where nothing can come to harm, and complains. Where its release
is another than the target's, `lvsc verify` on a machine of the target's distribution has the last word; where the kernel lacks
a module, load it there.""",
)

ALL = (OTHERWISE, MISREAD, FILTERS_DIFFER, REFUSED)
