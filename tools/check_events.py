#!/usr/bin/env python3
"""Loads a run's TensorBoard events with TensorBoard's own reader and compares them with what the run
wrote down beside them.  A check for development; no test, since it needs a package:

    python3 -m venv /tmp/tb && /tmp/tb/bin/pip install tensorboard
    /tmp/tb/bin/python tools/check_events.py RUN...

RUN is an output folder of //op3d:train or of a benchmark; its log.jsonl is what counts.  Prints how
many values were compared, and ends with 1 and the first differences when any differs.
"""

import json
import os
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def single(value):
    """An event's values are single precision."""
    return struct.unpack("f", struct.pack("f", value))[0]


def read_events(folder):
    """{tag: {step: value}} of the folder's event files."""
    events = EventAccumulator(folder, size_guidance={"scalars": 0})
    events.Reload()
    result = {}
    for tag in events.Tags()["scalars"]:
        points = events.Scalars(tag)
        result[tag] = {point.step: point.value for point in points}
        if len(result[tag]) != len(points):
            raise SystemExit(f"{folder}: {tag} has a step twice")
    return result


def read_log(folder):
    with open(os.path.join(folder, "log.jsonl"), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def expected_of_training(folder):
    """{tag: {step: value}} as the log of //op3d:train has it."""
    expected = {}
    lines = [line for line in read_log(folder) if "state" in line]

    def expect(tag, step, value):
        expected.setdefault(tag, {})[step] = value

    before, step, state, steps_per_epoch = 0, 0, 1, 0
    for line in lines:
        if line["state"] != state:
            before, state = step, line["state"]
        if line["event"] == "step":
            if line["epoch"] == 1:
                steps_per_epoch = line["step"]  # in the end
            step = before + (line["epoch"] - 1) * steps_per_epoch + line["step"]
            for name in ("loss", "learning_rate", "gradient_norm"):
                expect("train/" + name, step, line[name])
            for name in ("wait", "forward", "backward", "step"):
                expect(f"speed/{name}_seconds", step, line["volatile"][name])
        elif line["event"] == "epoch":
            expect("epoch/loss", step, line["loss"])
            for name in ("performance", "top1", "top3", "top5"):
                if name in line:
                    expect("measure/" + name, step, line[name])
    return {"": expected}


def expected_of_benchmark(folder):
    """{curve: {tag: {step: value}}} as a benchmark's log has it."""
    expected = {}
    for line in read_log(folder):
        if line["event"] == "search_epoch":
            curve = f"search/{line['pool']}/{line['edge']}"
            values = {"search/performance": line["performance"]}
            if line["epoch"] > 0:
                values["search/loss"] = line["loss"]
        elif line["event"] == "recipe_epoch" and line["loss"] > 0:
            curve = f"recipes/{line['recipe']}"
            values = {"recipes/loss": line["loss"]}
        else:
            continue
        for tag, value in values.items():
            expected.setdefault(curve, {}).setdefault(tag, {})[line["epoch"]] = value
    return expected


def check(folder):
    """Numbers of values and curves compared, and the differences."""
    charts = os.path.join(folder, "tensorboard")
    benchmark = os.path.isdir(charts)
    expected = (expected_of_benchmark if benchmark else expected_of_training)(folder)
    differences, values = [], 0
    for curve, tags in expected.items():
        found = read_events(os.path.join(charts, curve) if benchmark else folder)
        for tag, points in tags.items():
            if set(found.get(tag, {})) != set(points):
                differences.append(
                    f"{curve} {tag}: steps {sorted(found.get(tag, {}))}, logged {sorted(points)}")
                continue
            for step, value in points.items():
                values += 1
                if found[tag][step] != single(value):
                    differences.append(
                        f"{curve} {tag} step {step}: {found[tag][step]}, logged {value}")
    return values, len(expected), differences


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    failed = False
    for folder in sys.argv[1:]:
        values, curves, differences = check(folder)
        for difference in differences[:10]:
            print(f"{folder}: {difference}")
        print(f"{folder}: {values} values of {curves} curve(s) compared, "
              f"{len(differences)} difference(s)")
        failed = failed or bool(differences) or values == 0
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
