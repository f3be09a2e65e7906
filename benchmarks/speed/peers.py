"""What data_peers.py and network_peers.py share: turns, spreads, and the JSON of //benchmarks:speed.

The JSON is a part of the message of speed_report.proto: rows, notes, versions. A row's ratio is a peer's time divided
by op3d's time for the same work in the same turn, so above 1 op3d is faster.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time

OURS = "op3d"


def parse_arguments(description, add_own):
    """The flags of both scripts, and those that `add_own(parser)` adds. Ends with 2 on wrong use."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5, help="how often everybody runs, in turns; 1 to 100 (5)")
    parser.add_argument("--output", help="the JSON file to write; default: none")
    parser.add_argument("--smoke", action="store_true", help="the least work, to see that everything runs")
    add_own(parser)
    arguments = parser.parse_args()
    if not 1 <= arguments.turns <= 100:
        parser.error("--turns=%d; it must be in [1, 100]" % arguments.turns)
    return arguments


def spread(values):
    return {"values": list(values), "median": statistics.median(values), "least": min(values), "most": max(values)}


def text(values, digits=2):
    """"1.31 (1.28 - 1.35)"."""
    return "%.*f (%.*f - %.*f)" % (digits, statistics.median(values), digits, min(values), digits, max(values))


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


class Costs:
    """CPU time in milliseconds: `ms[work][who]` is a list with one value a turn."""

    def __init__(self):
        self.ms = {}

    def add(self, work, who, value):
        self.ms.setdefault(work, {}).setdefault(who, []).append(value)

    def ratios(self, work, who):
        """`who`'s time divided by op3d's, turn by turn."""
        return [theirs / ours for theirs, ours in zip(self.ms[work][who], self.ms[work][OURS])]

    def fastest(self, work, among):
        """The one of `among` with the smallest median; None if none of them did this work."""
        there = [who for who in among if who in self.ms.get(work, {})]
        return min(there, key=lambda who: statistics.median(self.ms[work][who]), default=None)

    def rows(self):
        rows = []
        for work, all_of_it in self.ms.items():
            for who, values in all_of_it.items():
                row = {"name": "%s/%s" % (work, who), "clock": "cpu", "ms": spread(values)}
                if who != OURS and OURS in all_of_it:
                    row["yardstick"] = OURS
                    row["ratio"] = spread(self.ratios(work, who))
                rows.append(row)
        return rows


def milliseconds(step, least_seconds):
    """Mean CPU time of one call; calls until `least_seconds` have passed."""
    calls, start = 0, time.process_time()
    while calls == 0 or time.process_time() - start < least_seconds:
        step()
        calls += 1
    return 1000 * (time.process_time() - start) / calls


def benchmark_rows(program, flags):
    """Name -> the row of Google Benchmark's JSON. RuntimeError if the program or a row fails."""
    run = subprocess.run([program] + flags + ["--benchmark_format=json"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, env=dict(os.environ, OMP_NUM_THREADS="1"))
    if run.returncode != 0:
        raise RuntimeError("%s ended with %d: %s" % (program, run.returncode, run.stderr.decode()[-300:]))
    rows = {row["name"]: row for row in json.loads(run.stdout)["benchmarks"]}
    for name, row in rows.items():
        if row.get("error_occurred"):
            raise RuntimeError("%s: %s" % (name, row["error_message"]))
    return rows


def save(arguments, costs, notes, libraries):
    """Writes the JSON, if one is asked for; after every piece of work, so that an end from outside loses little."""
    if not arguments.output:
        return
    report = {"rows": costs.rows(), "parts": [{"notes": notes}], "libraries": libraries}
    partial = arguments.output + ".part"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
    os.replace(partial, arguments.output)


def finish(arguments, costs, notes, libraries):
    """Saves, and prints the table and the notes to stderr; the exit code."""
    save(arguments, costs, notes, libraries)
    rows = costs.rows()
    for row in rows:
        ratio = "  ratio %s" % text(row["ratio"]["values"]) if "ratio" in row else ""
        print("%-64s %s ms%s" % (row["name"], text(row["ms"]["values"], 1), ratio), file=sys.stderr)
    for note in notes:
        print(note, file=sys.stderr)
    return 0 if rows else 1
