#!/usr/bin/env python3
"""Runs data_benchmark and the usual Python decoders in turn on the same files and prints the ratios.

    pip install av opencv-python-headless decord torchcodec torch numpy      # in a virtual environment
    ./bazelw build //benchmarks/speed:data_benchmark
    python benchmarks/speed/data_peers.py .bazel/bin/benchmarks/speed/data_benchmark VIDEO...

Two pieces of work, one thread each, in CPU time (least of the repeats), which other programs on the machine disturb
less than wall time: a training sample (open, 16 frames from a drawn place, a crop resized to 224x224, floats) and
the views of a test (10 clips x 3 crops of 16x256x256, floats). The decoders do the least picture work that Python
allows: only the crop is resized, each frame once. Those that are not installed are left out, by name. Peers find
frames by the presentation times of a full decoding, made once and not timed. Scan and decoding of all frames are
ours alone. One JSON object goes to stdout, the table to stderr.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import time

import numpy as np

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FRAMES, TRAIN, TEST, CLIPS = 16, 224, 256, 10


def look(path):
    """Size and presentation times, from a full decoding."""
    import av
    pts = []
    with av.open(path, metadata_errors="replace") as container:
        for frame in container.decode(container.streams.video[0]):
            pts.append(frame.pts)
            width, height = frame.width, frame.height
    return {"path": path, "pts": pts, "frames": len(pts), "width": width, "height": height}


def pyav(info, wanted):
    import av
    pts = info["pts"]
    # Packed B-frames: times do not rise, so only counting from the start finds a frame.
    timed = all(a < b for a, b in zip(pts, pts[1:]))
    keys = {pts[k] if timed else k: i for i, k in enumerate(wanted)}
    frames = [None] * len(wanted)
    left = len(wanted)
    with av.open(info["path"], metadata_errors="replace") as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        if timed and wanted[0] > 0:
            container.seek(pts[wanted[0]], stream=stream, backward=True)
        for count, frame in enumerate(container.decode(stream)):
            place = keys.get(frame.pts if timed else count)
            if place is None:
                continue
            frames[place] = frame.to_ndarray(format="rgb24", threads=1)
            left -= 1
            if left == 0:
                break
    return frames


def opencv(info, wanted):
    import cv2
    capture = cv2.VideoCapture(info["path"], cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    at = 0
    if wanted[0] > 16:
        at = wanted[0]
        capture.set(cv2.CAP_PROP_POS_FRAMES, at)
    frames = []
    for index in wanted:
        while at < index:
            capture.grab()
            at += 1
        frames.append(cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB))
        at += 1
    capture.release()
    return frames


def decord_(info, wanted):
    import decord
    return decord.VideoReader(info["path"], ctx=decord.cpu(0), num_threads=1).get_batch(wanted).asnumpy()


def torchcodec_(info, wanted):
    from torchcodec.decoders import VideoDecoder
    decoder = VideoDecoder(info["path"], dimension_order="NHWC", num_ffmpeg_threads=1)
    return decoder.get_frames_at(wanted).data.numpy()


PEERS = {"pyav": pyav, "opencv": opencv, "decord": decord_, "torchcodec": torchcodec_}


def floats(pixels):
    """uint8 [T, H, W, 3] -> normalised float [3, T, H, W]."""
    import torch
    out = torch.empty((3,) + pixels.shape[:3])
    out.copy_(torch.from_numpy(pixels).permute(3, 0, 1, 2))
    for c in range(3):
        out[c].sub_(255 * MEAN[c]).mul_(1 / (255 * STD[c]))
    return out


def sample(decode, info, draw):
    import cv2
    first, left, top, width, height, mirrored = draw
    pixels = np.empty((FRAMES, TRAIN, TRAIN, 3), np.uint8)
    for i, frame in enumerate(decode(info, list(range(first, first + FRAMES)))):
        part = cv2.resize(np.asarray(frame)[top:top + height, left:left + width], (TRAIN, TRAIN))
        pixels[i] = cv2.flip(part, 1) if mirrored else part
    return floats(pixels)


def views(decode, info):
    import cv2
    import torch
    starts = [(info["frames"] - FRAMES) * k // CLIPS for k in range(CLIPS)]
    wanted = sorted({s + t for s in starts for t in range(FRAMES)})
    width, height = info["width"], info["height"]
    size = (TEST, TEST * height // width) if width < height else (TEST * width // height, TEST)
    pixels = np.empty((len(wanted), size[1], size[0], 3), np.uint8)
    for i, frame in enumerate(decode(info, wanted)):
        pixels[i] = frame if size == (width, height) else cv2.resize(np.asarray(frame), size)
    planes = floats(pixels)
    for start in starts:
        at = wanted.index(start)
        for x, y in ((round((size[0] - TEST) / 2), round((size[1] - TEST) / 2)), (0, 0),
                     (size[0] - TEST, size[1] - TEST)):
            view = torch.empty((3, FRAMES, TEST, TEST))
            view.copy_(planes[:, at:at + FRAMES, y:y + TEST, x:x + TEST])


def drawn(info, count):
    """Where samples lie: what a crop of 224 out of a short side of 256 to 320 shows of the frame."""
    stream, draws = random.Random(1), []
    for _ in range(count):
        scale = min(info["width"], info["height"]) / stream.randint(256, 320)
        side = round(TRAIN * scale)
        draws.append((stream.randint(0, info["frames"] - FRAMES), stream.randint(0, info["width"] - side),
                      stream.randint(0, info["height"] - side), side, side, int(stream.random() < 0.5)))
    return draws


def ours(program, path, draws):
    samples = ",".join(":".join(map(str, draw)) for draw in draws)
    run = subprocess.run([program, f"--videos={os.path.abspath(path)}", f"--samples={samples}",
                          "--benchmark_filter=TrainingSample|Views|Scan|DecodeAll", "--benchmark_min_time=0.05",
                          "--benchmark_format=json"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    result = {}
    for row in json.loads(run.stdout)["benchmarks"]:
        if row.get("error_occurred"):
            raise SystemExit(f"{row['name']}: {row['error_message']}")
        kind = row["name"].split("/")[0]
        result[kind] = row["cpu_time"] / (len(draws) if kind == "TrainingSample" else 1)
    return result


def milliseconds(work, count=1):
    start = time.process_time()
    for _ in range(count):
        work()
    return 1000 * (time.process_time() - start) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the data_benchmark binary")
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--samples", type=int, default=8, help="training samples a file")
    args = parser.parse_args()
    import cv2
    import torch
    cv2.setNumThreads(1)
    torch.set_num_threads(1)

    rows = []
    for path in args.videos:
        info = look(path)
        draws = drawn(info, args.samples)
        best, missing = {}, {}
        for _ in range(args.repeats):
            for kind, cost in ours(args.program, path, draws).items():
                best["op3d", kind] = min(cost, best.get(("op3d", kind), cost))
            for name, decode in PEERS.items():
                if name in missing:
                    continue
                try:
                    costs = {"TrainingSample": milliseconds(lambda: [sample(decode, info, d) for d in draws]) / len(draws),
                             "Views": milliseconds(lambda: views(decode, info))}
                except Exception as error:  # not installed, or it cannot read this file
                    missing[name] = repr(error)[:120]
                    continue
                for kind, cost in costs.items():
                    best[name, kind] = min(cost, best.get((name, kind), cost))
        row = {"file": os.path.basename(path), "left_out": missing,
               "scan_times_faster_than_decoding": best["op3d", "DecodeAll"] / best["op3d", "Scan"]}
        for kind in ("TrainingSample", "Views"):
            costs = {name: cost for (name, k), cost in best.items() if k == kind}
            fastest = min((name for name in costs if name != "op3d"), key=costs.get, default=None)
            row[kind] = {"cpu_ms": {name: round(cost, 2) for name, cost in costs.items()}, "fastest_peer": fastest,
                         "ratio": round(costs[fastest] / costs["op3d"], 2) if fastest else None}
            print(f"{row['file'][:36]:36} {kind:15} op3d {costs['op3d']:7.1f} ms  {fastest} "
                  f"{costs.get(fastest, 0):7.1f} ms  ratio {row[kind]['ratio']}", file=sys.stderr)
        print(f"{row['file'][:36]:36} scan {row['scan_times_faster_than_decoding']:.1f} times faster than decoding"
              + "".join(f"; without {name}" for name in missing), file=sys.stderr)
        rows.append(row)
    json.dump(rows, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
