"""Whatever a plugin raises is a diagnostic that names the plugin."""

from collections.abc import Iterator
from contextlib import contextmanager

from lvsc.diagnostics import Code, DiagnosticError, Origin, Place

FAILED = Code(
    "LVS507",
    "a plugin that fails",
    """A plugin broke down over its part of the cluster, or asks for a file that cannot be: one whose path is not absolute, is
not in its shortest form or holds `..`, or a line with a line break in it. This is a defect of the plugin, whatever the spec
says.""",
    trouble=True,
)

ALL = (FAILED,)

#: What to do about it.
DEFECT = "report this defect to the plugin's author, or do without the plugin"


@contextmanager
def blamed(plugin: str, over: str, place: Place | Origin | None = None) -> Iterator[None]:
    """Whatever is raised within becomes a diagnostic that says `PLUGIN fails over OVER`.

    Raises:
        DiagnosticError: Within, the plugin failed.
    """
    try:
        yield
    # A plugin that leaves the program would look like one that finds nothing wrong.
    except (Exception, SystemExit) as error:
        import traceback  # noqa: PLC0415 - only a defect pays for it

        *_, (frame, line) = traceback.walk_tb(error.__traceback__)
        failed = FAILED.at(
            place,
            f"{plugin} fails over {over}: {error}",
            notes=[f"{type(error).__name__} at {frame.f_code.co_filename}:{line}"],
            help=DEFECT,
        )
        raise DiagnosticError([failed]) from error
