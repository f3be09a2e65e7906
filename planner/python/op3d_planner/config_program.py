"""ConfigProgram: a Runner for training programs that are told all by a config file and KEY VALUE pairs after it.

Written for PySlowFast's tools/run_net.py and the many programs in its style. Of the standard library alone.
"""
import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

from .server import Runner
from .state import Task

_WEIGHTS = "weights.pyth"


class ConfigProgram(Runner):
    """Starts the program once for each epoch and once for each measurement.

        serve(ConfigProgram(["python3", "tools/run_net.py", "--cfg", "configs/Kinetics/SLOW_8x8_R50.yaml"], classes=400))

    Clip length, rate and batch come from the state. A program with other names overrides the four methods below.
    """

    def __init__(self, program: Sequence[str], classes: int = 0):
        self._program = list(program)
        self.chance = 1 / classes if classes > 0 else 0.0
        # The checkpoint whose weights are measured; None = the program's own start.
        self._checkpoint: Optional[Path] = None
        # Whether training goes on in the same edge, with the optimiser.
        self._within = False

    # ---- what another program may have otherwise

    def settings(self, task: Task, epoch: int) -> Dict[str, Any]:
        """KEY VALUE pairs of the state, for training epoch `epoch` and, with epoch 0, for measuring."""
        state = task.state
        if state.segments > 1:
            raise ValueError("the state %s takes clips of %d segments, which this program does not know: search a graph "
                             "of consecutive clips (--graph=base_cs)" % (state.name, state.segments))
        values = {"DATA.NUM_FRAMES": state.frames, "DATA.SAMPLING_RATE": state.stride,
                  # Of all GPUs together, so that one step sees as many clips as the state says.
                  "TRAIN.BATCH_SIZE": state.clips_per_step,
                  # The rate of this one epoch, whatever the schedule.
                  "SOLVER.BASE_LR": task.learning_rate(max(epoch, 1), 0.5), "SOLVER.WARMUP_EPOCHS": 0.0,
                  "SOLVER.LR_POLICY": "steps_with_relative_lrs", "SOLVER.STEPS": [0], "SOLVER.LRS": [1.0],
                  "RNG_SEED": zlib.crc32(("%s %d" % (task.edge, epoch)).encode()) >> 1}
        if state.crop:
            values["DATA.TRAIN_CROP_SIZE"] = state.crop
        return values

    def training(self, epoch: int, checkpoint: Optional[Path], within: bool) -> Dict[str, Any]:
        """KEY VALUE pairs for one epoch, from `checkpoint`: with its optimiser and epoch, or with the weights alone."""
        values: Dict[str, Any] = {"TRAIN.ENABLE": True, "TEST.ENABLE": False, "TRAIN.AUTO_RESUME": False,
                                  "SOLVER.MAX_EPOCH": epoch, "TRAIN.CHECKPOINT_PERIOD": 1}
        if checkpoint is not None:
            values["TRAIN.CHECKPOINT_FILE_PATH"] = checkpoint
            values["TRAIN.CHECKPOINT_EPOCH_RESET"] = not within
        return values

    def testing(self, checkpoint: Path) -> Dict[str, Any]:
        """KEY VALUE pairs for one clip of each held-out video."""
        return {"TRAIN.ENABLE": False, "TEST.ENABLE": True, "TEST.CHECKPOINT_FILE_PATH": checkpoint,
                "TEST.NUM_ENSEMBLE_VIEWS": 1, "TEST.NUM_SPATIAL_CROPS": 1}

    def newest_checkpoint(self, output: Path) -> Path:
        """Of the epoch that was just trained into `output`."""
        found = sorted(output.glob("checkpoints/*.pyth"))
        if not found:
            raise RuntimeError("the program ended without a checkpoint in %s" % (output / "checkpoints"))
        return found[-1]

    # ---- a Runner's

    def begin(self, task: Task) -> None:
        self._checkpoint, self._within = None, False

    def load(self, folder: Path) -> None:
        self._checkpoint, self._within = folder / _WEIGHTS, folder.name.startswith("epoch_")

    def save(self, folder: Path) -> None:
        assert self._checkpoint is not None
        shutil.copyfile(self._checkpoint, folder / _WEIGHTS)

    def train(self, task: Task, epoch: int) -> Optional[float]:
        checkpoint, within = self._checkpoint, self._within
        if epoch > 1:  # the file of the epoch before has been moved since it was saved
            checkpoint, within = task.epoch_folder(epoch - 1) / _WEIGHTS, True
        output = task.folder / "partial"
        if output.exists():
            shutil.rmtree(output)
        stats = self._run(output, dict(self.settings(task, epoch), **self.training(epoch, checkpoint, within)))
        self._checkpoint = self.newest_checkpoint(output)
        losses = [line["loss"] for line in stats if line.get("_type") == "train_epoch" and "loss" in line]
        return float(losses[-1]) if losses else None

    def evaluate(self, task: Task) -> float:
        if self._checkpoint is None:
            raise RuntimeError("there are no weights to measure before the first epoch")
        output = task.folder / "partial" / "test"
        stats = self._run(output, dict(self.settings(task, 0), **self.testing(self._checkpoint)))
        scores = [line["top1_acc"] for line in stats if line.get("split") == "test_final" and "top1_acc" in line]
        if not scores:
            raise RuntimeError("the program printed no line json_stats with \"split\": \"test_final\" and top1_acc")
        return float(scores[-1]) / 100

    def _run(self, output: Path, values: Dict[str, Any]) -> List[Dict[str, Any]]:
        """The lines json_stats that the program printed; everything it prints goes on to standard error."""
        output.mkdir(parents=True, exist_ok=True)
        command = self._program + [text for name, value in dict(values, OUTPUT_DIR=output).items()
                                   for text in (name, str(value))]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                   errors="replace")
        try:
            assert process.stdout is not None
            stats = list(_stats(process.stdout))
            code = process.wait()
        except BaseException:  # a signal came
            process.terminate()
            raise
        if code != 0:
            raise RuntimeError("%s ended with exit code %d; what it said stands above" % (" ".join(command), code))
        return stats


def _stats(lines: Any) -> Iterator[Dict[str, Any]]:
    for line in lines:
        sys.stderr.write(line)
        _, mark, text = line.partition("json_stats:")
        if mark:
            try:
                yield json.loads(text)
            except ValueError:
                continue
