"""Holds //planner:knee against a brute force that shares nothing with it: for every one of many
decays b the bounded linear least squares of the other four unknowns by scipy's active sets, then a
closer search around the best ones.  Needs numpy and scipy, so it is no test of the build's.

./bazelw build //planner:knee && python3 planner/knee/check_knee.py bazel-out/k8-opt/bin/programs/knee --curves=300
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from scipy.optimize import lsq_linear, minimize_scalar

BOUNDS = ([0, -np.inf, 0, 0], np.inf)  # a, c, d, e


def curve(p, x):
    a, b, c, d, e = p
    return -a * np.exp(-b * x) - c * x - d * x * x + e


def solve(b, x, y):
    """The best a, c, d, e for this b, over x / span so that the columns are of one size."""
    u = x / x[-1]
    if b == 0:  # then e - a is one unknown, of either sign
        columns = np.stack([-u, -u * u, np.ones_like(u)], axis=1)
        c, d, e = lsq_linear(columns, y, ([-np.inf, 0, -np.inf], np.inf), method="bvls", tol=1e-14).x
        p = (max(0, -e), 0, c / x[-1], d / x[-1] ** 2, max(0, e))
        return float(np.sum((curve(p, x) - y) ** 2)), p
    columns = np.stack([-np.exp(-b * x), -u, -u * u, np.ones_like(u)], axis=1)
    a, c, d, e = lsq_linear(columns, y, BOUNDS, method="bvls", tol=1e-14).x
    p = (a, b, c / x[-1], d / x[-1] ** 2, e)
    return float(np.sum((curve(p, x) - y) ** 2)), p


def brute_force(x, y):
    logs = np.linspace(np.log(1e-3 / x[-1]), np.log(40), 300)
    fits = [solve(np.exp(log), x, y) for log in logs]
    best = min([solve(0, x, y), solve(60, x, y)] + fits)
    rss = [fit[0] for fit in fits]
    lows = [i for i in range(1, len(logs) - 1) if rss[i] <= rss[i - 1] and rss[i] <= rss[i + 1]]
    for i in sorted(lows, key=lambda i: rss[i])[:4]:
        found = minimize_scalar(lambda log: solve(np.exp(log), x, y)[0], method="bounded",
                                bounds=(logs[i - 1], logs[i + 1]), options={"xatol": 1e-10})
        best = min(best, solve(np.exp(found.x), x, y))
    return best


def random_curve(random):
    """Of the fitted family or not, with little or much noise, short or long."""
    points = int(random.integers(12, 160))
    x = np.arange(points, dtype=float)
    top, noise = random.uniform(0.1, 0.9), random.choice([0, 0.001, 0.004, 0.02])
    pace, fall = random.uniform(0.02, 0.5), random.uniform(0, 0.4) * top
    rise = random.uniform(0.2, 1) * top
    kind = random.choice(["family", "power law", "step", "flat"])
    if kind == "family":
        y = top - rise * np.exp(-pace * x) - fall * (x / points) ** 2
    elif kind == "power law":
        y = top - rise * (1 + pace * x) ** -1.5 - fall * x / points
    elif kind == "step":
        y = top - rise * (x < points / 3) - fall * x / points
    else:
        y = np.full(points, top)
    return kind, x, np.maximum(0, y + noise * random.standard_normal(points))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("knee")
    parser.add_argument("--curves", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random = np.random.default_rng(args.seed)
    worse, other_knees, better, worst = 0, 0, 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "curve.csv")
        for number in range(args.curves):
            kind, x, y = random_curve(random)
            with open(path, "w") as file:
                file.write("epoch,performance\n")
                file.writelines(f"{int(k)},{float(v)!r}\n" for k, v in zip(x, y))
            command = [args.knee, path, "--json", "--bootstrap_samples=2"]
            ours = json.loads(subprocess.check_output(command))
            rss, p = brute_force(x, y)
            p_ours = tuple(ours[name] for name in "abcde")
            rss_ours = float(np.sum((curve(p_ours, x) - y) ** 2))
            slack = 1e-6 * rss + 1e-14 * len(x) * np.max(y) ** 2
            knee = int(np.argmax(curve(p, np.arange(1000.0))))
            worst = max(worst, (rss_ours - rss) / max(rss, 1e-14 * len(x)))
            better += rss_ours < rss - slack
            if rss_ours > rss + slack:
                worse += 1
                print(f"curve {number} ({kind}, {len(x)} points): rss {rss_ours:.9g}, but {rss:.9g} is possible, {p}")
            elif knee != ours["knee"]:
                other_knees += 1
                gap = curve(p_ours, ours["knee"]) - curve(p_ours, knee)
                print(f"curve {number} ({kind}, {len(x)} points): knee {ours['knee']} and {knee}, "
                      f"{gap:.1e} apart in f, rss {rss_ours:.9g} and {rss:.9g}")
    print(f"{args.curves} curves: {worse} fitted worse, {better} better, "
          f"{other_knees} as good with another knee; largest excess of the residual {worst:.1e}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
