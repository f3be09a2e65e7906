#!/usr/bin/env python3
"""Documents name files, folders and packages that are there; folders and BUILD files keep their size."""

import collections
import os
import re
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import words  # noqa: E402

PATH = re.compile(r"`([a-z0-9_]+(?:/[A-Za-z0-9_.-]+)+)/?`")
LINK = re.compile(r"\]\(([^)#: ]+)\)")
PACKAGE = re.compile(r"(?<![:/\w])//([a-z0-9_]+(?:/[a-z0-9_]+)*)(?=[:`/ )]|$)")


def faults(path, text, exists):
    """Lines of the document `path` that name what is not there. `exists(path from the root)`."""
    found = []
    folder = os.path.dirname(path)
    top = [name for name in ("benchmarks", "data", "docs", "op3d", "planner", "results", "tools") if exists(name)]
    for number, line in enumerate(text.splitlines(), 1):
        # From the root or from the document's folder, without placeholders (results/recorded/NAME)
        # and without files that a run writes.
        named = []
        for name in PATH.findall(line):
            first = name.split("/")[0]
            if re.search(r"(^|/)[A-Z]+(/|$)|^results/runs", name):
                continue
            if first in top:
                named.append(name)
            elif exists(os.path.join(folder, first)):
                named.append(os.path.join(folder, name))
        # A component's files may be named without their ending: `op3d/network/network`.
        missing = [name for name in named if not any(exists(name + end) for end in ("", ".h", ".cc", ".proto"))]
        missing += [link for link in LINK.findall(line) if not exists(os.path.normpath(os.path.join(folder, link)))]
        missing += ["//" + name for name in PACKAGE.findall(line)
                    if name.split("/")[0] in top and not exists(name + "/BUILD")]
        found += ["%s:%d: there is no %s" % (path, number, name) for name in missing]
    return found


class LinksTest(unittest.TestCase):
    def test_finds_what_is_missing(self):
        files = {"data", "data/BUILD", "data/loader", "data/video.h", "data/README.md", "docs", "docs/a.md"}
        text = ("`data/video.h`, `data/video`, `data/gone.cc`\n[a](../docs/a.md) [b](b.md)\n"
                "//data:dataset //data/gone:x `other/file` `loader/x.h` `data/NAME` https://data/x\n")
        self.assertEqual(faults("data/README.md", text, files.__contains__),
                         ["data/README.md:1: there is no data/gone.cc", "data/README.md:2: there is no b.md",
                          "data/README.md:3: there is no data/loader/x.h",
                          "data/README.md:3: there is no //data/gone"])

    def test_documents_name_what_is_there(self):
        def exists(path):
            return os.path.exists(os.path.join(words.ROOT, path))

        documents = [path for path in words.sources()
                     if path.endswith(".md") and not path.startswith("results/recorded/")]
        self.assertGreater(len(documents), 10)
        found = []
        for path in documents:
            with open(os.path.join(words.ROOT, path), encoding="utf-8") as file:
                found += faults(path, file.read(), exists)
        self.assertFalse(found, "\n" + "\n".join(found))


class SizeTest(unittest.TestCase):
    """The limits of CONTRIBUTING.md."""

    def test_a_folder_shows_its_parts(self):
        listed = subprocess.run(["git", "-C", words.ROOT, "ls-files"], check=True, stdout=subprocess.PIPE,
                                universal_newlines=True).stdout.splitlines()
        self.assertGreater(len(listed), 900)
        files = collections.Counter(os.path.dirname(path) for path in listed)
        self.assertEqual({folder: count for folder, count in files.items() if count > 40}, {})

    def test_build_files_stay_short(self):
        for path in words.sources():
            if os.path.basename(path) == "BUILD":
                with open(os.path.join(words.ROOT, path), encoding="utf-8") as file:
                    self.assertLess(len(file.readlines()), 300, path)


if __name__ == "__main__":
    unittest.main()
