#!/usr/bin/env python3
"""Runs data_benchmark and the usual Python decoders in turns on the same files and prints the ratios.

    python3 -m venv DIR && DIR/bin/pip install av opencv-python-headless decord torchcodec torch numpy
    ./bazelw build //benchmarks/speed:data_benchmark
    DIR/bin/python benchmarks/speed/data_peers.py .bazel/bin/benchmarks/speed/data_benchmark VIDEO...

or, as a part of //benchmarks:speed, with --parts=data_peers --peers_python=DIR/bin/python --videos=VIDEO,...

Three pieces of work, one thread each, in CPU time, which other programs on the machine disturb less than wall time:
TrainingSample (open, 16 frames from a drawn place, a crop resized to 224x224, floats), Views (10 clips x 3 crops of
16x256x256, floats) and ViewBytes (the same views handed over as bytes, for a network that normalises them itself). Every peer does it in the fastest way that was found: memory is allocated once, only the crop is
resized, floats are made plane by plane (cv2.split and cv2.addWeighted), PyAV keeps its scaler, OpenCV its image.
torchcodec runs in five ways: exact seeking, approximate seeking, frame mappings made beforehand, and the last two with
crop and resize in the decoder. PyAV finds frames by the times of a full decoding, made beforehand.

A peer whose frames of a file are wrong is measured, but never "the fastest": each of its frames is compared with all
frames of a full decoding of the file. Peers that are not installed or cannot read a file are left out, by name.
"""
import json
import os
import random
import sys

import peers

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FRAMES, TRAIN, TEST, CLIPS = 16, 224, 256, 10
WORKS = ("TrainingSample", "Views", "ViewBytes")


# ---------------------------------------------------------------- decoders
# Each is a generator: PLANES first (the order of its pixels' channels, for cv2.split), then the wanted frames, uint8
# [H, W, 3], in order; a frame is valid until the next one. `crop` (left, top, width, height) and `size` (width, height)
# are applied by those that can crop (`crops`); decord resizes whole frames; others ignore them.
RGB, BGR = (0, 1, 2), (2, 1, 0)


class PyAv:
    crops = False

    def __init__(self):
        import av
        from av.video.reformatter import VideoReformatter
        self.av, self.scaler = av, VideoReformatter()

    def versions(self):
        libavcodec = ".".join(map(str, self.av.library_versions["libavcodec"]))
        return {"av": self.av.__version__, "av's libavcodec": libavcodec}

    def frames(self, info, wanted, crop, size):
        yield RGB
        pts = info["pts"]
        # Packed B-frames: times do not rise, so only counting from the start finds a frame.
        timed = all(a < b for a, b in zip(pts, pts[1:]))
        keys = {pts[k] if timed else k for k in wanted}
        left = len(keys)
        with self.av.open(info["path"], metadata_errors="replace") as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            if timed and wanted[0] > 0:
                container.seek(pts[wanted[0]], stream=stream, backward=True)
            for count, frame in enumerate(container.decode(stream)):
                if (frame.pts if timed else count) not in keys:
                    continue
                yield self.scaler.reformat(frame, format="rgb24", threads=1).to_ndarray()
                left -= 1
                if left == 0:
                    break


