"""TorchRunner, LightningRunner and ConfigProgram with the packages that they are for. Where one is missing its test is
skipped and says so; to run them all: pip install torch lightning fvcore av, and --no-deps slowfast."""
import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from op3d_planner import ConfigProgram, State, Task
from op3d_planner.__main__ import _Child, check

HERE = Path(os.path.realpath(__file__)).parent
STATE = {"name": "A", "segments": 1, "frames_per_segment": 8, "stride": 2, "learning_rate": 0.01, "batch_size": 8,
         "accumulation": 1, "frozen_batch_norm": False, "crop": 0}


def needs(*packages):
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return unittest.skipIf(missing, "not installed: pip install " + " ".join(missing))


class FrameworkTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        os.environ["TMPDIR"] = temporary.name

    def child(self, name):
        return "%s %s %s" % (sys.executable, HERE / "torch_child.py", name)

    @needs("torch")
    def test_pytorch_goes_on_where_it_was_killed(self):
        self.assertIsNone(check(self.child("plain"), STATE, self.folder))

    @needs("torch", "lightning")
    def test_lightning_goes_on_where_it_was_killed(self):
        self.assertIsNone(check(self.child("lightning"), STATE, self.folder))

    @needs("torch", "lightning")
    def test_sigterm_ends_lightning_in_the_middle_of_an_epoch(self):
        os.environ["BLOCK"] = "1"
        self.addCleanup(os.environ.pop, "BLOCK")
        child = _Child(self.child("lightning"))
        self.addCleanup(child.kill)
        child.ask("train", 1, "S0-A", STATE, "", self.folder / "S0-A")
        with self.assertRaisesRegex(SystemExit, "exit code 143"):
            timer = subprocess.Popen(["sh", "-c", "sleep 3; kill %d" % child._process.pid])
            self.addCleanup(timer.wait)
            child.ask("train", 2, "S0-A", STATE, "", self.folder / "S0-A")

    @needs("slowfast", "fvcore")
    def test_slowfast_knows_the_settings(self):
        from slowfast.config.defaults import get_cfg
        from slowfast.utils.lr_policy import get_lr_at_epoch
        cfg = get_cfg()
        if "CHECKPOINT_EPOCH_RESET" not in cfg.TRAIN:  # the release of 2019, which has no tools
            cfg.TRAIN.CHECKPOINT_EPOCH_RESET, cfg.SOLVER.WARMUP_EPOCHS = False, 34.0
        runner = ConfigProgram([])
        task = Task("S0-A", State("A", 1, 8, 2, 0.05, 12, crop=112), None, None, Path("x"))
        for values in (runner.settings(task, 3), runner.training(3, Path("/w/weights.pyth"), True),
                       runner.testing(Path("/w/weights.pyth"))):
            cfg.merge_from_list([text for name, value in values.items() for text in (name, str(value))])
        self.assertEqual((cfg.DATA.NUM_FRAMES, cfg.DATA.SAMPLING_RATE, cfg.TRAIN.BATCH_SIZE, cfg.SOLVER.MAX_EPOCH),
                         (8, 2, 12, 3))
        self.assertEqual(get_lr_at_epoch(cfg, 2), 0.05)

    @needs("torch", "fvcore", "av")
    def test_a_config_program_goes_on_where_it_was_killed(self):
        self.render()
        command = "%s %s %s" % (sys.executable, HERE.parent / "examples/slowfast_style.py", self.folder)
        self.assertIsNone(check(command, STATE, self.folder))

    def render(self):
        """Two classes of bright and dark videos, as a Kinetics-400 folder."""
        import av
        import numpy as np
        rows = ["label,youtube_id,time_start,time_end,split,is_cc"]
        for label, level in (("dark", 40), ("bright", 200)):
            (self.folder / "train" / label).mkdir(parents=True)
            for number in range(40):
                name = "%s%07d_000000_000004.mp4" % (label[:4], number)
                rows.append("%s,%s%07d,0,4,train,0" % (label, label[:4], number))
                with av.open(str(self.folder / "train" / label / name), "w") as container:
                    stream = container.add_stream("mpeg4", rate=8)
                    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
                    for frame in range(20):
                        picture = np.full((48, 64, 3), level + frame, np.uint8)
                        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                    container.mux(stream.encode())
        (self.folder / "label_map.txt").write_text("dark\nbright\n")
        (self.folder / "kinetics-400_train.csv").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
