"""The toy model of planner/example/train.py as a Runner. What it does beside that is told by $TOY, for tests."""
import json
import os
import random
import signal
import subprocess
import sys
import time

import op3d_planner

EXAMPLE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "example", "train.py")
TOY = os.environ.get("TOY", "")
toy = {"__name__": "toy"}
with open(os.environ.get("TOY_MODEL", EXAMPLE)) as file:
    # Model and training, without the protocol.
    exec(file.read().split("\nfor line in sys.stdin")[0], toy)


def once(task, name):
    """True the first time in a search."""
    mark = task.folder.parent / name
    if mark.exists():
        return False
    mark.touch()
    return True


class Toy(op3d_planner.Runner):
    def begin(self, task):
        self.weights = toy["load"]("", None)
        self.drawn = random.random()

    def train(self, task, epoch):
        toy["train"](self.weights, task.state.learning_rate, "%s %d" % (task.edge, epoch))
        if TOY == "prints":
            print('{"epoch": %d, "performance": 0.99}' % epoch)
            sys.stdout.write("no newline")
            os.write(1, b'{"epoch": 7}\n')
            subprocess.run(["echo", '{"epoch": 8}'], check=True)
            if sys.stdin.read():
                raise ValueError("read a request")
        if TOY == "raises" and epoch == 2:
            raise RuntimeError("CUDA out of memory")
        if TOY == "fails" and task.edge == "S0-A":
            raise op3d_planner.TrainingFailed("the gradient's norm is 1e9")
        if TOY == "dies" and epoch == 2 and once(task, task.edge + ".died"):
            os.kill(os.getpid(), signal.SIGKILL)
        if TOY == "planner dies" and epoch == 2 and once(task, "planner.died"):
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        if TOY == "blocks" and epoch == 2:
            time.sleep(60)
        return float("inf") if TOY == "diverges" and task.edge == "S0-A" else None

    def evaluate(self, task):
        if TOY == "nan" and task.edge == "S0-A":
            return float("nan")
        if TOY == "per cent":
            return 61.2
        if TOY == "nothing":
            return None
        hits = [max(range(3), key=toy["scores"](self.weights, toy["VIDEOS"][i]).__getitem__) == i % 3
                for i in range(60, 90)]
        return sum(hits) / len(hits)

    def save(self, folder):
        if TOY != "saves nothing":
            (folder / "weights.json").write_text(json.dumps(self.weights))
            (folder / "resume.json").write_text("{}")

    def load(self, folder):
        self.weights = json.loads((folder / "weights.json").read_text())

    def estimate(self, task):
        if TOY == "estimates badly":
            return op3d_planner.Cost(60, float("nan"), 0, 0, 0, 0)
        if TOY != "estimates":
            return super().estimate(task)
        return op3d_planner.Cost(clips=60, train_seconds=2, measure_seconds=1, memory_bytes=12e6, training_bytes=900,
                                 kept_bytes=300)

    def stopped(self, task):
        (task.folder / "partial").write_text(task.edge)


if __name__ == "__main__":
    if TOY == "prints":
        print("Loading data ...", end="", flush=True)
    op3d_planner.serve(Toy())
