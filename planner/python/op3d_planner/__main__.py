"""python3 -m op3d_planner check 'python3 my_train.py': tries a runner as the planner would, without a search."""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Optional

from .protocol import PROTOCOL


class _Child:
    def __init__(self, command: str):
        self._process = subprocess.Popen("exec " + command, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)

    def ask(self, kind: str, epoch: int, edge: str, state: Dict[str, Any], source: str, folder: Path) -> Dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        request = {"protocol": PROTOCOL, "request": kind, "epoch": epoch, "edge": edge, "state": state, "source": source,
                   "folder": str(folder)}
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        while True:
            line = self._process.stdout.readline()
            if not line:
                raise SystemExit("%s of epoch %d: the program ended with exit code %s" % (kind, epoch,
                                                                                          self._process.wait()))
            if line.startswith("{"):
                break
            if line.strip():
                sys.stderr.write(line)
        answer = json.loads(line)
        if "error" in answer:
            raise SystemExit("%s of epoch %d: %s" % (kind, epoch, answer["error"]))
        if answer.get("epoch") != epoch:
            raise SystemExit("%s of epoch %d: the answer is for another epoch: %s" % (kind, epoch, line.strip()))
        print("%-7s epoch %d of %s: %s" % (kind, epoch, edge, json.dumps(answer)), flush=True)
        return answer

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def check(command: str, state: Dict[str, Any], folder: Path) -> Optional[str]:
    """What is wrong with the runner; None = nothing. SystemExit with a sentence where it does not answer."""
    child = _Child(command)
    first, second = folder / "killed/S0-A", folder / "killed/A-B"
    try:
        for epoch in (1, 2):
            wanted = child.ask("train", epoch, "S0-A", state, "", folder / "whole/S0-A")
        child.kill()
        print("the same again, by two programs: the first one is killed after its epoch")
        child = _Child(command)
        child.ask("train", 1, "S0-A", state, "", first)
        child.kill()
        child = _Child(command)
        again = child.ask("train", 2, "S0-A", state, "", first)
        child.ask("keep", 2, "S0-A", state, "", first)
        child.kill()
        child = _Child(command)
        start = child.ask("measure", 0, "A-B", state, str(first), second)
        child.ask("keep", 0, "A-B", state, str(first), second)
    finally:
        child.kill()
    if again != wanted:
        return ("epoch 2 came out otherwise after a kill: the program draws random numbers of its own, or load() does not bring "
                "back all that training needs. A search works, but a resumed one may end with another plan")
    if start["performance"] != again["performance"]:
        return ("the kept weights score %g, at the end of their epoch they scored %g: evaluate() or load() depends on "
                "something else than the weights" % (start["performance"], again["performance"]))
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m op3d_planner", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("check", help="train two epochs, kill, train the second again, keep, measure")
    one.add_argument("runner", help="as plan search --runner takes it")
    one.add_argument("--frames", type=int, default=8)
    one.add_argument("--stride", type=int, default=2)
    one.add_argument("--learning_rate", type=float, default=0.01)
    one.add_argument("--batch_size", type=int, default=8)
    args = parser.parse_args()
    state = {"name": "A", "segments": 1, "frames_per_segment": args.frames, "stride": args.stride,
             "learning_rate": args.learning_rate, "batch_size": args.batch_size, "accumulation": 1,
             "frozen_batch_norm": False, "crop": 0}
    with tempfile.TemporaryDirectory(prefix="op3d_check_") as folder:
        fault = check(args.runner, state, Path(folder))
    print(fault or "the runner is fine: killed and gone on with, it gives equal answers")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
