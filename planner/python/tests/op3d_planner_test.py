"""The package by itself: requests, answers, folders, signals."""
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import op3d_planner
from op3d_planner import Plan, Schedule, Score, State, Step, Task, TrainingFailed, protocol

HERE = Path(os.path.realpath(__file__)).parent
STATE = {"name": "A", "segments": 1, "frames_per_segment": 16, "stride": 1, "learning_rate": 0.04, "batch_size": 16,
         "accumulation": 16, "frozen_batch_norm": False, "crop": 0}


def request(kind="train", epoch=1, edge="S0-A", source="", folder="/nowhere", **more):
    return dict({"protocol": 1, "request": kind, "epoch": epoch, "edge": edge, "state": STATE, "source": source,
                 "folder": folder}, **more)


class Child:
    """tests/toy_runner.py, spoken with as the planner does."""

    def __init__(self, toy=""):
        env = dict(os.environ, TOY=toy, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
        self.process = subprocess.Popen([sys.executable, str(HERE / "toy_runner.py")], env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, **fields):
        self.write(**fields)
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise EOFError(self.process.stderr.read())
            if line.startswith("{"):
                answer = json.loads(line)
                if answer.pop("protocol") != protocol.PROTOCOL:
                    raise ValueError(line)
                return answer

    def write(self, **fields):
        self.process.stdin.write(json.dumps(request(**fields)) + "\n")
        self.process.stdin.flush()

    def end(self):
        """Exit code, the rest of its output, and what it said."""
        out, said = self.process.communicate(timeout=30)
        return self.process.returncode, out, said


class ProtocolTest(unittest.TestCase):
    def test_reads_what_the_planner_writes(self):
        line = ('{"protocol":1,"request":"train","epoch":3,"edge":"S1-S2","state":{"name":"S2","segments":4,'
                '"frames_per_segment":4,"stride":2,"learning_rate":0.01,"batch_size":8,"accumulation":2,'
                '"frozen_batch_norm":true,"schedule":{"one_minus_sqrt":{"final_learning_rate":0,"warmup_epochs":0}},'
                '"crop":112},"epochs":7,"source":"/s/S0-S1","folder":"/s/S1-S2"}')
        read = protocol.parse_request(line)
        self.assertEqual((read.kind, read.epoch), ("train", 3))
        self.assertEqual(read.task, Task("S1-S2", State("S2", 4, 4, 2, 0.01, 8, 2, True, Schedule("one_minus_sqrt"),
                                                        112), 7, Path("/s/S0-S1"), Path("/s/S1-S2")))
        self.assertEqual((read.task.state.frames, read.task.state.sampling, read.task.state.clips_per_step),
                         (16, "uniform", 16))

    def test_every_fault_is_a_sentence(self):
        bad_state = dict(STATE, stride=0)
        for change, words in [
                ({"protocol": 2}, "the planner speaks protocol 2, this op3d_planner speaks 1"),
                ({"kind": "dance"}, "the request is 'dance'; there are measure, train"),
                ({"epoch": 0}, '"epoch" of 0; it must be at least 1'),
                ({"epoch": 1.5}, '"epoch" of 1.5; it must be a whole number'),
                ({"epoch": True}, '"epoch" of true; it must be a whole number'),
                ({"epochs": 0}, '"epochs" of 0; it must be at least 1'),
                ({"colour": 1}, 'unknown field "colour": the planner is newer'),
                ({"state": bad_state}, '"state.stride" of 0; it must be at least 1'),
                ({"state": dict(STATE, hue=1)}, 'unknown field "state.hue"'),
                ({"state": dict(STATE, learning_rate=0)}, 'no "state.learning_rate" above 0'),
                ({"state": dict(STATE, name="")}, 'a "state" without a "name"'),
                ({"state": 3}, '"state" of 3; it must be an object'),
                ({"state": dict(STATE, schedule={"linear": {}, "cosine": {}})}, "several kinds"),
                ({"folder": ""}, 'an empty "folder"'), ({"folder": None}, 'has no "folder"')]:
            with self.subTest(words), self.assertRaises(protocol.RequestError) as caught:
                protocol.parse_request(json.dumps(request(**change)))
            self.assertIn(words, str(caught.exception))
        for line, words in [("[1]", "not a JSON object"), ("{torn", "cannot be read"), ('{"epoch": NaN}', "NaN"),
                            ('{"a": 1, "a": 2}', "comes twice"), ("[" * 100000, "cannot be read")]:
            with self.subTest(words), self.assertRaises(protocol.RequestError) as caught:
                protocol.parse_request(line)
            self.assertIn(words, str(caught.exception))

    def test_scores(self):
        class Tensor:
            def __float__(self):
                return 0.25
        self.assertEqual(protocol.check_score(1), Score(1.0))
        self.assertEqual(protocol.check_score(Tensor()), Score(0.25))
        self.assertEqual(protocol.check_score(Score(0.5, top5=Tensor())), Score(0.5, top5=0.25))
        for value in (math.nan, math.inf, Score(0.5, top1=math.nan)):
            with self.subTest(value), self.assertRaises(TrainingFailed):
                protocol.check_score(value)
        for value, words in [(61.2, "not per cent"), (-0.1, "in [0, 1]"), ("61.2%", "not a number"),
                             (None, "not a number"), (True, "not a number"), ([0.5], "not a number")]:
            with self.subTest(value), self.assertRaises((ValueError, TypeError)) as caught:
                protocol.check_score(value)
            self.assertIn(words, str(caught.exception))


class StateTest(unittest.TestCase):
    def test_frames_are_those_of_sampling_h(self):
        # data/sampling/sampling_test.cc: the formulas of sampling.h, by hand.
        uniform, long = State("u", 4, 4, 1, 0.1, 1), State("c", 1, 16, 2, 0.1, 1)
        self.assertEqual(uniform.centre_frames(96), [10, 11, 12, 13, 34, 35, 36, 37, 58, 59, 60, 61, 82, 83, 84, 85])
        self.assertEqual(uniform.centre_frames(10), [0, 1, 2, 3, 1, 2, 3, 4, 3, 4, 5, 6, 4, 5, 6, 7])
        self.assertEqual(uniform.centre_frames(3), [0, 1, 2, 2] * 4)
        self.assertEqual(long.centre_frames(52), list(range(10, 42, 2)))
        rng = random.Random(1)
        starts = {tuple(uniform.train_frames(20, rng)[::4]) for _ in range(200)}
        self.assertEqual(len(starts), 16)  # each of 4 segments at 0 or 1 of its part
        for frames in (1, 3, 5, 17, 40, 300):
            for state in (uniform, long):
                drawn = state.train_frames(frames, rng)
                self.assertEqual(len(drawn), 16)
                self.assertTrue(all(0 <= frame < frames for frame in drawn))
        with self.assertRaisesRegex(ValueError, "video of 0 frames"):
            long.train_frames(0)

    def test_learning_rates_are_those_of_schedule_h(self):
        def rate(schedule, epoch, done=0.0):
            state = State("A", 1, 16, 1, 0.04, 4, schedule=schedule)
            return Task("S0-A", state, 10, None, Path("x")).learning_rate(epoch, done)

        self.assertEqual(rate(Schedule(), 3), 0.04)
        self.assertAlmostEqual(rate(Schedule("linear"), 6), 0.02)
        self.assertAlmostEqual(rate(Schedule("one_minus_sqrt"), 3, 0.5), 0.02)
        self.assertAlmostEqual(rate(Schedule("cosine", 0.01), 6), 0.025)
        self.assertAlmostEqual(rate(Schedule("cosine", 0, 2), 1), 0.0004)
        self.assertAlmostEqual(rate(Schedule("cosine", 0, 2), 2), 0.0004 * (1 + 99 / 2))
        self.assertAlmostEqual(rate(Schedule("cosine", 0, 2), 3), 0.04)
        self.assertAlmostEqual(rate(Schedule("step", 0, 0, (3, 6), 0.1), 4), 0.004)
        with self.assertRaisesRegex(ValueError, "needs the number of epochs"):
            Task("S0-A", State("A", 1, 16, 1, 0.04, 4, schedule=Schedule("linear")), None, None,
                 Path("x")).learning_rate(1)


class ServeTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        self.folder = self.root / "S0-A"

    def child(self, toy=""):
        child = Child(toy)

        def clean():
            child.process.kill()
            child.process.communicate()
        self.addCleanup(clean)
        return child

    def edge(self, child, numbers, **more):
        return [child.ask(epoch=epoch, folder=str(self.folder), **more) for epoch in numbers]

    def test_an_edge_and_the_one_after_it(self):
        child = self.child()
        answers = self.edge(child, [1, 2, 3])
        self.assertEqual([answer["epoch"] for answer in answers], [1, 2, 3])
        # What only training on needs is there for the newest epoch alone.
        self.assertEqual([path.parent.name for path in self.folder.rglob("resume*")], ["epoch_3"])
        for _ in range(2):  # it may be asked again
            self.assertEqual(child.ask(kind="keep", epoch=2, folder=str(self.folder)), {"epoch": 2})
            self.assertEqual(sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*")),
                             ["kept", "kept/answer.json", "kept/weights.json"])
        self.assertEqual(child.end()[0], 0)
        next_child = self.child()
        told = next_child.ask(kind="measure", epoch=0, edge="A-B", source=str(self.folder),
                              folder=str(self.root / "A-B"))
        self.assertEqual(told, {"epoch": 0, "performance": answers[1]["performance"]})
        self.assertEqual(next_child.ask(kind="keep", epoch=0, edge="A-B", source=str(self.folder),
                                        folder=str(self.root / "A-B")), {"epoch": 0})
        self.assertEqual(list((self.root / "A-B").iterdir()), [])

    def test_a_killed_child_is_gone_on_from_and_answers_the_same(self):
        whole = self.edge(self.child(), range(1, 6))
        weights = (self.folder / "epoch_5/weights.json").read_text()
        self.folder = self.root / "again"
        first = self.child()
        self.edge(first, [1, 2])
        first.process.kill()
        # The answer to epoch 2 may have been lost with it: it is asked for again.
        self.assertEqual(self.edge(self.child(), range(2, 6)), whole[1:])
        self.assertEqual((self.folder / "epoch_5/weights.json").read_text(), weights)

    def test_an_epoch_half_written_is_trained_again(self):
        whole = self.edge(self.child(), [1, 2])
        (self.folder / "epoch_2").rename(self.folder / "epoch_2.part")
        (self.folder / "epoch_2.part/answer.json").write_text("{torn")
        self.assertEqual(self.edge(self.child(), [2]), whole[1:])
        self.assertFalse((self.folder / "epoch_2.part").exists())

    def test_an_edge_of_given_length_is_measured_in_the_middle_and_at_the_end(self):
        answers = self.edge(self.child(), range(1, 6), epochs=5)
        self.assertEqual([answer.get("unmeasured", False) for answer in answers], [True, True, False, True, False])

    def test_nothing_printed_gets_between_the_answers(self):
        child = self.child("prints")
        self.edge(child, [1, 2])
        code, out, said = child.end()
        self.assertEqual((code, out), (0, ""))
        self.assertIn("0.99", said)
        self.assertIn('{"epoch": 7}', said)
        self.assertIn('{"epoch": 8}', said)

    def test_what_goes_wrong_is_the_answer(self):
        for toy, words, failed in [
                ("fails", "the gradient's norm is 1e9", True), ("diverges", "the loss is inf", True),
                ("nan", "the performance is nan, not a finite number: training has diverged", True),
                ("per cent", "evaluate()'s performance is 61.2; it must be in [0, 1]", False),
                ("nothing", "evaluate()'s performance is None, not a number", False),
                ("saves nothing", "save() wrote nothing", False)]:
            with self.subTest(toy):
                answer = self.edge(self.child(toy), [1])[0]
                self.assertIn(words, answer["error"])
                self.assertEqual(answer.get("failed", False), failed)
                self.assertFalse((self.folder / "epoch_1").exists())

    def test_an_exception_is_told_with_its_place_and_the_child_goes_on(self):
        child = self.child("raises")
        answers = self.edge(child, [1, 2, 1])
        self.assertRegex(answers[1]["error"], r"^S0-A, train of epoch 2: RuntimeError: CUDA out of memory "
                                              r"\(toy_runner.py:\d+; the traceback is on standard error\)$")
        self.assertEqual(answers[0], answers[2])
        self.assertIn("Traceback", child.end()[2])

    def test_weights_that_are_gone_are_named(self):
        child = self.child()
        for fields, words in [({"epoch": 2}, "there is no folder %s/epoch_1" % self.folder),
                              ({"kind": "keep", "epoch": 4}, "the weights of epoch 4 are gone"),
                              ({"source": str(self.root / "S0-Z")}, "there is no folder %s/S0-Z/kept" % self.root)]:
            self.assertIn(words, child.ask(folder=str(self.folder), **fields)["error"])
        self.assertIn("unknown field", child.ask(colour=1)["error"])
        self.assertIn("does not estimate", child.ask(kind="estimate", epoch=5)["error"])
        self.assertIn("epoch", self.edge(child, [1])[0])

    def test_estimates(self):
        self.assertEqual(self.child("estimates").ask(kind="estimate", epoch=5),
                         {"epoch": 5, "clips": 60, "train_seconds": 2, "measure_seconds": 1, "memory_bytes": 12e6,
                          "training_bytes": 900, "kept_bytes": 300})
        self.assertIn("estimate()'s train_seconds is nan; it must be a finite number of at least 0",
                      self.child("estimates badly").ask(kind="estimate", epoch=5)["error"])
        self.assertEqual(protocol.error_answer("no \udcff.mp4")["error"], "no \\udcff.mp4")
        self.assertEqual(len(protocol.error_answer(10000 * "x")["error"]), 4000)

    def test_sigterm_ends_it_with_what_is_done(self):
        child = self.child("blocks")
        self.edge(child, [1])
        child.write(epoch=2, folder=str(self.folder))
        time.sleep(0.5)
        child.process.send_signal(signal.SIGTERM)
        code, _, said = child.end()
        self.assertEqual(code, 143)
        self.assertIn("stopped by signal 15", said)
        self.assertEqual((self.folder / "partial").read_text(), "S0-A")
        self.assertTrue((self.folder / "epoch_1/answer.json").exists())
        idle = self.child()
        self.edge(idle, [1])
        idle.process.send_signal(signal.SIGTERM)
        self.assertEqual(idle.end()[0], 143)

    def test_a_planner_that_is_gone_ends_it(self):
        child = self.child()
        self.edge(child, [1])
        child.process.stdout.close()
        child.write(epoch=2, folder=str(self.folder))
        self.assertEqual(child.process.wait(timeout=30), 1)

    def test_started_by_hand_it_says_how_to_start_it(self):
        leader, follower = os.openpty()
        done = subprocess.run([sys.executable, str(HERE / "toy_runner.py")], stdin=follower, stderr=subprocess.PIPE,
                              env=dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path)),
                              text=True, timeout=30)
        os.close(leader)
        os.close(follower)
        self.assertEqual(done.returncode, 2)
        self.assertIn("plan search --runner='python3 toy_runner.py'", done.stderr)

    def test_an_object_that_is_no_runner_is_refused(self):
        with self.assertRaisesRegex(SystemExit, r"object has no method begin\(\)"):
            op3d_planner.serve(object())


