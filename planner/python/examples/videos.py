"""Clips of a Kinetics-400 folder for the examples: what `dataset synthesize --dataset=kinetics400` renders.

Decoded by PyAV, small, and kept in memory: these are a few hundred videos of a few seconds.
"""
import csv
import os
import random
import tempfile
import zlib
from pathlib import Path

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter

SIDE = 24


def decode(path):
    """[frames, SIDE, SIDE, 3], uint8: the middle square of each frame, in means of neighbouring pixels."""
    # One, with one thread: for such small pictures more threads cost more than decoding.
    convert = VideoReformatter()
    with av.open(str(path)) as container:
        frames = torch.from_numpy(np.stack([convert.reformat(frame, format="rgb24", threads=1).to_ndarray()
                                            for frame in container.decode(video=0)]))
    side = min(frames.shape[1:3])
    top, left = (frames.shape[1] - side) // 2, (frames.shape[2] - side) // 2
    square = frames[:, top:top + side, left:left + side].permute(0, 3, 1, 2).float()
    return torch.nn.functional.adaptive_avg_pool2d(square, SIDE).round().byte().permute(0, 2, 3, 1).contiguous()


class Videos:
    """Of each class of the training list `train` videos to train on and the next `held_out` to measure on.

    The validation list stays untouched: it is for the one test at the end.
    """

    def __init__(self, root, train=30, held_out=10):
        root = Path(root)
        # Every edge is a program of its own: the next ones read what the first one has decoded.
        kept = Path(tempfile.gettempdir()) / ("op3d_example_%x.pt" % zlib.crc32(repr((str(root.resolve()), SIDE, train,
                                                                                      held_out)).encode()))
        if not kept.exists():
            self._decode_all(root, train, held_out)
            part = kept.with_suffix(".%d" % os.getpid())
            torch.save((self.classes, self.train, self.held_out), part)
            part.rename(kept)
        self.classes, self.train, self.held_out = torch.load(kept)

    def _decode_all(self, root, train, held_out):
        self.classes = (root / "label_map.txt").read_text().splitlines()
        self.train, self.held_out = [], []
        found = {label: 0 for label in self.classes}
        with open(root / "kinetics-400_train.csv") as file:
            for row in csv.DictReader(file):
                label = row["label"]
                part = self.train if found[label] < train else self.held_out
                if found[label] >= train + held_out:
                    continue
                found[label] += 1
                name = "%s_%06d_%06d.mp4" % (row["youtube_id"], int(row["time_start"]), int(row["time_end"]))
                part.append((decode(root / "train" / label / name), self.classes.index(label)))

    def _clips(self, videos, numbers, batch_size):
        for first in range(0, len(videos), batch_size):
            batch = videos[first:first + batch_size]
            clips = torch.stack([frames[numbers(len(frames))] for frames, _ in batch])
            yield clips.permute(0, 4, 1, 2, 3).float() / 127.5 - 1, torch.tensor([label for _, label in batch])

    def training_clips(self, state):
        """Batches of one random clip of each video: [batch, 3, frames, SIDE, SIDE] in [-1, 1], and the classes."""
        videos = random.sample(self.train, len(self.train))
        return self._clips(videos, state.train_frames, state.batch_size)

    def held_out_clips(self, state):
        """The same of each held-out video's middle clip, always in one order."""
        return self._clips(self.held_out, state.centre_frames, 30)

    def steps(self, state):
        return -(-len(self.train) // state.batch_size)


def small_convnet(classes):
    """A 3D ConvNet of 70,000 weights for clips of any length."""
    layers, width = [], 3
    for number, out in enumerate((16, 32, 64)):
        layers += [torch.nn.Conv3d(width, out, 3, stride=(1 if number == 0 else 2, 2, 2), padding=1, bias=False),
                   torch.nn.BatchNorm3d(out), torch.nn.ReLU()]
        width = out
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool3d(1), torch.nn.Flatten(),
                               torch.nn.Linear(width, classes))
