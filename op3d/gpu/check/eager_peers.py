#!/usr/bin/env python3
"""The same DG-P3D in eager PyTorch, with autocast and channels-last: for comparison with gpu_check's figures.

    eager_peers.py RECORD.json --seconds=120

Measures every "training" and "scoring" figure of the record again with the same clips and precision and writes each
result into the record beside it ("eager_seconds", "times_eager") at once.  --device=cpu tries the script itself.
"""
import argparse
import json
import os
import sys
import time

import network_peers


def fastest(torch, device, step):
    best, spent = None, 0.0
    for i in range(7):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds = time.perf_counter() - start
        if i < 2 and device == "cuda":  # cuDNN chooses its algorithms
            continue
        best = seconds if best is None else min(best, seconds)
        spent += seconds
        if spent > 3:
            break
    return best


def measure(torch, kind, figure, device):
    network = network_peers.make_network(figure["network"], 400).to(device, memory_format=torch.channels_last_3d)
    shape = (figure["clips"], 3, figure["frames"], figure["side"], figure["side"])
    clips = torch.randn(shape, device=device).to(memory_format=torch.channels_last_3d)
    amp = torch.autocast(device, torch.float16 if figure.get("precision") == "fp16" else torch.bfloat16)
    if kind == "scoring":
        network.eval()

        def score():
            with torch.no_grad(), amp:
                network(clips)
        return fastest(torch, device, score)
    labels = torch.zeros(figure["clips"], dtype=torch.long, device=device)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9, fused=True)

    def train():
        with amp:
            first, second = network(clips)
            loss = (torch.nn.functional.cross_entropy(first.float(), labels) +
                    torch.nn.functional.cross_entropy(second.float(), labels))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 40)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return fastest(torch, device, train)


def write(record, path):
    """Replaces the file at once: it is whole whenever this script is ended."""
    with open(path + ".new", "w") as file:
        json.dump(record, file, indent=2)
        file.write("\n")
    os.replace(path + ".new", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record")
    parser.add_argument("--seconds", type=float, default=120, help="no new figure begins after this many seconds")
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    import torch
    torch.backends.cudnn.benchmark = True
    network_peers.SIZES["dg_p3d_resnet101"] = (True, (3, 4, 23, 3), 64)
    with open(arguments.record) as file:
        record = json.load(file)
    start, notes = time.perf_counter(), []
    record["eager"] = {"torch": torch.__version__, "left_out": notes, "complete": False}
    write(record, arguments.record)
    # Without a "training" there may be one for which cuDNN did not search.
    training = "training" if record["figures"].get("training") else "training_without_search"
    for kind in (training, "scoring"):
        for figure in record["figures"].get(kind, []):
            what = "%s of %s at %d frames" % (kind, figure["network"], figure["frames"])
            if time.perf_counter() - start > arguments.seconds:
                notes.append(what + ": no time left")
                continue
            try:
                figure["eager_seconds"] = measure(torch, kind, figure, arguments.device)
                figure["times_eager"] = figure["eager_seconds"] / figure["seconds"]
                print("%s: eager PyTorch takes %.2f times as long" % (what, figure["times_eager"]), flush=True)
            except Exception as error:  # the others go on, also without memory
                notes.append("%s: %s" % (what, " ".join(str(error).split())[:200]))
            write(record, arguments.record)
            if arguments.device == "cuda":
                torch.cuda.empty_cache()
    record["eager"]["complete"] = True
    write(record, arguments.record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