# A program in PySlowFast's style without a network: weights are the list of the rates with which
# they were trained.
PROGRAM = """
import ast, json, os, sys
opts = dict(zip(sys.argv[1::2], sys.argv[2::2]))
get = lambda name: ast.literal_eval(opts[name])
out = opts["OUTPUT_DIR"]
if get("TRAIN.ENABLE"):
    path, weights = opts.get("TRAIN.CHECKPOINT_FILE_PATH"), {"epoch": 0, "rates": []}
    if path:
        weights = json.load(open(path))
        weights["epoch"] = 0 if get("TRAIN.CHECKPOINT_EPOCH_RESET") else weights["epoch"]
    while weights["epoch"] < get("SOLVER.MAX_EPOCH"):
        weights["epoch"] += 1
        weights["rates"].append([get("DATA.NUM_FRAMES"), get("TRAIN.BATCH_SIZE"), get("SOLVER.BASE_LR")])
    os.makedirs(out + "/checkpoints")
    json.dump(weights, open(out + "/checkpoints/checkpoint_epoch_%05d.pyth" % weights["epoch"], "w"))
    print('[INFO] json_stats: {"_type": "train_epoch", "loss": 0.5}')
else:
    count = len(json.load(open(opts["TEST.CHECKPOINT_FILE_PATH"]))["rates"])
    print('[INFO] json_stats: {"split": "test_final", "top1_acc": "%.2f"}' % (10 * count))
"""


