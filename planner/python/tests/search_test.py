"""`plan search` with a Runner: the same plan as with planner/example/train.py, which speaks the protocol by itself, of
the same model; whatever is killed, printed or raised."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PLAN, EXAMPLE, TOY = (os.path.abspath(path) for path in sys.argv[1:4])
STATE = ('states { name: "%s" segments: 1 frames_per_segment: %d stride: 1 learning_rate: %g batch_size: 16 '
         'accumulation: 16 }\n')
GRAPH = ('pool: "toy" initial: "S0" finals: "B"\n' + STATE % ("A", 16, 0.04) + STATE % ("B", 32, 0.004) +
         'transitions { from: "S0" to: "A" } transitions { from: "S0" to: "B" } transitions { from: "A" to: "B" }\n')
CLIP = 'clips { name: "%s" segments: 1 frames_per_segment: %d stride: 1 learning_rate: 0.1 batch_size: 4 accumulation: 1 }\n'
WIDE = (CLIP % ("cs16", 16) + CLIP % ("cs32", 32) + "rates: [1, 0.5] frames: 640\n"
        "stages { edges: 4 weight: 1 } stages { edges: 2 states: 2 weight: 2 } stages { edges: 1 states: 1 weight: 2 }\n")
RULE = ("--attempt_epochs=2", "--max_epochs=4", "--max_epochs_from_initial=4")


class SearchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.root = Path(cls.temporary.name)
        (cls.root / "graph.textproto").write_text(GRAPH)
        (cls.root / "wide.textproto").write_text(WIDE)
        # Without the protocol's package and without its comforts.
        cls.expected = cls.plan_of(cls.search("example", runner=EXAMPLE))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def run_plan(cls, *words, toy=""):
        env = dict(os.environ, TOY=toy, TOY_MODEL=EXAMPLE,
                   PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
        return subprocess.run([PLAN, *words], cwd=cls.root, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=120)

    @classmethod
    def search(cls, folder, *more, runner=TOY, toy="", graph="graph.textproto", rule=RULE):
        return folder, cls.run_plan("search", "--graph=" + graph, "--output_dir=" + folder, *rule, *more,
                                    "--runner=%s %s" % (sys.executable, runner), toy=toy)

    @classmethod
    def plan_of(cls, searched):
        folder, done = searched
        if done.returncode != 0:
            raise AssertionError("plan ended with %d: %s" % (done.returncode, done.stdout))
        return (cls.root / folder / "plan.textproto").read_text()

    def test_finds_the_plan_of_the_same_model_without_the_package(self):
        for jobs in (1, 3):
            self.assertEqual(self.plan_of(self.search("jobs%d" % jobs, "--jobs=%d" % jobs)), self.expected)
        # One edge's weights are left, the plan's.
        kept = [str(path.relative_to(self.root / "jobs3")) for path in (self.root / "jobs3").rglob("weights.json")]
        self.assertEqual(len(kept), 1)
        self.assertRegex(kept[0], r"^journal/toy/.*-B/kept/weights.json$")

    def test_finds_it_when_every_child_is_killed_or_prints(self):
        for toy in ("dies", "prints"):
            self.assertEqual(self.plan_of(self.search("toy " + toy, toy=toy)), self.expected)

    def test_finds_it_after_the_planner_was_killed(self):
        folder, done = self.search("killed", toy="planner dies")
        self.assertEqual(done.returncode, -9)
        self.assertFalse((self.root / folder / "plan.textproto").exists())
        self.assertEqual(self.plan_of((folder, self.run_plan("resume", folder, "--jobs=2"))), self.expected)

    def test_an_exception_ends_the_search_and_resume_goes_on(self):
        folder, done = self.search("raises", toy="raises")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("the child gave up: S0-A, train of epoch 2: RuntimeError: CUDA out of memory", done.stdout)
        self.assertIn("Traceback (most recent call last):", done.stdout)
        self.assertEqual(self.plan_of((folder, self.run_plan("resume", folder))), self.expected)

    def test_a_training_that_fails_ends_its_edge_alone(self):
        for toy, words in (("fails", "the gradient's norm is 1e9"), ("nan", "the performance is nan"),
                           ("diverges", "the loss is inf")):
            folder, done = self.search("toy " + toy, toy=toy)
            self.assertIn("S0-A: failed: epoch 1: " + words, done.stdout)
            self.assertIn('path: "S0"\npath: "B"\n', self.plan_of((folder, done)))

    def test_wrong_answers_are_sentences(self):
        for toy, words in (("per cent", "performance is 61.2; it must be in [0, 1]"),
                           ("saves nothing", "save() wrote nothing")):
            done = self.search("toy " + toy, toy=toy)[1]
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stdout)

    def test_a_runner_that_blocks_is_given_up_and_its_epoch_trained_by_another(self):
        folder, done = self.search("blocks", "--answer_timeout=2s", "--retries=0", toy="blocks")
        self.assertIn("the child gave no answer within", done.stdout)
        self.assertEqual(self.plan_of((folder, self.run_plan("resume", folder))), self.expected)

    def test_a_wide_graph(self):
        plans = [self.plan_of(self.search(name, runner=runner, graph="wide.textproto", rule=()))
                 for name, runner in (("wide_example", EXAMPLE), ("wide_toy", TOY))]
        self.assertEqual(*plans)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