class OpenCv:
    crops = False

    def __init__(self):
        import cv2
        self.cv2, self.image = cv2, None

    def versions(self):
        lines = [line for line in self.cv2.getBuildInformation().splitlines() if "avcodec:" in line]
        libavcodec = lines[0].split()[-1].strip("()") if lines else "unknown"
        return {"opencv": self.cv2.__version__, "opencv's libavcodec": libavcodec}

    def frames(self, info, wanted, crop, size):
        yield BGR
        cv2 = self.cv2
        capture = cv2.VideoCapture(info["path"], cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        at = 0
        if wanted[0] > 16:
            at = wanted[0]
            capture.set(cv2.CAP_PROP_POS_FRAMES, at)
        if self.image is None or self.image.shape[:2] != (info["height"], info["width"]):
            self.image = None
        for index in wanted:
            while at < index:
                capture.grab()
                at += 1
            got, self.image = capture.read(self.image)
            if not got:
                raise RuntimeError("frame %d cannot be read" % index)
            yield self.image
            at += 1
        capture.release()


class Decord:
    crops = False

    def __init__(self):
        import decord
        self.decord = decord

    def versions(self):
        return {"decord": self.decord.__version__}

    def frames(self, info, wanted, crop, size):
        yield RGB
        # It resizes whole frames alone.
        width, height = size if size and not crop else (-1, -1)
        reader = self.decord.VideoReader(info["path"], ctx=self.decord.cpu(0), num_threads=1, width=width,
                                         height=height)
        yield from reader.get_batch(wanted).asnumpy()


class TorchCodec:
    def __init__(self, seek, in_decoder):
        import torchcodec
        from torchcodec.decoders import VideoDecoder
        self.seek, self.crops = seek, in_decoder
        self.module, self.VideoDecoder = torchcodec, VideoDecoder

    def versions(self):
        return {"torchcodec": self.module.__version__,
                "torchcodec's FFmpeg": str(getattr(self.module, "ffmpeg_major_version", "unknown"))}

    def transforms(self, crop, size):
        from torchcodec.transforms import RandomCrop, Resize

        class CropAt(RandomCrop):
            def _make_transform_spec(self, input_dims):
                return "crop, %d, %d, %d, %d" % (crop[3], crop[2], crop[0], crop[1])

        return ([CropAt((crop[3], crop[2]))] if crop else []) + ([Resize((size[1], size[0]))] if size else [])

    def frames(self, info, wanted, crop, size):
        yield RGB
        options = {"custom_frame_mappings": info["mappings"]} if self.seek == "mappings" else {"seek_mode": self.seek}
        if self.crops and (crop or size):
            options["transforms"] = self.transforms(crop, size)
        decoder = self.VideoDecoder(info["path"], dimension_order="NHWC", num_ffmpeg_threads=1, **options)
        yield from decoder.get_frames_at(wanted).data.numpy()


PEERS = {
    "pyav": PyAv,
    "opencv": OpenCv,
    "decord": Decord,
    "torchcodec": lambda: TorchCodec("exact", False),
    "torchcodec-approximate": lambda: TorchCodec("approximate", False),
    "torchcodec-mappings": lambda: TorchCodec("mappings", False),
    "torchcodec-approximate-in-decoder": lambda: TorchCodec("approximate", True),
    "torchcodec-mappings-in-decoder": lambda: TorchCodec("mappings", True),
}


# ---------------------------------------------------------------- the two pieces of work
class Memory:
    """What a loader allocates once."""

    def __init__(self):
        import numpy as np
        self.clip = np.empty((3, FRAMES, TRAIN, TRAIN), np.float32)
        self.views = np.empty((3 * CLIPS, 3, FRAMES, TEST, TEST), np.float32)
        self.view_bytes = np.empty((3 * CLIPS, FRAMES, TEST, TEST, 3), np.uint8)
        self.images = {}

    def image(self, kind, shape, dtype):
        import numpy as np
        key = kind, shape
        if key not in self.images:
            self.images[key] = np.empty(shape, dtype)
        return self.images[key]


def to_floats(pixels, order, outs, memory):
    """uint8 [H, W, 3] -> normalised floats in the three planes `outs`, of which each is [H, W]."""
    import cv2
    import numpy as np
    planes = [memory.image(c, pixels.shape[:2], np.uint8) for c in range(3)]
    cv2.split(pixels, planes)
    for plane, c in zip(planes, order):
        cv2.addWeighted(plane, 1 / (255 * STD[c]), plane, 0, -MEAN[c] / STD[c], dst=outs[c], dtype=cv2.CV_32F)


def sample(decoder, info, draw, memory):
    import cv2
    import numpy as np
    first, left, top, width, height, mirrored = draw
    frames = decoder.frames(info, list(range(first, first + FRAMES)), (left, top, width, height), (TRAIN, TRAIN))
    order = next(frames)
    for t, frame in enumerate(frames):
        if frame.shape[:2] != (TRAIN, TRAIN) or not decoder.crops:
            frame = cv2.resize(frame[top:top + height, left:left + width], (TRAIN, TRAIN),
                               dst=memory.image("crop", (TRAIN, TRAIN, 3), np.uint8))
        if mirrored:
            frame = cv2.flip(frame, 1, dst=memory.image("mirrored", (TRAIN, TRAIN, 3), np.uint8))
        to_floats(frame, order, memory.clip[:, t], memory)


def test_size(info):
    width, height = info["width"], info["height"]
    return (TEST, TEST * height // width) if width < height else (TEST * width // height, TEST)


def starts(info):
    return [max(0, info["frames"] - FRAMES) * k // CLIPS for k in range(CLIPS)]


def views(decoder, info, memory, as_bytes=False):
    """Floats, plane by plane; or as bytes, whose rows a crop copies as they are, in the decoder's order of channels."""
    import cv2
    import numpy as np
    size = test_size(info)
    wanted = sorted({s + t for s in starts(info) for t in range(FRAMES)})
    corners = ((round((size[0] - TEST) / 2), round((size[1] - TEST) / 2)), (0, 0), (size[0] - TEST, size[1] - TEST))
    resized = size != (info["width"], info["height"])
    floats = memory.image("floats", (3, size[1], size[0]), np.float32)
    frames = decoder.frames(info, wanted, None, size if resized else None)
    order = next(frames)
    for index, frame in zip(wanted, frames):
        if frame.shape[:2] != (size[1], size[0]):
            frame = cv2.resize(frame, size, dst=memory.image("resized", (size[1], size[0], 3), np.uint8))
        if not as_bytes:
            to_floats(frame, order, floats, memory)
        for clip, start in enumerate(starts(info)):
            if start <= index < start + FRAMES:
                for crop, (x, y) in enumerate(corners):
                    if as_bytes:
                        memory.view_bytes[3 * clip + crop, index - start] = frame[y:y + TEST, x:x + TEST]
                    else:
                        memory.views[3 * clip + crop, :, index - start] = floats[:, y:y + TEST, x:x + TEST]


# ---------------------------------------------------------------- files
def thumbnail(rgb):
    """A small grey picture, to recognise a frame by."""
    import cv2
    import numpy as np
    return cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (80, 60), interpolation=cv2.INTER_AREA).astype(np.float32)


def look(path):
    """Size, times and thumbnails of all frames, from a full decoding from the start."""
    import av
    pts, thumbnails, mappings = [], [], []
    with av.open(path, metadata_errors="replace") as container:
        for frame in container.decode(container.streams.video[0]):
            pts.append(frame.pts)
            mappings.append({"pts": frame.pts, "duration": frame.duration or 1, "key_frame": int(frame.key_frame)})
            thumbnails.append(thumbnail(frame.to_ndarray(format="rgb24")))
            width, height = frame.width, frame.height
    if len(pts) < FRAMES:
        raise ValueError("%s has %d frames; the work needs %d" % (path, len(pts), FRAMES))
    if min(width, height) < 64:
        raise ValueError("%s has frames of %dx%d; the work needs a short side of 64" % (path, width, height))
    return {"path": path, "file": os.path.basename(path), "pts": pts, "frames": len(pts), "width": width,
            "height": height, "thumbnails": thumbnails, "mappings": json.dumps({"frames": mappings})}


def is_wrong(difference_to_wanted, least_difference):
    """Whether a picture that resembles another frame more than the wanted one is that other frame. In mean grey levels:
    decoders differ by up to one in their conversion to RGB, and neighbours in a still scene hardly differ."""
    return difference_to_wanted > 1.5 * least_difference + 0.25


def wrong_frames(decoder, info, wanted):
    """How many of the wanted frames the decoder gives wrongly."""
    import numpy as np
    frames = decoder.frames(info, wanted, None, None)
    order = next(frames)
    truth, wrong = np.stack(info["thumbnails"]), len(wanted)
    for index, frame in zip(wanted, frames):
        got = thumbnail(np.ascontiguousarray(frame[:, :, list(order)]))
        difference = np.abs(truth - got).mean(axis=(1, 2))
        wrong -= not is_wrong(difference[index], difference.min())
    return wrong


def draw_samples(info, count):
    """Where samples are: what a crop of 224 out of a short side of 256 to 320 shows of the frame."""
    stream, draws = random.Random(1), []
    for _ in range(count):
        scale = min(info["width"], info["height"]) / stream.randint(256, 320)
        side = round(TRAIN * scale)
        draws.append((stream.randint(0, info["frames"] - FRAMES), stream.randint(0, info["width"] - side),
                      stream.randint(0, info["height"] - side), side, side, int(stream.random() < 0.5)))
    return draws


# ---------------------------------------------------------------- turns
def measure_ours(program, info, draws, smoke):
    samples = ",".join(":".join(map(str, draw)) for draw in draws)
    rows = peers.benchmark_rows(program, ["--videos=" + os.path.abspath(info["path"]), "--samples=" + samples,
                                          "--benchmark_filter=TrainingSample|Views/|ViewBytes",
                                          "--benchmark_min_time=%g" % (0 if smoke else 0.3)])
    unit = {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1000}
    costs = {name.split("/")[0]: row["cpu_time"] * unit[row["time_unit"]] for name, row in rows.items()}
    costs["TrainingSample"] /= len(draws)
    return costs


def check_peers(decoders, info, draws, notes):
    """The peers that can read the file; those of them with right frames."""
    able, right = [], []
    wanted = {work: indices for work, indices in (
        ("samples", [list(range(draw[0], draw[0] + FRAMES)) for draw in draws]),
        ("views", [sorted({s + t for s in starts(info) for t in range(FRAMES)})]))}
    for name, decoder in decoders.items():
        try:
            asked = [indices for all_of_them in wanted.values() for indices in all_of_them]
            wrong = sum(wrong_frames(decoder, info, indices) for indices in asked)
        except Exception as error:  # libraries raise what they like
            notes.append("left out: %s cannot read %s: %s" % (name, info["file"], " ".join(repr(error).split())[:160]))
            continue
        able.append(name)
        if wrong == 0:
            right.append(name)
        else:
            notes.append("wrong frames: %s gives %d of %d frames of %s wrongly; it is not called the fastest" %
                         (name, wrong, sum(map(len, asked)), info["file"]))
    return able, right


def run_file(arguments, info, decoders, costs, notes):
    """Adds the file's costs; the peers with right frames."""
    draws = draw_samples(info, 1 if arguments.smoke else arguments.samples)
    able, right = check_peers(decoders, info, draws, notes)
    memory, least = Memory(), 0 if arguments.smoke else 0.3
    for turn in range(arguments.turns):
        # Before and after the peers.
        ours = [measure_ours(arguments.program, info, draws, arguments.smoke)]
        for name in able:
            decoder = decoders[name]
            works = {"TrainingSample": lambda: [sample(decoder, info, draw, memory) for draw in draws],
                     "Views": lambda: views(decoder, info, memory),
                     "ViewBytes": lambda: views(decoder, info, memory, as_bytes=True)}
            for work, do in works.items():
                if turn == 0:
                    do()  # allocates
                cost = peers.milliseconds(do, least) / (len(draws) if work == "TrainingSample" else 1)
                costs.add("%s/%s" % (work, info["file"]), name, cost)
        ours.append(measure_ours(arguments.program, info, draws, arguments.smoke))
        for work in WORKS:
            costs.add("%s/%s" % (work, info["file"]), peers.OURS, sum(each[work] for each in ours) / 2)
        print("%s: turn %d of %d" % (info["file"], turn + 1, arguments.turns), file=sys.stderr)
    return right


def summarize(costs, files, right, notes):
    """The fastest peer with right frames of each file, and the geometric mean over the files as a row."""
    for work in WORKS:
        ratios, ours, theirs = [], [], []
        for file in files:
            name = "%s/%s" % (work, file)
            fastest = costs.fastest(name, right[file])
            if fastest is None:
                notes.append("%s: no peer with right frames" % name)
                continue
            ratios.append(costs.ratios(name, fastest))
            ours.append(costs.ms[name][peers.OURS])
            theirs.append(costs.ms[name][fastest])
            notes.append("%s: the fastest peer with right frames is %s, ratio %s" %
                         (name, fastest, peers.text(ratios[-1])))
        if len(ratios) > 1:
            for who, values in ((peers.OURS, ours), ("fastest-right-peers", theirs)):
                for turn in zip(*values):
                    costs.add("%s/all-files" % work, who, peers.geometric_mean(turn))
            notes.append("%s, %d files: geometric mean %s" %
                         (work, len(ratios), peers.text([peers.geometric_mean(turn) for turn in zip(*ratios)])))


def main():
    def add_own(parser):
        parser.add_argument("program", help="the data_benchmark binary")
        parser.add_argument("videos", nargs="+")
        parser.add_argument("--samples", type=int, default=8, help="training samples a file (8)")

    arguments = peers.parse_arguments(__doc__, add_own)
    try:
        import av  # noqa: F401  (for the times of frames)
        import cv2
        import numpy  # noqa: F401
    except ImportError as error:
        print("data_peers: %s; the first lines of --help say what to install" % error, file=sys.stderr)
        return 1
    cv2.setNumThreads(1)
    notes, decoders, libraries = [], {}, {}
    for name, make in PEERS.items():
        try:
            decoders[name] = make()
            libraries.update(decoders[name].versions())
        except Exception as error:  # not installed, or its libraries do not load
            notes.append("left out: %s: %s" % (name, " ".join(repr(error).split())[:160]))
    if any(name.startswith("torchcodec") for name in decoders):
        import torch
        torch.set_num_threads(1)
    costs, right, failed = peers.Costs(), {}, 0
    for path in arguments.videos:
        try:
            info = look(path)
            right[info["file"]] = run_file(arguments, info, decoders, costs, notes)
            peers.save(arguments, costs, notes, libraries)
        except Exception as error:  # the other files go on
            failed += 1
            notes.append("failed: %s: %s" % (path, " ".join(str(error).split())[:300]))
    summarize(costs, list(right), right, notes)
    code = peers.finish(arguments, costs, notes, libraries)
    return 1 if failed else code


if __name__ == "__main__":
    sys.exit(main())