class ConfigProgramTest(unittest.TestCase):
    def test_one_start_an_epoch_each_from_the_weights_before(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            (root / "run_net.py").write_text(PROGRAM)
            (root / "child.py").write_text(
                "import sys\nfrom op3d_planner import ConfigProgram, serve\n"
                "serve(ConfigProgram([sys.executable, %r], classes=4))\n" % str(root / "run_net.py"))

            def ask(*requests):
                lines = "".join(json.dumps(request(**fields)) + "\n" for fields in requests)
                done = subprocess.run([sys.executable, str(root / "child.py")], input=lines, stdout=subprocess.PIPE,
                                      env=dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path))),
                                      text=True, timeout=60, stderr=subprocess.PIPE)
                answers = [json.loads(line) for line in done.stdout.splitlines() if line]
                return [{name: answer[name] for name in answer if name != "protocol"} for answer in answers]

            first, second = str(root / "S0-A"), str(root / "A-B")
            self.assertEqual(ask({"folder": first}, {"folder": first, "epoch": 2}),
                             [{"epoch": 1, "performance": 0.1, "loss": 0.5, "chance": 0.25},
                              {"epoch": 2, "performance": 0.2, "loss": 0.5, "chance": 0.25}])
            # Another child.
            self.assertEqual(ask({"folder": first, "epoch": 3})[0]["performance"], 0.3)
            state = dict(STATE, frames_per_segment=32, schedule={"linear": {}})
            edge = {"edge": "A-B", "source": first, "folder": second, "state": state, "epochs": 2}
            answers = ask({"kind": "keep", "folder": first, "epoch": 2}, dict(edge, epoch=1), dict(edge, epoch=2),
                          {"folder": str(root / "U"), "state": dict(STATE, segments=4)})
            self.assertEqual([answer.get("performance") for answer in answers], [None, 0.3, 0.4, None])
            self.assertIn("clips of 4 segments, which this program does not know", answers[3]["error"])
            kept = json.loads((root / "A-B/epoch_2/weights.pyth").read_text())["rates"]
            for got, want in zip(kept, [[16, 256, 0.04], [16, 256, 0.04], [32, 256, 0.03], [32, 256, 0.01]]):
                self.assertEqual(got[:2], want[:2])
                self.assertAlmostEqual(got[2], want[2])


