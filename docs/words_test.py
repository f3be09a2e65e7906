#!/usr/bin/env python3
"""The check of words on texts made for it, then on every source of the workspace."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import words  # noqa: E402

TABLE = """# Terms
| heap | a pile |

## Words that are not used
| not | write | allowed |
|---|---|---|
| rear, rears | back | rear mirror; "front" : "rear" |
| in olden times | before | |

## Next
| other | table | |
"""


class WordsTest(unittest.TestCase):
    def found(self, text):
        return [(each.line, each.word.text) for each in words.find(text, words.read_table(TABLE))]

    def test_reads_the_forms_of_a_word_and_ends_at_the_next_heading(self):
        self.assertEqual([word.text for word in words.read_table(TABLE)], ["rear", "rears", "in olden times"])

    def test_finds_whole_words_in_any_case(self):
        self.assertEqual(self.found("a\nthe Rear of it\nrearing kRear rear_end\nREARS"), [(2, "rear"), (4, "rears")])

    def test_finds_a_phrase_across_the_lines_of_a_comment(self):
        self.assertEqual(self.found("x\n  // as in olden\n  // times it was\n"), [(2, "in olden times")])
        self.assertEqual(self.found("# as in\n# olden times\n"), [(1, "in olden times")])
        self.assertEqual(self.found("in olden; times"), [])

    def test_leaves_allowed_phrases_alone(self):
        self.assertEqual(self.found('the rear mirror; up ? "front" : "rear"\na rear'), [(2, "rear")])

    def test_refuses_a_table_that_is_none(self):
        for table in ["no table", words.HEADING, TABLE.replace("| before |", "|"), TABLE.replace("| before |", "| |")]:
            with self.assertRaises(ValueError):
                words.read_table(table)

    def test_reads_sources_and_not_what_came_from_elsewhere(self):
        for path in ["planner/search/search.cc", "BUILD", "data/BUILD", "README.md", "bazelw", ".ci/run", "tools/expect.sh"]:
            self.assertTrue(words.is_source(path), path)
        for path in ["planner/testing/testdata/x.txt", "results/recorded/a/record.textproto", "LICENSE", "a.svg"]:
            self.assertFalse(words.is_source(path), path)

    def test_no_source_has_a_word_that_is_not_used(self):
        table = words.glossary()
        paths = [path for path in words.sources() if words.is_source(path)]
        self.assertGreater(len(paths), 500)  # the whole workspace was seen
        lines = words.check(paths, table)
        self.assertFalse(lines, "\n" + "\n".join(lines))


if __name__ == "__main__":
    unittest.main()
