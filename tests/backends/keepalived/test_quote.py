"""Quoted text reaches keepalived's commands as it was written, shown by the commands themselves."""

import os
import shutil
import signal
import string
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc_keepalived.quote import (
    MAX_LINE,
    UnsayableError,
    command,
    comment,
    is_plain_command,
    regex,
    word,
)
from support import keepalived
from support.keepalived_keywords import keywords

from .build import group, instance, script_user, text_of, track_script, virtual_address

#: How long all commands may take to run, and keepalived to end, in seconds; a busy machine is no finding.
LIMIT = 120
PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F))
#: A command's arguments as the spec writes them, and the words that the program must be given.
ARGUMENTS = [
    ("plain -a --b=c ./d", ["plain", "-a", "--b=c", "./d"]),
    ("'a b' 'c d'", ["a b", "c d"]),
    ('"a b" c', ["a b", "c"]),
    ("a'b c'd", ["ab cd"]),
    ('"it\'s"', ["it's"]),
    ("'say \"hi\"'", ['say "hi"']),
    ("''", [""]),
    ("# ! ; & | > < ( ) * ? [ ]", list("#!;&|><()*?[]")),
    ("{ } a{b}c", ["{", "}", "a{b}c"]),
    ("$HOME ${HOME} $(id) `id` $1", ["$HOME", "${HOME}", "$(id)", "`id`", "$1"]),
    (
        "$_PWD ${_HASH} $_BANG ${_RANDOM} '$_INSTANCE'",
        ["$_PWD", "${_HASH}", "$_BANG", "${_RANDOM}", "$_INSTANCE"],
    ),
    ("@lvs1 ~SEQ(a,1,3) $a=b", ["@lvs1", "~SEQ(a,1,3)", "$a=b"]),
    ("'#1 \"$2\" !3 {4}'", ['#1 "$2" !3 {4}']),
    ("\"#1 '$2' !3 {4}\"", ["#1 '$2' !3 {4}"]),
    ("'$0441' '\"0'", ["$0441", '"0']),
]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        pytest.param("/index.html?a=b&c=1", "/index.html?a=b&c=1", id="plain"),
        pytest.param("/a b", '"/a b"', id="blank"),
        pytest.param("/a#b!c", '"/a#b!c"', id="comment characters"),
        pytest.param("@lvs1", '"@lvs1"', id="at a line's start"),
        pytest.param("~SEQ", '"~SEQ"', id="likewise"),
        pytest.param("$5", '"$5"', id="dollar"),
        pytest.param("it's", '"it\'s"', id="single quote"),
    ],
)
def test_words(text: str, quoted: str) -> None:
    assert word(text) == quoted


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        pytest.param("/bin/a -b c", '"/bin/a -b c"', id="plain"),
        pytest.param("/bin/a 'b c'", "\"/bin/a 'b c'\"", id="single quotes"),
        pytest.param('/bin/a "b c"', "'/bin/a \"b c\"'", id="double quotes"),
        pytest.param("/bin/a 'b \"c\"'", "\"/bin/a 'b \\042c\\042'\"", id="a double quote as a character"),
        pytest.param('/bin/a "it\'s"', "'/bin/a \"it\\047s\"'", id="a single quote as a character"),
        pytest.param("/bin/a $b #c", '"/bin/a \\044b \\043c"', id="dollar and hash"),
        pytest.param("'/opt/my check' a", "\"'/opt/my check' a\"", id="a program with a blank"),
    ],
)
def test_commands(text: str, quoted: str) -> None:
    assert command(text) == quoted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("check", "absolute path", id="no path"),
        pytest.param("$HOME/check", "absolute path", id="no absolute path"),
        pytest.param("/bin/a\n/bin/b", "printable", id="newline"),
        pytest.param("/bin/a\tb", "printable", id="tab"),
        pytest.param("/bin/a \\n", "backslash", id="backslash"),
        pytest.param("/bin/a 'b", "never closed", id="open quote"),
        pytest.param("/bin/a 'b' \"c\"", "both kinds", id="both kinds of quotes"),
    ],
)
def test_commands_that_cannot_be_quoted(text: str, why: str) -> None:
    with pytest.raises(UnsayableError, match=why):
        command(text)


def test_a_regular_expression_keeps_its_backslashes() -> None:
    assert regex(r'^\d+ "a\\b" $') == r'"^\\d+ \042a\\\\b\042 \044"'


def test_a_comment_that_would_join_the_next_line_is_refused() -> None:
    with pytest.raises(UnsayableError, match="join"):
        comment("web\\")


@given(st.text(PRINTABLE, min_size=1, max_size=40))
def test_a_quoted_word_is_one_word_of_the_line(text: str) -> None:
    try:
        quoted = word(text)
    except UnsayableError:
        assert set(text) & set('"\\${}')
        return
    (keyword,) = keywords(f"path {quoted}")

    assert keyword.values == (quoted,)
    assert quoted in (text, f'"{text}"')


