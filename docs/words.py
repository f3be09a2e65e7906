#!/usr/bin/env python3
"""Finds words of the glossary's table "Words that are not used" in sources and documents.

    docs/words.py             # every source of the workspace
    docs/words.py FILE...     # these

Prints "file:line: 'word': write ..." and ends with 1 where there are any, with 2 where the table
or a file cannot be read. A phrase is found across the lines of a comment too.
"""

import fnmatch
import os
import re
import subprocess
import sys
from typing import List, NamedTuple, Sequence

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
HEADING = "## Words that are not used"

# What people read and write here.
SOURCES = ("*.cc", "*.h", "*.cu", "*.cuh", "*.proto", "*.textproto", "*.py", "*.sh", "*.bzl", "*.bazel",
           "*.md", "*.BUILD", "BUILD", "WORKSPACE", ".bazelrc", "bazelw", ".ci/*", "tools/*")
# Text that came from elsewhere or from earlier runs; the table, and this.
EXEMPT = ("*/testdata/*", "results/recorded/*", "LICENSE", "docs/glossary.md", "docs/words.py")
# Not mended yet. A line goes when its folder or file is; nothing is to be added.
TEMPORARY = (
)


class Word(NamedTuple):
    text: str
    instead: str
    allowed: Sequence[str]


class Found(NamedTuple):
    line: int
    word: Word


def read_table(text: str) -> List[Word]:
    """The rows of the table under HEADING. ValueError for a row that is not three cells."""
    if HEADING not in text:
        raise ValueError("no heading '%s'" % HEADING)
    words = []
    rows = [line for line in text.split(HEADING, 1)[1].split("\n## ")[0].splitlines() if line.startswith("|")]
    for row in rows[2:]:
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        if len(cells) != 3 or not cells[0] or not cells[1]:
            raise ValueError("a row is | not | write | allowed |, this one is not: %s" % row)
        allowed = [phrase.strip() for phrase in cells[2].split(";") if phrase.strip()]
        words += [Word(form.strip(), cells[1], allowed) for form in cells[0].split(",")]
    if not words:
        raise ValueError("no rows under '%s'" % HEADING)
    return words


def glossary() -> List[Word]:
    with open(os.path.join(ROOT, "docs/glossary.md"), encoding="utf-8") as file:
        return read_table(file.read())


def pattern(phrase: str) -> "re.Pattern[str]":
    # Between two words: spaces, or the end of a line and the marks with which the next one begins.
    between = r"(?:[ \t]+|[ \t]*\n[ \t]*(?://+|#+|\*|>)?[ \t]*)"
    body = between.join(re.escape(part) for part in phrase.split())
    before = r"\b" if re.match(r"\w", phrase) else ""
    after = r"\b" if re.search(r"\w$", phrase) else ""
    return re.compile(before + body + after, re.IGNORECASE)


def find(text: str, words: Sequence[Word]) -> List[Found]:
    """In the order of the lines."""
    found = []
    lower = text.lower()
    for word in words:
        if word.text.split()[0].lower() not in lower:
            continue
        right = [match.span() for phrase in word.allowed for match in pattern(phrase).finditer(text)]
        for match in pattern(word.text).finditer(text):
            if not any(begin <= match.start() and match.end() <= end for begin, end in right):
                found.append(Found(text.count("\n", 0, match.start()) + 1, word))
    return sorted(found, key=lambda each: each.line)


def is_temporary(path: str, word: str) -> bool:
    return any(fnmatch.fnmatch(path, where) and what in ("*", word) for where, what in TEMPORARY)


def sources() -> List[str]:
    """Paths from ROOT: what git tracks or would, else (no git, no clone) the whole folder."""
    try:
        listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        paths = os.fsdecode(listed).split("\0")
    except (OSError, subprocess.CalledProcessError):
        paths = []
        for folder, folders, files in os.walk(ROOT):
            folders[:] = [name for name in folders if name not in (".git", ".bazel", "runs", "__pycache__")]
            paths += [os.path.relpath(os.path.join(folder, name), ROOT) for name in files]
    return sorted(path for path in set(paths) if path and os.path.isfile(os.path.join(ROOT, path)))


def is_source(path: str) -> bool:
    name = os.path.basename(path)
    matches = any(fnmatch.fnmatch(path if "/" in glob else name, glob) for glob in SOURCES)
    return matches and not any(fnmatch.fnmatch(path, glob) for glob in EXEMPT)


def check(paths: Sequence[str], words: Sequence[Word]) -> List[str]:
    lines = []
    for path in paths:
        with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
            text = file.read()
        for line, word in find(text, words):
            if not is_temporary(path, word.text):
                lines.append("%s:%d: '%s': write %s" % (path, line, word.text, word.instead))
    return lines


def main(arguments: Sequence[str]) -> int:
    try:
        words = glossary()
        paths = [os.path.relpath(os.path.realpath(path), ROOT) for path in arguments] or sources()
        lines = check([path for path in paths if is_source(path)], words)
    except (OSError, ValueError) as error:
        print("words: %s" % error, file=sys.stderr)
        return 2
    print("\n".join(lines) if lines else "no word that is not used")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
