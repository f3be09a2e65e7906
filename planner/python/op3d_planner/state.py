"""What a planner asks to be trained: states, their schedules, and one edge's task.

The fields are those of op3d/train/settings/state.proto and op3d/train/edge.proto, by the same names.
"""
import dataclasses
import math
import random
from pathlib import Path
from typing import List, Optional, Tuple


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How the learning rate changes inside a state.

    kind is "constant", "cosine", "linear", "one_minus_sqrt" or "step". The rate rises in a straight line from a
    hundredth of the state's rate during `warmup_epochs`, then falls to `final_learning_rate`; or, for "step", is
    multiplied by `factor` before each epoch of `epochs` (from 0, warm-up included).
    """

    kind: str = "constant"
    final_learning_rate: float = 0.0
    warmup_epochs: int = 0
    epochs: Tuple[int, ...] = ()
    factor: float = 1.0
    # The released trainer's way to count a cosine's steps; learning_rate() below does not follow
    # it.
    released: bool = False


@dataclasses.dataclass(frozen=True)
class State:
    """One way to train for a while: which clips, how fast.

        state.frames                 # of a clip: 16
        state.sampling               # "consecutive" or "uniform"
        state.train_frames(96, rng)  # 16 frame numbers in [0, 96) for a training clip
    """

    name: str
    segments: int
    frames_per_segment: int
    stride: int
    learning_rate: float
    batch_size: int
    accumulation: int = 1
    frozen_batch_norm: bool = False
    schedule: Schedule = Schedule()
    # The side of a training clip's pictures in pixels; 0 = your program's own.
    crop: int = 0

    @property
    def frames(self) -> int:
        """Frames of a clip."""
        return self.segments * self.frames_per_segment

    @property
    def sampling(self) -> str:
        """"consecutive": neighbouring frames from one place; "uniform": some frames from each part of the video."""
        return "consecutive" if self.segments == 1 else "uniform"

    @property
    def clips_per_step(self) -> int:
        """Clips that a step of the optimiser sees: batch_size * accumulation."""
        return self.batch_size * self.accumulation

    @property
    def span(self) -> int:
        """Frames of the video that one segment covers; a video with fewer is short."""
        return self.frames_per_segment * self.stride

    def train_frames(self, video_frames: int, rng: Optional[random.Random] = None) -> List[int]:
        """Frame numbers of a training clip, drawn from `rng` (default: the module `random`).

        `frames` numbers in [0, video_frames), segment after segment; a short video holds its last frame. The rule is
        that of data/sampling/sampling.h.
        """
        limit = self._draw_limit(video_frames)
        draw = (rng or random).randint
        return self._frame_numbers(video_frames, [draw(0, limit) for _ in range(self.segments)])

    def centre_frames(self, video_frames: int) -> List[int]:
        """Frame numbers of the one clip in the middle, which measures a search."""
        room = self._room(video_frames)
        if room >= 0 and video_frames // self.segments < self.span:
            return self._frame_numbers(video_frames, [room // (2 * self.segments)] * self.segments)
        return self._frame_numbers(video_frames, [self._draw_limit(video_frames) // 2] * self.segments)

    def _room(self, video_frames: int) -> int:
        if video_frames < 1:
            raise ValueError("a video of %d frames has no clip; leave it out" % video_frames)
        return video_frames - self.span

    def _draw_limit(self, video_frames: int) -> int:
        room = self._room(video_frames)
        part = video_frames // self.segments
        return max(0, part - self.span if part >= self.span else room // self.segments)

    def _frame_numbers(self, video_frames: int, shifts: List[int]) -> List[int]:
        room = self._room(video_frames)
        part = video_frames // self.segments
        numbers = []
        for segment, shift in enumerate(shifts):
            start = shift + (segment * part if part >= self.span else segment * room // self.segments)
            if room < 0:
                start = 0
            numbers += [min(start + i * self.stride, video_frames - 1) for i in range(self.frames_per_segment)]
        return numbers


@dataclasses.dataclass(frozen=True)
class Task:
    """One edge of the graph: train in `state`, from the weights kept in `source`."""

    edge: str  # "S1-S2"
    state: State
    # The number of epochs it will be trained for; None = until its curve's knee is well past.
    epochs: Optional[int]
    # The folder of the edge whose kept weights to start from; None = the initial weights.
    source: Optional[Path]
    # This edge's own.
    folder: Path

    def epoch_folder(self, epoch: int) -> Path:
        """Where what save() wrote after `epoch` is kept while the edge is trained."""
        return self.folder / ("epoch_%d" % epoch)

    def learning_rate(self, epoch: int, done: float = 0.0) -> float:
        """The rate in `epoch` (from 1) of which the share `done` in [0, 1) is over: step / steps of the epoch.

            for step, clips in enumerate(loader):
                optimizer.param_groups[0]["lr"] = task.learning_rate(epoch, step / len(loader))
        """
        rate, schedule = self.state.learning_rate, self.state.schedule
        if schedule.kind == "constant":
            return rate
        at = epoch - 1 + done
        if at < schedule.warmup_epochs:
            return rate / 100 * (1 + 99 * at / schedule.warmup_epochs)
        if schedule.kind == "step":
            return rate * schedule.factor ** sum(at >= milestone for milestone in schedule.epochs)
        if self.epochs is None:
            raise ValueError("%s: a learning rate that changes needs the number of epochs, and the request has none"
                             % self.edge)
        share = min(1.0, (at - schedule.warmup_epochs) / max(self.epochs - schedule.warmup_epochs, 1e-9))
        fallen = {"linear": share, "one_minus_sqrt": math.sqrt(share),
                  "cosine": (1 - math.cos(math.pi * share)) / 2}[schedule.kind]
        return rate + (schedule.final_learning_rate - rate) * fallen
