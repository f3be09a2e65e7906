"""serve(): lets the planner train with a program of yours.

A child trains one edge, epoch by epoch, and may be killed at any moment. What that takes is done here: the weights of
each epoch are on disk with its answer before it is answered, an epoch that is asked for again gives an equal answer,
and nothing that your code prints gets between the answers.
"""
import functools
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import threading
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, Dict, List, Optional, Tuple, Union

from . import protocol
from .protocol import Cost, Request, RequestError, Score, TrainingFailed
from .state import Task

_KEPT = "kept"
_ANSWER = "answer.json"
_PARTIAL = "partial"
_RESUME = "resume"
_LONGEST_LINE = 1 << 20


class Runner:
    """What trains. Derive from it and give it these five methods; PyTorch programs have less to do with TorchRunner.

    One object trains one edge at a time. `random`, numpy and PyTorch (where they are imported) are seeded before each
    call of begin(), train() and evaluate(), so that work that is done again comes out equal.
    """

    # The performance of guessing, 1 / classes; with it the planner detects a collapsed training.
    # 0 = not known.
    chance: float = 0.0

    def begin(self, task: Task) -> None:
        """Makes network and optimiser for `task.state`, with the initial weights: the same ones in every edge."""
        raise NotImplementedError

    def train(self, task: Task, epoch: int) -> Optional[float]:
        """Trains epoch `epoch` (from 1). Returns the mean loss, or None. Raise TrainingFailed when it diverges."""
        raise NotImplementedError

    def evaluate(self, task: Task) -> Union[float, Score]:
        """The share of right answers on held-out videos, in [0, 1], with clips of `task.state`. Changes nothing."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Writes the weights into `folder`, which is there and empty.

        Files called resume* hold what only training on needs (the optimiser): they are removed when the next epoch is
        saved and when the edge is done.
        """
        raise NotImplementedError

    def load(self, folder: Path) -> None:
        """Reads what save() wrote, after begin(). Without resume* files an edge starts from these weights."""
        raise NotImplementedError

    def estimate(self, task: Task) -> Cost:
        """For `plan search --dry_run`; may be left out. Measure a few steps, write nothing."""
        raise NotImplementedError

    def stopped(self, task: Task) -> None:
        """SIGTERM or Ctrl-C came while this task was trained; the program ends after this call.

        There are 2 seconds when the planner ends. Epochs that were answered are safe; train() can go on with what is
        written to `task.folder / "partial"` here, which is removed when the epoch is saved.
        """


class _Stopped(BaseException):
    """Out of the signal handler; no `except Exception` stops it."""


def _fingerprint(task: Task, seed: int) -> str:
    text = repr((task.edge, task.state, task.epochs, str(task.source), seed))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _seed_all(*name: object) -> None:
    number = int.from_bytes(hashlib.sha256(repr(name).encode()).digest()[:4], "big")
    random.seed(number)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        numpy.random.seed(number)
    if torch is not None:
        torch.manual_seed(number)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _close_all(handles: List[int]) -> None:
    while handles:
        os.close(handles.pop())


