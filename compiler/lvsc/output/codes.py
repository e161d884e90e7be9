"""The codes of what stands in the way of writing the files, and of secrets that cannot be used."""

from lvsc.diagnostics import Code, Severity

NOT_OURS = Code(
    "LVS601",
    "a file that lvsc did not write",
    """A file is to be written where another one stands already, and neither the manifest of the last build nor the journal
of an interrupted one names it. It may be somebody's work, so nothing was written. Move it away, or build into another
directory.""",
    trouble=True,
)

OBSTACLE = Code(
    "LVS602",
    "something else where a file or directory must go",
    """A directory stands where a file must go, or a file, a symbolic link or something else where a directory must. lvsc
follows no symbolic link below the cluster's directory, because it might lead out of it. Nothing was written. Move it away.""",
    trouble=True,
)

BROKEN_RECORD = Code(
    "LVS603",
    "a manifest or journal that cannot be read",
    """The manifest of the last build says which files are lvsc's to replace and remove, and the journal which files an
interrupted build was about to write. One of them is not what lvsc writes: it was changed by hand or by a merge, belongs to
another cluster, or was written by a newer lvsc. Nothing was written. Restore the file, or remove the whole directory of
the cluster and build again.""",
    trouble=True,
)

LOCKED = Code(
    "LVS604",
    "another build is at work",
    """Another lvsc is writing into the same directory. Nothing was written. Wait until it is done and build again.""",
    trouble=True,
)

INPUT_OUTPUT = Code(
    "LVS605",
    "a file that cannot be read or written",
    """The system refused to read or write a file or directory of the tree: no permission, a full disk, a read-only file
system. Each file is either what it was before or what it shall be, never a part of it. Remove the cause and build again:
the next build completes the one that stopped.""",
    trouble=True,
)

BAD_PATH = Code(
    "LVS606",
    "a plugin's file with an impossible path",
    """A backend asks for a file at a path that is not absolute, is not in its shortest form, holds `..` or other than
printable ASCII characters, or is also the directory of another of its files. This is a defect of the plugin.""",
    trouble=True,
)

NO_SECRET = Code(
    "LVS611",
    "a secret that is not there",
    """The spec says where a secret's value is kept: in an environment variable, or in the first line of a file whose path is
relative to the spec. There is no such variable or file, or it is empty. Only `lvsc build` needs the value.""",
    trouble=True,
)

BAD_SECRET = Code(
    "LVS612",
    "a secret that cannot be written",
    """The value is longer than the program that reads it takes into account, or holds a character that the program would
read as something else. Allowed are printable ASCII characters except spaces, quotes and # ! $ @ ~ \\ { }.""",
    trouble=True,
)

EXPOSED_SECRET = Code(
    "LVS613",
    "a secret that others can read",
    """The file that holds the secret can be read or written by its group or by everybody. Take the permissions away with
`chmod 600`.""",
    Severity.WARNING,
)

ALL = (
    NOT_OURS,
    OBSTACLE,
    BROKEN_RECORD,
    LOCKED,
    INPUT_OUTPUT,
    BAD_PATH,
    NO_SECRET,
    BAD_SECRET,
    EXPOSED_SECRET,
)
