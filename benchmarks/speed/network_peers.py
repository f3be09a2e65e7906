#!/usr/bin/env python3
"""Runs network_benchmark and the same DG-P3D in PyTorch in turns and prints the ratios.

    python3 -m venv DIR && DIR/bin/pip install torch numpy
    ./bazelw build //benchmarks/speed:network_benchmark
    DIR/bin/python benchmarks/speed/network_peers.py .bazel/bin/benchmarks/speed/network_benchmark

or, as a part of //benchmarks:speed, with --parts=network_peers --peers_python=DIR/bin/python.

One thread, CPU time. A training step is forward, loss, backward, clipping and a fused SGD step; evaluation runs without
gradients. The peers are

    eager                   as PyTorch runs it
    channels-last           with weights and clips in torch.channels_last_3d
    compiled                torch.compile
    compiled-channels-last  both
    frozen                  torch.compile with freezing: evaluation alone, weights as constants, BatchNorm folded

bf16 is torch.autocast. Compiling takes minutes the first time; torch keeps what it compiled. Before anything is timed,
the network's logits are compared with the golden numbers that op3d's own tests use.
"""
import json
import math
import os
import struct
import sys

import peers

TESTDATA = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../op3d/network/testdata")
# Name -> bottleneck blocks?, depths, width.
SIZES = {"dg_p3d_miniature": (True, (1, 1, 1, 1), 8), "dg_p3d_resnet18": (False, (2, 2, 2, 2), 64),
         "dg_p3d_resnet50": (True, (3, 4, 6, 3), 64)}
PEERS = ("eager", "channels-last", "compiled", "compiled-channels-last", "frozen")


