"""Training by another program: the planner's child protocol (planner/runner/child_runner.h) in plain Python.

./bazelw run //planner:plan -- search --runner="python3 planner/example/train.py" --output_dir=/tmp/toy
"""
import json
import math
import os
import random
import sys
import time

VIDEOS = [[random.Random(i).gauss(i % 3 == k, 1.2) for k in range(3)] for i in range(90)]


def scores(weights, x):
    exps = [math.exp(sum(w * v for w, v in zip(row, x))) for row in weights]
    return [e / sum(exps) for e in exps]


def load(folder, epoch):
    if not folder:
        return [[0.01 * (j - i) for j in range(3)] for i in range(3)]  # the initial weights
    with open(os.path.join(folder, "kept.json" if epoch is None else f"{epoch}.json")) as file:
        return json.load(file)


def train(weights, rate, seed):
    for i in random.Random(seed).sample(range(60), 60):
        for k, p in enumerate(scores(weights, VIDEOS[i])):
            weights[k] = [w - rate * (p - (i % 3 == k)) * v for w, v in zip(weights[k], VIDEOS[i])]


for line in sys.stdin:
    ask = json.loads(line)
    epoch, folder = ask["epoch"], ask["folder"]
    if ask["request"] == "keep":
        for name in os.listdir(folder):
            if epoch and name == f"{epoch}.json":
                os.replace(os.path.join(folder, name), os.path.join(folder, "kept.json"))
            elif name != "kept.json":
                os.remove(os.path.join(folder, name))
        print(json.dumps({"epoch": epoch}), flush=True)
        continue
    if ask["request"] == "estimate":  # of a dry run; may be left out
        start = time.perf_counter()
        train(load("", None), 0.01, "probe")
        second = time.perf_counter() - start
        print(json.dumps({"epoch": epoch, "clips": 60, "train_seconds": second, "measure_seconds": second / 2,
                          "memory_bytes": 12000000, "training_bytes": 300 * epoch, "kept_bytes": 300}), flush=True)
        continue
    weights = load(folder, epoch - 1) if epoch > 1 else load(ask["source"], None)
    if ask["request"] == "train":
        train(weights, ask["state"]["learning_rate"], f"{ask['edge']} {epoch}")
        part = os.path.join(folder, f"{epoch}.part")
        with open(part, "w") as file:
            json.dump(weights, file)
        os.replace(part, os.path.join(folder, f"{epoch}.json"))  # all or nothing
    hits = [max(range(3), key=scores(weights, VIDEOS[i]).__getitem__) == i % 3 for i in range(60, 90)]
    print(json.dumps({"epoch": epoch, "performance": sum(hits) / len(hits)}), flush=True)
