"""The mistakes that reading a spec (LVS0xx) and holding it against the schema (LVS1xx) find."""

from lvsc.diagnostics import Code

SYNTAX = Code(
    "LVS001",
    "not TOML",
    """The file is not TOML, so nothing else in it could be looked at. The rest is checked once this is put right.
The grammar is at https://toml.io. What most often goes wrong:

wrong:  name = red-hat          right:  name = "red-hat"            text needs quotes
wrong:  ip = 192.0.2.10         right:  ip = ["192.0.2.10"]         so do addresses
wrong:  accept = True           right:  accept = true               true and false are lowercase
wrong:  priority = 0150         right:  priority = 150              no leading zeros
wrong:  path = "C:\\temp"        right:  path = 'C:\\temp'            single quotes take a backslash as it is
wrong:  check = { type = "http",
                  path = "/" }  right:  check = { type = "http", path = "/" }
                                        a table in braces stands on one line, and ends without a comma""",
)

ENCODING = Code(
    "LVS002",
    "not UTF-8 text",
    """TOML is UTF-8 text without a byte order mark. Save the file as UTF-8; an editor calls that with a mark "UTF-8 with
BOM" or "UTF-8 with signature".

wrong:  EF BB BF 5B 63 ...      right:  5B 63 ...""",
)

REPEATED = Code(
    "LVS003",
    "a key or table given twice",
    """TOML lets each key, and each table, be said once: a second one would silently hide the first. It may have been
given by other words: `[a]` with `b.c = 1` makes the table `a.b`, and so does the header `[a.b]`.

wrong:  [services.web]          right:  [services.web]
        mark = 80                       mark = 80
        [services.web]                  scheduler = "wlc"
        scheduler = "wlc"""
    '"',
)

LIMIT = Code(
    "LVS004",
    "beyond what can be read",
    """The file is TOML, but holds tables or lists nested more than a hundred deep, or a number of thousands of digits.
No key of a spec is like that.""",
)

UNKNOWN_KEY = Code(
    "LVS101",
    "an unknown key",
    """No key of this name can stand here. Unknown keys are errors so that a misspelt one is never passed over. Where a
known key is much like it, that one is proposed; `lvsc schema` prints all that there are.

wrong:  [services.web]          right:  [services.web]
        scheduller = "wlc"              scheduler = "wlc\"""",
)

MISSING_KEY = Code(
    "LVS102",
    "a missing key",
    """A table lacks a key that has no default.

wrong:  [services.web]          right:  [services.web]
        address = "www"                 address = "www"
                                        pool = "web\"""",
)

NOT_A_CHOICE = Code(
    "LVS103",
    "not one of the choices",
    """The value must be one of a few, and is none of them. Upper and lower case differ.

wrong:  scheduler = "wlcc"      right:  scheduler = "wlc\"""",
)

WRONG_TYPE = Code(
    "LVS104",
    "a value of the wrong type",
    """TOML tells strings, integers, floats, booleans, dates and times, arrays and tables apart, and so does the spec: 1.0
is a float and no integer, "80" is a string and no integer, and true is neither.

wrong:  priority = "150"        right:  priority = 150
wrong:  persistence = 300       right:  persistence = "5m"
wrong:  weight = 2.0            right:  weight = 2
wrong:  prefixes = "10.0.0.0/8" right:  prefixes = ["10.0.0.0/8"]""",
)

WRONG_FORM = Code(
    "LVS105",
    "a text of the wrong form",
    """The string is not what this key's values look like; the message says what they do. Texts of a spec end up in files
that programs run as root read, so that their form is held tightly.

wrong:  persistence = "5 min"   right:  persistence = "5m"
wrong:  ports = ["80"]          right:  ports = ["tcp/80"]""",
)

OUT_OF_RANGE = Code(
    "LVS106",
    "a number out of range",
    """The number is below the least or above the greatest that the key takes; both limits are allowed values.

wrong:  virtual_router_id = 256 right:  virtual_router_id = 255""",
)

WRONG_COUNT = Code(
    "LVS107",
    "too few or too many",
    """A list or a table has too few or too many entries, or a string too few or too many characters.

wrong:  ports = []              right:  ports = ["tcp/80"]""",
)

REPEATED_ITEM = Code(
    "LVS108",
    "a list with the same item twice",
    """No item of this list may be there twice.

wrong:  ports = ["tcp/80", "tcp/80"]
right:  ports = ["tcp/80"]""",
)

WRONG_NAME = Code(
    "LVS109",
    "a name of the wrong form",
    """Names that you choose for tables end up in comments, chain names and file names, some of them short, so that their
form is held tightly.

wrong:  [services.Web_1]        right:  [services.web-1]""",
)

NOT_IN_SCHEMA = Code(
    "LVS110",
    "does not fit the schema",
    """The value breaks a rule of the schema that lvsc has no words of its own for; the message names the rule. `lvsc
schema` prints the schema. A plugin that brings such a rule can put a pattern into words with `x-pattern-says`.""",
)

ALL = (
    SYNTAX,
    ENCODING,
    REPEATED,
    LIMIT,
    UNKNOWN_KEY,
    MISSING_KEY,
    NOT_A_CHOICE,
    WRONG_TYPE,
    WRONG_FORM,
    OUT_OF_RANGE,
    WRONG_COUNT,
    REPEATED_ITEM,
    WRONG_NAME,
    NOT_IN_SCHEMA,
)