def _drop_resume(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.glob(_RESUME + "*"):
            _remove(path)


def _measured(task: Task, epoch: int) -> bool:
    """An edge of known length is measured in the middle and at the end."""
    return task.epochs is None or epoch >= task.epochs or epoch == (task.epochs + 1) // 2


class _Server:
    def __init__(self, runner: Runner, seed: int):
        self._runner = runner
        self._seed = seed
        # Whose weights the runner holds, after which epoch.
        self._live: Optional[Tuple[str, int]] = None
        self._task: Optional[Task] = None
        self._pid = os.getpid()
        self._signal = 0
        self._working = False
        # From here on only this class uses the pipes to the planner: everything that the runner
        # prints goes to standard error, and nothing else reads requests.
        self._input = os.fdopen(os.dup(0), "rb")
        self._output = os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        sys.stdout.flush()
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(line_buffering=True)
        # A data loader's worker must not hold the planner's pipe open when this process has ended.
        os.register_at_fork(after_in_child=functools.partial(_close_all, [self._output]))
        # What was printed before without a newline ends here.
        self._before = "\n"

    # ---- signals

    def _on_signal(self, number: int, _frame: Optional[FrameType]) -> None:
        if os.getpid() != self._pid:  # a worker that was forked
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        self._signal = number
        # While an epoch is written the signal waits: its work would be lost.
        if self._working:
            raise _Stopped()

    def _call(self, function: Any, *arguments: Any) -> Any:
        """A call of the runner's, which a signal may end."""
        self._working = True
        try:
            if self._signal:
                raise _Stopped()
            return function(*arguments)
        finally:
            self._working = False

    # ---- lines

    def _read(self) -> str:
        line: bytes = self._call(self._input.readline, _LONGEST_LINE)
        if len(line) >= _LONGEST_LINE and not line.endswith(b"\n"):
            raise RequestError("a request of more than 1 MiB")
        return line.decode("utf-8", "surrogateescape")

    def _write(self, answer: Dict[str, Any]) -> None:
        answer = dict(answer, protocol=protocol.PROTOCOL)
        text = (self._before + json.dumps(answer, allow_nan=False) + "\n").encode()
        self._before = ""
        while text:
            text = text[os.write(self._output, text):]

    # ---- requests

    def _begin(self, task: Task, weights: Optional[Path]) -> None:
        if weights is not None and not weights.is_dir():
            raise RequestError("the weights to go on from are gone: there is no folder %s; put it back, or search in "
                               "a new folder" % weights)
        self._live = None
        _seed_all("begin", self._seed)
        self._call(self._runner.begin, task)
        if weights is not None:
            self._call(self._runner.load, weights)

    def _source(self, task: Task) -> Optional[Path]:
        return task.source / _KEPT if task.source is not None else None

    def _evaluate(self, task: Task, epoch: int) -> Score:
        _seed_all("evaluate", self._seed)
        return protocol.check_score(self._call(self._runner.evaluate, task))

    def _measure(self, task: Task) -> Dict[str, Any]:
        self._begin(task, self._source(task))
        score = self._evaluate(task, 0)
        # The edge begins again where it had been trained on.
        for path in task.folder.iterdir():
            _remove(path)
        self._live = (_fingerprint(task, self._seed), 0)
        return protocol.score_answer(0, score, None, float(self._runner.chance))

    def _train(self, task: Task, epoch: int) -> Dict[str, Any]:
        key = _fingerprint(task, self._seed)
        done = task.epoch_folder(epoch)
        try:
            stored = json.loads((done / _ANSWER).read_text())
            # It was trained, and the planner or this program was killed then.
            if stored["of"] == key:
                answer: Dict[str, Any] = stored["answer"]
                return answer
        except (OSError, ValueError, KeyError, TypeError):
            pass
        before = task.epoch_folder(epoch - 1) if epoch > 1 else self._source(task)
        if self._live != (key, epoch - 1):
            self._begin(task, before)
        self._live = None
        _seed_all(task.edge, epoch, self._seed)
        loss = protocol.check_loss(self._call(self._runner.train, task, epoch))
        score = self._evaluate(task, epoch) if _measured(task, epoch) else None
        answer = protocol.score_answer(epoch, score, loss, float(self._runner.chance))
        self._keep_epoch(done, {"of": key, "answer": answer})
        if epoch > 1 and before is not None:
            _drop_resume(before)
        if (task.folder / _PARTIAL).exists():
            _remove(task.folder / _PARTIAL)
        self._live = (key, epoch)
        return answer

    def _keep_epoch(self, done: Path, note: Dict[str, Any]) -> None:
        """All or nothing, and on the disk."""
        part = done.with_name(done.name + ".part")
        if part.exists():
            _remove(part)
        part.mkdir()
        self._runner.save(part)
        files = [path for path in part.rglob("*") if path.is_file()]
        if not files:
            raise RuntimeError("save() wrote nothing into %s: the next epoch could not go on from there" % part)
        note_path = part / _ANSWER
        if note_path.exists():
            raise RuntimeError("save() wrote a file called %s, which is the protocol's own: give it another name"
                               % _ANSWER)
        note_path.write_text(json.dumps(note))
        for path in files + [note_path, part]:
            _sync(path)
        if done.exists():
            _remove(done)
        part.rename(done)
        _sync(done.parent)

    def _keep(self, task: Task, epoch: int) -> Dict[str, Any]:
        self._live = None
        kept = task.folder / _KEPT
        if epoch > 0:
            chosen = task.epoch_folder(epoch)
            if chosen.is_dir():
                if kept.exists():
                    _remove(kept)
                chosen.rename(kept)
            elif not kept.is_dir():
                raise RequestError("the weights of epoch %d are gone: there is no folder %s" % (epoch, chosen))
            _drop_resume(kept)
        for path in task.folder.iterdir():
            if epoch == 0 or path != kept:
                _remove(path)
        _sync(task.folder)
        return {"epoch": epoch}

    def _estimate(self, task: Task, epochs: int) -> Dict[str, Any]:
        try:
            cost = self._call(self._runner.estimate, task)
        except NotImplementedError:
            raise RequestError("this runner does not estimate; give it a method estimate(task) that returns a Cost, or "
                               "use --videos") from None
        return protocol.cost_answer(epochs, cost)

    def _answer(self, line: str) -> Dict[str, Any]:
        where = ""
        try:
            request: Request = protocol.parse_request(line)
            task = self._task = request.task
            where = "%s, %s of epoch %d: " % (task.edge, request.kind, request.epoch)
            if request.kind == "estimate":
                return self._estimate(task, request.epoch)
            task.folder.mkdir(parents=True, exist_ok=True)
            if request.kind == "keep":
                return self._keep(task, request.epoch)
            return self._measure(task) if request.kind == "measure" else self._train(task, request.epoch)
        except RequestError as error:
            return protocol.error_answer(str(error))
        except TrainingFailed as error:
            return protocol.error_answer(str(error) or "the training has failed", failed=True)
        except Exception as error:  # the runner's own
            traceback.print_exc()
            sys.stderr.flush()
            at = traceback.extract_tb(error.__traceback__)[-1]
            return protocol.error_answer("%s%s: %s (%s:%d; the traceback is on standard error)" % (
                where, type(error).__name__, error, os.path.basename(at.filename), at.lineno or 0))

    def run(self) -> int:
        numbers = (signal.SIGTERM, signal.SIGINT)
        if threading.current_thread() is threading.main_thread():
            for number in numbers:
                signal.signal(number, self._on_signal)
        try:
            while True:
                self._task = None
                line = self._read()
                if not line:
                    return 0
                if line.strip():
                    answer = self._answer(line)
                    if "error" in answer:
                        self._live = None
                    self._write(answer)
        except _Stopped:
            print("stopped by signal %d" % self._signal, file=sys.stderr, flush=True)
            if self._task is not None:
                self._runner.stopped(self._task)
            return 128 + self._signal
        except BrokenPipeError:
            print("the planner is gone", file=sys.stderr, flush=True)
            return 1


def serve(runner: Runner, *, seed: int = 1) -> None:
    """Trains for a planner until it says no more, then ends the program.

    The last line of a program that `plan search --runner='python3 my_train.py'` starts. From here on standard output
    is standard error for your code and for what it starts. `seed` decides the initial weights and all that is drawn.
    """
    for name in ("begin", "train", "evaluate", "save", "load"):
        if not callable(getattr(runner, name, None)):
            sys.exit("op3d_planner.serve: %s has no method %s(); derive it from op3d_planner.Runner"
                     % (type(runner).__name__, name))
    if os.isatty(0):
        program = os.path.basename(sys.argv[0]) or "my_train.py"
        print("%s speaks with the planner and was started by hand. Start it with\n"
              "  plan search --runner='python3 %s' --output_dir=DIR\n"
              "or try it alone with\n"
              "  python3 -m op3d_planner check 'python3 %s'" % (program, program, program), file=sys.stderr)
        sys.exit(2)
    sys.exit(_Server(runner, seed).run())