# ---------------------------------------------------------------- the network
def make_network(name, classes):
    """DG-P3D without dropout, with the parameters' names of op3d."""
    import torch
    from torch import nn
    from torch.nn.functional import relu
    bottleneck, depths, base = SIZES[name]

    def spatial(inner, outer, stride):
        return nn.Conv3d(inner, outer, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False)

    def temporal(inner, outer, stride=1):
        return nn.Conv3d(inner, outer, (3, 1, 1), (1, stride, stride), (1, 0, 0), bias=False)

    def pointwise(inner, outer, stride=1):
        return nn.Conv3d(inner, outer, 1, (1, stride, stride), bias=False)

    class Block(nn.Module):
        def __init__(self, index, inner, planes, stride):
            super().__init__()
            self.wiring = "ABC"[index % 3]
            outer = planes * (4 if bottleneck else 1)
            parallel = self.wiring == "B"
            if bottleneck:
                self.conv1, self.bn1 = pointwise(inner, planes), nn.BatchNorm3d(planes)
                self.conv2 = spatial(planes, planes, stride)
                self.conv2_t = temporal(planes, planes, stride if parallel else 1)
                self.bn2 = nn.BatchNorm3d(planes)
                self.conv3, self.bn3 = pointwise(planes, outer), nn.BatchNorm3d(outer)
            else:
                self.conv1 = spatial(inner, planes, stride)
                self.conv1_t = temporal(inner, planes, stride) if parallel else temporal(planes, planes)
                self.bn1 = nn.BatchNorm3d(planes)
                self.conv2, self.conv2_t = spatial(planes, planes, 1), temporal(planes, planes)
                self.bn2 = nn.BatchNorm3d(planes)
            self.downsample = None
            if stride != 1 or inner != outer:
                self.downsample = nn.Sequential(pointwise(inner, outer, stride), nn.BatchNorm3d(outer))
            squeezed = max(4, outer // 16)
            self.fc1, self.fc2 = nn.Linear(outer, squeezed), nn.Linear(squeezed, outer)

        def branch_bottleneck(self, x):
            x = relu(self.bn1(self.conv1(x)))
            if self.wiring == "A":
                x = relu(self.bn2(self.conv2_t(self.conv2(x))))
            elif self.wiring == "B":
                x = relu(self.bn2(self.conv2(x) + self.conv2_t(x)))
            else:
                x = relu(self.bn2(self.conv2(x)))
                x = relu(x + self.conv2_t(x))
            return self.bn3(self.conv3(x))

        def branch_basic(self, x):
            if self.wiring == "A":
                x = relu(self.bn1(self.conv1_t(self.conv1(x))))
                return self.bn2(self.conv2_t(self.conv2(x)))
            if self.wiring == "B":
                t = self.conv1_t(x)
                return self.bn2(self.conv2(relu(self.bn1(self.conv1(x) + t))) + self.conv2_t(t))
            x = relu(self.bn1(self.conv1(x)))
            x = self.bn2(self.conv2(relu(x + self.conv1_t(x))))
            return x + self.conv2_t(x)

        def forward(self, x):
            branch = self.branch_bottleneck(x) if bottleneck else self.branch_basic(x)
            context = self.fc2(relu(self.fc1(branch.mean((2, 3, 4)))))
            identity = x if self.downsample is None else self.downsample(x)
            return relu(branch + identity + context[:, :, None, None, None])

    def stage(number, inner, stride):
        planes, blocks = base << (number - 1), []
        for i in range(depths[number - 1]):
            blocks.append(Block(sum(depths[:number - 1]) + i, inner, planes, stride if i == 0 else 1))
            inner = planes * (4 if bottleneck else 1)
        return nn.Sequential(*blocks)

    class DgP3d(nn.Module):
        def __init__(self):
            super().__init__()
            outer = [(base << i) * (4 if bottleneck else 1) for i in range(4)]
            self.conv1 = nn.Conv3d(3, base, (4, 7, 7), (4, 2, 2), (0, 3, 3), bias=False)
            self.bn1 = nn.BatchNorm3d(base)
            self.maxpool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
            self.layer1, self.layer2 = stage(1, base, 1), stage(2, outer[0], 2)
            self.layer3, self.layer4 = stage(3, outer[1], 2), stage(4, outer[2], 2)
            self.maxpool_dual = nn.MaxPool3d((4, 1, 1), (4, 1, 1))
            self.layer4_dual = stage(4, outer[2], 1)
            self.fc, self.fc_dual = nn.Linear(outer[3], classes), nn.Linear(outer[3], classes)

        def forward(self, x):
            x = self.maxpool(relu(self.bn1(self.conv1(x))))
            x = self.layer3(self.layer2(self.layer1(x)))
            first = self.fc(self.layer4(x).mean((2, 3, 4)))
            second = self.fc_dual(self.layer4_dual(self.maxpool_dual(x)).mean((2, 3, 4)))
            return first, second

    return DgP3d().to(torch.float32)


# ---------------------------------------------------------------- the golden numbers' filling
def units(name, count):
    """The numbers of that name in [-1, 1): op3d/network/testing/golden_filling.h."""
    import numpy as np
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1


def fill(network):
    import torch
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        u = units(name, tensor.numel())
        if name.endswith("running_mean"):
            value = u / 8
        elif name.endswith("running_var"):
            value = 1 + abs(u) / 2
        elif tensor.dim() >= 2:
            value = u * math.sqrt(3 / (tensor.numel() / tensor.shape[0]))
        elif name.endswith(".bn3.weight"):
            value = 0.25 + u / 32
        else:
            value = (1 if name.endswith(".weight") else 0) + u / 8
        tensor.copy_(torch.from_numpy(value).to(torch.float32).reshape(tensor.shape))


def golden_clip(shape):
    import numpy as np
    import torch
    n, c, t, h, w = shape
    coarse_shape = (n, c, -(-t // 4), -(-h // 16), -(-w // 16))
    coarse = units("input.coarse", math.prod(coarse_shape)).reshape(coarse_shape)
    for axis, times in ((2, 4), (3, 16), (4, 16)):
        coarse = np.repeat(coarse, times, axis)
    clip = units("input", math.prod(shape)).reshape(shape) + 2 * coarse[:, :, :t, :h, :w]
    return torch.from_numpy(clip).to(torch.float32)


def read_tensor(path, name):
    import numpy as np
    with open(path, "rb") as file:
        content = file.read()
    length = struct.unpack("<Q", content[:8])[0]
    entry = json.loads(content[8:8 + length])[name]
    begin, end = entry["data_offsets"]
    kind = {"F64": np.float64, "F32": np.float32}[entry["dtype"]]
    return np.frombuffer(content[8 + length + begin:8 + length + end], kind).reshape(entry["shape"])


def check_network(name):
    """Empty if the network's logits in double precision are the golden ones; else what is wrong."""
    import numpy as np
    import torch
    folder = os.path.join(TESTDATA, name)
    golden = os.path.join(folder, "eval_2x16x64x64.safetensors")
    if not os.path.exists(golden):
        return "no golden numbers of %s; it is not checked" % name
    with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
        network = make_network(name, json.load(file)["classes"])
    with torch.no_grad():
        fill(network)
        heads = network.double().eval()(golden_clip((2, 3, 16, 64, 64)).double())
    for k, logits in enumerate(heads):
        wanted = read_tensor(golden, "logits.%d.f64" % k)
        error = float(np.abs(logits.numpy() - wanted).max())
        if not error < 1e-9:
            raise RuntimeError("%s is not the same network: logits of head %d differ by %g" % (name, k, error))
    return ""


# ---------------------------------------------------------------- one iteration
def make_step(peer, network_name, what, shape, precision):
    """A function that does one iteration; None if the peer cannot do this work."""
    import torch
    from torch.nn.functional import cross_entropy
    if peer == "frozen" and what == "train":
        return None
    network = make_network(network_name, 400)
    with torch.no_grad():
        fill(network)
    clips, frames, side = shape
    clip = torch.randn(clips, 3, frames, side, side)
    if "channels-last" in peer:
        network = network.to(memory_format=torch.channels_last_3d)
        clip = clip.to(memory_format=torch.channels_last_3d)
    network.train(what == "train")
    run = torch.compile(network) if "compiled" in peer or peer == "frozen" else network
    amp = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")
    if what == "evaluate":
        def evaluate():
            with torch.no_grad(), amp:
                run(clip)
        # The first call compiles. As an option of torch.compile, freezing has no effect in torch 2.11.
        with torch._inductor.config.patch(freezing=peer == "frozen"):
            evaluate()
        return evaluate
    labels = torch.randint(400, (clips,))
    parameters = list(network.parameters())
    optimizer = torch.optim.SGD(parameters, 1e-3, momentum=0.9, weight_decay=1e-4, nesterov=True, fused=True)

    def train():
        with amp:
            heads = run(clip)
        loss = sum(cross_entropy(head.float(), labels) for head in heads)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 40, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return train


def measure_ours(program, name, least_seconds):
    rows = peers.benchmark_rows(program, ["--benchmark_filter=^%s/" % name, "--benchmark_min_time=%g" % least_seconds])
    if len(rows) != 1:
        raise RuntimeError("network_benchmark has %d rows %s, not one" % (len(rows), name))
    return next(iter(rows.values()))["real_time"]


def run_work(arguments, network, what, shape, precision, costs, notes):
    import torch
    name = "%s/%s/%s/%s" % (network, what, "x".join(map(str, shape)), precision)
    # op3d starts again in every turn, and its first steps are slower (5 % within a second); the peers are warm.
    least, ours_least = (0, 0) if arguments.smoke else (1, 4)
    steps = {}
    # All networks share their code, and dynamo compiles one code only a few times; not later, when it would throw
    # away what this work's peers have compiled.
    torch._dynamo.reset()
    for peer in arguments.peers:
        try:
            step = make_step(peer, network, what, shape, precision)
            for _ in range(2 if step else 0):
                step()  # compiles, allocates
        except Exception as error:  # a compiler that is missing, an operator that is not supported
            notes.append("left out: %s of %s: %s" % (peer, name, " ".join(repr(error).split())[:200]))
            continue
        if step:
            steps[peer] = step
    for step in steps.values():
        step()  # nothing is left to be compiled in the first turn
    for turn in range(arguments.turns):
        ours = [measure_ours(arguments.program, name, ours_least)]
        for peer, step in steps.items():
            costs.add(name, peer, peers.milliseconds(step, least))
        ours.append(measure_ours(arguments.program, name, ours_least))
        costs.add(name, peers.OURS, sum(ours) / 2)
        print("%s: turn %d of %d" % (name, turn + 1, arguments.turns), file=sys.stderr)
    fastest = costs.fastest(name, steps)
    if fastest:
        notes.append("%s: the fastest peer is %s, ratio %s" % (name, fastest, peers.text(costs.ratios(name, fastest))))


def has_bfloat16():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        words = file.read().split()
    return "avx512_bf16" in words or "amx_bf16" in words


def main():
    def split(choices):
        def parse(text):
            words = text.split(",")
            for word in words:
                if word not in choices:
                    raise ValueError(word)
            return words
        parse.__name__ = "list of " + ", ".join(choices)
        return parse

    def add_own(parser):
        parser.add_argument("program", help="the network_benchmark binary")
        parser.add_argument("--networks", type=split(tuple(SIZES)), default=["dg_p3d_resnet18", "dg_p3d_resnet50"])
        parser.add_argument("--what", type=split(("train", "evaluate")), default=["train", "evaluate"])
        parser.add_argument("--shapes", type=split(("2x16x112", "1x16x224", "16x16x32")), default=["2x16x112"])
        parser.add_argument("--precisions", type=split(("fp32", "bf16")),
                            help="default: fp32, and bf16 where the processor has instructions for it")
        parser.add_argument("--peers", type=split(PEERS), default=list(PEERS))

    arguments = peers.parse_arguments(__doc__, add_own)
    try:
        import numpy
        import torch
        import torch._dynamo
        import torch._inductor.config
    except ImportError as error:
        print("network_peers: %s; the first lines of --help say what to install" % error, file=sys.stderr)
        return 1
    torch.set_num_threads(1)
    if arguments.smoke:
        arguments.networks, arguments.shapes = ["dg_p3d_miniature"], ["16x16x32"]
        arguments.precisions, arguments.peers = ["fp32"], ["eager", "channels-last"]
    precisions = arguments.precisions or (["fp32", "bf16"] if has_bfloat16() else ["fp32"])
    costs, notes, libraries, failed = peers.Costs(), [], {"torch": torch.__version__}, 0
    numpy.seterr(over="ignore")  # the filling counts modulo 2^64
    works = [(network, what, tuple(map(int, shape.split("x"))), precision) for network in arguments.networks
             for shape in arguments.shapes for what in arguments.what for precision in precisions]
    for network in arguments.networks:
        note = check_network(network)
        notes += [note] if note else []
    for work in works:
        try:
            run_work(arguments, *work, costs, notes)
            peers.save(arguments, costs, notes, libraries)
        except Exception as error:  # the other works go on
            failed += 1
            notes.append("failed: %s: %s" % (work, " ".join(str(error).split())[:300]))
    code = peers.finish(arguments, costs, notes, libraries)
    return 1 if failed else code


if __name__ == "__main__":
    sys.exit(main())
