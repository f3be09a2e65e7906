#!/usr/bin/env python3
"""Tests of what the two scripts with peers decide; the peers themselves are not needed."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import data_peers  # noqa: E402
import network_peers  # noqa: E402
import peers  # noqa: E402


def costs_of(work, **ms):
    costs = peers.Costs()
    for who, values in ms.items():
        for value in values:
            costs.add(work, who, value)
    return costs


def exit_code(script, *arguments):
    """The exit code and what went to stderr."""
    errors = io.StringIO()
    with mock.patch.object(sys, "argv", ["script", *arguments]), contextlib.redirect_stderr(errors):
        try:
            code = script.main()
        except SystemExit as end:
            code = end.code
    return code, errors.getvalue()


class CostsTest(unittest.TestCase):
    def test_ratios_are_of_the_same_turn(self):
        costs = costs_of("w", op3d=[10, 20, 40], av=[20, 30, 40])
        self.assertEqual(costs.ratios("w", "av"), [2, 1.5, 1])
        rows = {row["name"]: row for row in costs.rows()}
        self.assertEqual(rows["w/av"]["ratio"], {"values": [2, 1.5, 1], "median": 1.5, "least": 1, "most": 2})
        self.assertEqual(rows["w/av"]["yardstick"], "op3d")
        self.assertNotIn("ratio", rows["w/op3d"])

    def test_the_fastest_has_the_least_median(self):
        costs = costs_of("w", op3d=[1, 1, 1], a=[5, 5, 1], b=[4, 4, 9])
        self.assertEqual(costs.fastest("w", ["a", "b"]), "b")
        self.assertEqual(costs.fastest("w", ["a", "missing"]), "a")
        self.assertIsNone(costs.fastest("w", ["missing"]))
        self.assertIsNone(costs.fastest("other", ["a"]))

    def test_finish_writes_rows_notes_and_versions(self):
        with tempfile.TemporaryDirectory() as folder:
            output = os.path.join(folder, "out.json")
            arguments = mock.Mock(output=output)
            with contextlib.redirect_stderr(io.StringIO()):
                code = peers.finish(arguments, costs_of("w", op3d=[1], av=[2]), ["a note"], {"av": "18"})
                self.assertEqual(peers.finish(mock.Mock(output=None), peers.Costs(), [], {}), 1)
            self.assertEqual(code, 0)
            with open(output, encoding="utf-8") as file:
                report = json.load(file)
            self.assertEqual([row["name"] for row in report["rows"]], ["w/op3d", "w/av"])
            self.assertEqual(report["parts"], [{"notes": ["a note"]}])
            self.assertEqual(os.listdir(folder), ["out.json"])


class BenchmarkRowsTest(unittest.TestCase):
    def program(self, text):
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        path = os.path.join(folder, "program")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n%s\n" % text)
        os.chmod(path, 0o755)
        return path

    def test_rows_by_name(self):
        rows = peers.benchmark_rows(self.program("""echo '{"benchmarks": [{"name": "a", "cpu_time": 2}]}'"""), [])
        self.assertEqual(rows["a"]["cpu_time"], 2)

    def test_failures_are_said(self):
        with self.assertRaisesRegex(RuntimeError, "ended with 3: no memory"):
            peers.benchmark_rows(self.program("echo no memory >&2; exit 3"), [])
        bad_row = """echo '{"benchmarks": [{"name": "a", "error_occurred": true, "error_message": "no file"}]}'"""
        with self.assertRaisesRegex(RuntimeError, "a: no file"):
            peers.benchmark_rows(self.program(bad_row), [])


class DataPeersTest(unittest.TestCase):
    def test_peers_with_wrong_frames_are_never_the_fastest(self):
        work = "TrainingSample/a.avi"
        costs = costs_of(work, op3d=[10, 10], quick_but_wrong=[5, 5], right=[15, 16])
        notes = []
        data_peers.summarize(costs, ["a.avi"], {"a.avi": ["right"]}, notes)
        self.assertIn(work + ": the fastest peer with right frames is right, ratio 1.55 (1.50 - 1.60)", notes)
        data_peers.summarize(costs, ["a.avi"], {"a.avi": []}, notes)
        self.assertIn(work + ": no peer with right frames", notes)

    def test_several_files_have_a_geometric_mean(self):
        costs = costs_of("Views/a", op3d=[10], right=[20])
        for who, ms in (("op3d", 10), ("right", 80)):
            costs.add("Views/b", who, ms)
        notes = []
        data_peers.summarize(costs, ["a", "b"], {"a": ["right"], "b": ["right"]}, notes)
        self.assertIn("Views, 2 files: geometric mean 4.00 (4.00 - 4.00)", notes)
        self.assertAlmostEqual(costs.ratios("Views/all-files", "fastest-right-peers")[0], 4)

    def test_a_frame_is_wrong_if_it_resembles_another_one_more(self):
        self.assertFalse(data_peers.is_wrong(0.8, 0.8))
        self.assertTrue(data_peers.is_wrong(3.0, 0.8))
        # A still scene: neighbours are equal up to rounding.
        self.assertFalse(data_peers.is_wrong(0.2, 0.0))

    def test_drawn_samples_are_inside_the_video(self):
        info = {"width": 320, "height": 240, "frames": 17}
        for first, left, top, width, height, mirrored in data_peers.draw_samples(info, 100):
            self.assertIn(first, (0, 1))
            self.assertIn(mirrored, (0, 1))
            self.assertTrue(0 <= left <= 320 - width and 0 <= top <= 240 - height and width == height > 100)

    def test_short_side_of_views(self):
        self.assertEqual(data_peers.test_size({"width": 320, "height": 240}), (341, 256))
        self.assertEqual(data_peers.test_size({"width": 240, "height": 320}), (256, 341))


class ProgramsTest(unittest.TestCase):
    def test_wrong_use_ends_with_2(self):
        for script, *arguments in ((data_peers,), (data_peers, "program"), (data_peers, "program", "v", "--turns=0"),
                                   (data_peers, "program", "v", "--turns=many"), (network_peers,),
                                   (network_peers, "program", "--networks=resnet"),
                                   (network_peers, "program", "--nothing")):
            code, errors = exit_code(script, *arguments)
            self.assertEqual(code, 2, (arguments, errors))
            self.assertIn("usage:", errors)

    def test_missing_libraries_are_said(self):
        for script, library, *arguments in ((data_peers, "av", "p", "v"), (network_peers, "torch", "p")):
            with mock.patch.dict(sys.modules, {library: None, "numpy": mock.Mock()}):
                code, errors = exit_code(script, *arguments)
            self.assertEqual(code, 1)
            self.assertIn(library, errors)
            self.assertIn("what to install", errors)


if __name__ == "__main__":
    unittest.main()
