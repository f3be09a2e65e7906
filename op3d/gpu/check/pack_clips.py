#!/usr/bin/env python3
"""Decodes a rendered miniature into one file of small clips, so that a machine without FFmpeg can train on it.

    pack_clips.py DATASET_PROGRAM ROOT/train OUTPUT.safetensors

ROOT/train has a folder of videos for each class.  The file has uint8 `clips` [N, T, S, S, 3] and int64 `labels`.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
from array import array

FRAMES, STRIDE, SIZE = 16, 2, 32
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def decode(program, video, folder):
    """The bytes [T, S, S, 3] of the video's first clip, from the floats that the network would get."""
    path = os.path.join(folder, "clip.safetensors")
    subprocess.run([program, "clip", video, "--frames=%d" % FRAMES, "--stride=%d" % STRIDE, "--size=%d" % SIZE,
                    "--output=" + path], check=True, stdout=subprocess.DEVNULL)
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        begin, end = header["clip"]["data_offsets"]
        file.seek(8 + length + begin)
        values = array("f", file.read(end - begin))
    area = FRAMES * SIZE * SIZE
    pixels = bytearray(3 * area)
    for c in range(3):
        plane = values[c * area:(c + 1) * area]
        pixels[c::3] = bytes(min(255, max(0, round(255 * (v * DEVIATION[c] + MEAN[c])))) for v in plane)
    return bytes(pixels)


def main():
    program, root, output = sys.argv[1:]
    clips, labels = [], array("q")
    with tempfile.TemporaryDirectory() as folder:
        for label, name in enumerate(sorted(os.listdir(root))):
            for video in sorted(os.listdir(os.path.join(root, name))):
                clips.append(decode(program, os.path.join(root, name, video), folder))
                labels.append(label)
    size = len(labels.tobytes())
    tensors = {
        "labels": {"dtype": "I64", "shape": [len(labels)], "data_offsets": [0, size]},
        "clips": {"dtype": "U8", "shape": [len(clips), FRAMES, SIZE, SIZE, 3],
                  "data_offsets": [size, size + sum(map(len, clips))]},
    }
    header = json.dumps(tensors).encode()
    header += b" " * (-len(header) % 8)
    with open(output, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + labels.tobytes())
        for clip in clips:
            file.write(clip)
    print("%d clips of %d classes" % (len(clips), len(set(labels))))


if __name__ == "__main__":
    main()
