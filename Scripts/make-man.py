#!/usr/bin/env python3
"""Writes the manual page, man(7), to standard output from what the program says of its own command line.

    sentry-api-proxy --experimental-dump-help | make-man.py VERSION SECTIONS

SECTIONS is a file in man(7) that is put after the options as it stands. The date is SOURCE_DATE_EPOCH.
A help text that ends in "[NAME; default]" names the option's variable and default.
"""

import datetime
import json
import os
import pathlib
import re
import sys

BRACKETS = re.compile(r"\s*\[(?P<variable>[A-Z][A-Z0-9_]*)(?P<value>=[^\];]*)?(?:; (?P<default>[^\]]*))?\]\s*$")


def roff(text):
    """Escapes TEXT: a hyphen stays a hyphen that can be copied, what is not ASCII has its name, and no line begins a request."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    text = "".join(character if character.isascii() else rf"\[u{ord(character):04X}]" for character in text)
    return "\n".join(r"\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def option_names(argument):
    dashes = {"long": "--", "short": "-", "longWithSingleDash": "-"}
    return [dashes[name["kind"]] + name["name"] for name in argument.get("names", [])]


def tag(argument):
    names = ", ".join(rf"\fB{roff(name)}\fR" for name in option_names(argument))
    value = argument.get("valueName", "")
    if argument["kind"] == "positional":
        return rf"\fI{roff(value)}\fR"
    return names if argument["kind"] == "flag" else rf"{names} \fI{roff(value)}\fR"


def entry(argument):
    help_text = argument.get("abstract", "")
    found = BRACKETS.search(help_text)
    lines = [".TP", tag(argument), roff(BRACKETS.sub("", help_text))]
    if found:
        lines += [".br", rf"Variable \fB{roff(found['variable'] + (found['value'] or ''))}\fR" + (
            f"; default: {roff(found['default'])}." if found["default"] else ".")]
    return lines


def flattened(commands, path=()):
    """Each command with the words that call it, those of a group included."""
    for command in commands:
        words = (*path, command["commandName"])
        if words[-1] != "help":
            yield " ".join(words), command
            yield from flattened(command.get("subcommands", []), words)


def variables(commands):
    """Each option's variable and the option it stands for, once."""
    found = {}
    for command in commands:
        for argument in command.get("arguments", []):
            match = BRACKETS.search(argument.get("abstract", ""))
            if match:
                found[match["variable"]] = option_names(argument)[0]
    return sorted(found.items())


def shown(argument):
    return argument.get("shouldDisplay", True) and "help" not in [name["name"] for name in argument.get("names", [])]


def main():
    version, sections = sys.argv[1], pathlib.Path(sys.argv[2]).read_text()
    program = json.load(sys.stdin)["command"]
    name = program["commandName"]
    date = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), datetime.timezone.utc)
    commands = list(flattened(program["subcommands"]))
    default = program.get("defaultSubcommand")
    abstract = program["abstract"].rstrip(".")

    out = [
        f'.TH {name.upper()} 1 "{date:%Y-%m-%d}" "{name} {version}" "User Commands"',
        ".SH NAME",
        rf"{roff(name)} \- {roff(abstract[0].lower() + abstract[1:])}",
        ".SH SYNOPSIS",
    ]
    for word, command in commands:
        if command.get("subcommands"):
            continue
        out += [rf"\fB{roff(name)}\fR " + (rf"[\fB{roff(word)}\fR]" if word == default else rf"\fB{roff(word)}\fR")
                + (r" [\fIoptions\fR]" if any(map(shown, command.get("arguments", []))) else ""), ".br"]
    out += [rf"\fB{roff(name)}\fR \fB\-\-help\fR | \fB\-\-version\fR", ".SH COMMANDS"]
    for word, command in commands:
        note = " The default command." if word == default else ""
        out += [".TP", rf"\fB{roff(word)}\fR", roff(command.get("abstract", "") + note)]
        if command.get("discussion"):
            out += [".IP", roff(command["discussion"].replace(", in brackets", ""))]
    for word, command in commands:
        options = [argument for argument in command.get("arguments", []) if shown(argument)]
        if options:
            out += [rf'.SH "OPTIONS OF {roff(word.upper())}"']
            for argument in options:
                out += entry(argument)
    out += [".SH ENVIRONMENT", "White space around a value is left out, and an empty value counts as unset."]
    for variable, option in variables([command for _, command in commands]):
        out += [".TP", rf"\fB{roff(variable)}\fR", rf"Stands for \fB{roff(option)}\fR."]
    print("\n".join(out))
    print(sections, end="")


main()