@given(st.text(PRINTABLE, max_size=40))
def test_a_quoted_command_is_one_word_of_the_line(text: str) -> None:
    try:
        quoted = command(f"/bin/a {text}")
    except UnsayableError:
        assert set(text) & set("'\"\\")
        return
    (keyword,) = keywords(f"misc_path {quoted}")

    assert keyword.values == (quoted,)
    assert unescaped(quoted) == f"/bin/a {text}"
    assert "$" not in quoted


@given(st.text(PRINTABLE, min_size=1, max_size=40))
def test_every_printable_regular_expression_can_be_quoted(text: str) -> None:
    quoted = regex(text)

    assert unescaped(quoted) == text
    assert "$" not in quoted
    assert '"' not in quoted[1:-1]


@given(st.text(string.ascii_letters + string.digits + " _./:@%+,=-$;'\"", max_size=20))
def test_a_plain_command_means_the_same_to_a_shell(text: str) -> None:
    """keepalived 1.3.5 hands commands to one."""
    line = f"/bin/a {text}"

    assert is_plain_command(line) == (not set(text) & set("$;'\""))
    if is_plain_command(line):
        assert command(line) == f'"{line}"'


def unescaped(quoted: str) -> str:
    """What keepalived's second reader makes of a quoted word (lib/parser.c, alloc_strvec_quoted_escaped)."""
    assert quoted[0] == quoted[-1]
    assert quoted[0] in "'\""
    text, rest = "", quoted[1:-1]
    while rest:
        if rest[0] == "\\" and rest[1:4].isdecimal():
            text, rest = text + chr(int(rest[1:4], 8)), rest[4:]
        elif rest[0] == "\\":
            text, rest = text + rest[1], rest[2:]
        else:
            assert rest[0] != quoted[0]
            text, rest = text + rest[0], rest[1:]
    return text


@pytest.mark.parametrize("size", [MAX_LINE, MAX_LINE + 2])
def test_a_line_as_long_as_keepalived_reads(size: int, tmp_path: Path) -> None:
    """The longest line is read whole. One byte more would leave its newline, two its closing quote to the next line."""
    name = f'    router_id "{"x" * (size - len("    router_id ") - 2)}"'
    said = keepalived.complaints(f"global_defs {{\n{name}\n    smtp_alert\n}}\n", tmp_path)

    assert (said == []) == (size <= MAX_LINE)


@pytest.mark.skipif(os.geteuid() != 0, reason="keepalived runs commands only for root")
def test_the_real_keepalived_gives_commands_the_words_that_were_meant(tmp_path: Path) -> None:
    """Each command is a track script that writes down its arguments, each ended by a zero byte."""
    if reason := keepalived.why_not():
        pytest.skip(reason)
    # Script security: keepalived runs as root only what root alone can change, up to the top directory.
    home = Path("/run/lvsc-test")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o755)
    try:
        program = home / "words"
        program.write_text(
            '#!/bin/sh\nout=$1\nshift\nprintf "%s\\0" "$@" > "$out.part"\nmv "$out.part" "$out"\n'
        )
        program.chmod(0o755)
        scripts = [
            track_script(f"s{number}", f"{program} {home}/{number} {text}")
            for number, (text, _) in enumerate(ARGUMENTS)
        ]
        tracked = replace(group("public"), track_scripts=tuple(script.name for script in scripts))
        file = tmp_path / "keepalived.conf"
        file.write_text(text_of(script_user(), *scripts, tracked, instance(), virtual_address()))
        given_words = run(file, [home / str(number) for number in range(len(scripts))])
    finally:
        shutil.rmtree(home)

    for (text, words), got in zip(ARGUMENTS, given_words, strict=True):
        assert got == words, text


def run(file: Path, outputs: list[Path]) -> list[list[str]]:
    """The words that keepalived, run in a network namespace until all commands have run, gave each of them."""
    pids = [f"{option}={file.with_name(option)}" for option in ("--pid", "--vrrp_pid")]
    links = "ip link add eth0 type veth peer name peer0; ip link set eth0 up; ip link set peer0 up"
    log = file.with_suffix(".log")
    with log.open("wb") as sink:
        process = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", f'{links}; exec keepalived -P -n -l -f {file} "$@"', "sh", *pids],
            stdout=sink,
            stderr=sink,
        )
        try:
            end = time.monotonic() + LIMIT
            while not all(path.exists() for path in outputs) and time.monotonic() < end:
                time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT)
    assert all(path.exists() for path in outputs), log.read_text()
    return [path.read_text().split("\0")[:-1] for path in outputs]