class PlanTest(unittest.TestCase):
    def test_is_read_and_written_with_what_it_does_not_know(self):
        text = json.dumps({
            "plan": {"pool": "cs", "steps": [{"state": STATE, "epochs": 3}], "value": 0.5, "path": ["S0", "A"]},
            "graph": {"pool": "cs"}, "edges": [
                {"from": "S0", "to": "A", "epochs": 3, "score": 0.5, "ending": "KNEE_PASSED",
                 "curve": [{"performance": 0}, {"epoch": 1, "performance": 0.25, "loss": 2}]}]})
        plan = Plan.from_json(text)
        self.assertEqual((plan.epochs, plan.value, plan.steps[0].state.frames, plan.path),
                         (3, 0.5, 16, ["S0", "A"]))
        self.assertEqual(plan.edges[0].curve[1], op3d_planner.Point(1, 0.25, 2.0))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "plan.json")
            plan.save(path)
            self.assertEqual(os.listdir(folder), ["plan.json"])
            again = Plan.load(path)
            self.assertEqual(again, plan)
            self.assertEqual(json.loads(Path(path).read_text())["graph"], {"pool": "cs"})
        schedules = [Schedule("cosine", 0.01, 2, released=True), Schedule("step", epochs=(2, 5), factor=0.1),
                     Schedule("linear", 0.001, 1), Schedule("one_minus_sqrt")]
        made = Plan([Step(State("S%d" % i, 1, 8, 1, 0.1, 4, schedule=schedule), 2)
                     for i, schedule in enumerate(schedules)])
        self.assertEqual(Plan.from_json(made.to_json()), made)

    def test_a_file_that_holds_none_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.json"
            for text, words in [("pool: 'x'", "plan.textproto make one"), ("{}", 'no "plan"'), ("{", "x.json holds no"),
                                ('{"plan": {"steps": [{"epochs": 1}]}}', 'step 1: it has no "state.name"'),
                                (json.dumps({"plan": {"steps": [{"state": STATE}]}}), "step 1 has 0 epochs")]:
                path.write_text(text)
                with self.subTest(words), self.assertRaises(ValueError) as caught:
                    Plan.load(path)
                self.assertIn(words, str(caught.exception))
                self.assertIn("x.json", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
