"""The lines of the child protocol: requests in, answers out, a JSON object a line.

planner/runner/child_runner.h describes it; EdgeRequest and EdgeAnswer of op3d/train/edge.proto are its messages, in
Protobuf's JSON mapping with the fields' names as they stand there. `serve()` in server.py speaks it for you.
"""
import dataclasses
import json
import math
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from .state import Schedule, State, Task

PROTOCOL = 1
REQUESTS = ("measure", "train", "keep", "estimate")
_SHOWN = 200
_LONGEST_ERROR = 4000


class RequestError(ValueError):
    """A request that cannot be followed; its text is the answer."""


class TrainingFailed(Exception):
    """Raise it when this edge's training has failed and would fail again: the search goes on without the edge.

        if not math.isfinite(loss):
            raise TrainingFailed("the loss is %g at step %d" % (loss, step))
    """


@dataclasses.dataclass(frozen=True)
class Request:
    kind: str  # of REQUESTS
    epoch: int
    task: Task


@dataclasses.dataclass(frozen=True)
class Score:
    """How good the weights are on held-out videos. `performance` alone decides; all are shares in [0, 1]."""

    performance: float
    top1: Optional[float] = None
    top3: Optional[float] = None
    top5: Optional[float] = None
    # The mean probability of the right class.
    probability: Optional[float] = None


@dataclasses.dataclass(frozen=True)
class Cost:
    """What an edge takes, for `plan search --dry_run`: from a short probe. Every number is at least 0."""

    clips: float  # an epoch trains on
    train_seconds: float  # of an epoch
    measure_seconds: float  # of one measurement
    memory_bytes: float  # of this program
    training_bytes: float  # of the edge's folder at its largest
    kept_bytes: float  # of what is kept of it


# ---- requests

def _no_constant(name: str) -> float:
    raise ValueError("%s is no JSON number" % name)


def _no_repeats(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field comes twice")
    return found


class _Fields:
    """The fields of one JSON object, taken out one by one; what is left is unknown."""

    def __init__(self, value: Any, what: str):
        if not isinstance(value, dict):
            raise RequestError("the request has a %s that is not an object" % what)
        self._left, self._prefix = dict(value), "" if what == "request" else what + "."

    def take(self, name: str, kind: type, default: Any = None, least: Optional[float] = None) -> Any:
        value = self._left.pop(name, None)
        if value is None:
            if default is None:
                raise RequestError('the request has no "%s%s"' % (self._prefix, name))
            return default
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if not right and kind is float and type(value) is int:
            value, right = float(value), True
        if not right and kind is int and isinstance(value, float) and value.is_integer():
            value, right = int(value), True
        if not right:
            raise RequestError('the request has a "%s%s" of %s; it must be %s' % (
                self._prefix, name, json.dumps(value)[:_SHOWN],
                {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "an object",
                 list: "a list"}[kind]))
        if least is not None and value < least:
            raise RequestError('the request has a "%s%s" of %g; it must be at least %g' % (
                self._prefix, name, value, least))
        return value

    def has(self, name: str) -> bool:
        return self._left.get(name) is not None

    def end(self) -> None:
        if self._left:
            raise RequestError('the request has the unknown field "%s%s": the planner is newer than this op3d_planner; '
                               "install the one of its sources (pip install planner/python)" % (
                                   self._prefix, sorted(self._left)[0]))


def _schedule(value: Any) -> Schedule:
    fields = _Fields(value, "state.schedule")
    kinds = [kind for kind in ("cosine", "step", "linear", "one_minus_sqrt") if fields.has(kind)]
    if len(kinds) > 1:
        raise RequestError('the request has a "state.schedule" of several kinds: %s' % ", ".join(kinds))
    schedule = Schedule()
    if kinds:
        inner = _Fields(fields.take(kinds[0], dict), "state.schedule." + kinds[0])
        warmup = inner.take("warmup_epochs", int, 0, least=0)
        if kinds[0] == "step":
            epochs = inner.take("epochs", list, [])
            if not all(type(epoch) is int and epoch >= 0 for epoch in epochs):
                raise RequestError('the request has "state.schedule.step.epochs" that are not whole numbers from 0')
            schedule = Schedule("step", 0.0, warmup, tuple(epochs), inner.take("factor", float, least=0))
        else:
            released = kinds[0] == "cosine" and inner.take("released", bool, False)
            schedule = Schedule(kinds[0], inner.take("final_learning_rate", float, 0.0, least=0), warmup,
                                released=released)
        inner.end()
    fields.end()
    return schedule


def parse_state(value: Any) -> State:
    """A State of its JSON object. RequestError names the field that is missing, unknown or out of range."""
    fields = _Fields(value, "state")
    state = State(
        name=fields.take("name", str),
        segments=fields.take("segments", int, least=1),
        frames_per_segment=fields.take("frames_per_segment", int, least=1),
        stride=fields.take("stride", int, least=1),
        learning_rate=fields.take("learning_rate", float),
        batch_size=fields.take("batch_size", int, least=1),
        accumulation=fields.take("accumulation", int, least=1),
        frozen_batch_norm=fields.take("frozen_batch_norm", bool, False),
        schedule=_schedule(fields.take("schedule", dict, {})),
        crop=fields.take("crop", int, 0, least=0))
    fields.end()
    if not state.name:
        raise RequestError('the request has a "state" without a "name"')
    if not state.learning_rate > 0:
        raise RequestError('the request has no "state.learning_rate" above 0')
    return state


def parse_request(line: str) -> Request:
    """RequestError for a line that is no request, another protocol, and a field that is missing, unknown or wrong."""
    try:
        value = json.loads(line, parse_constant=_no_constant, object_pairs_hook=_no_repeats)
    except (ValueError, RecursionError) as error:
        raise RequestError("the request cannot be read: %s: %s" % (error, line[:_SHOWN])) from None
    if not isinstance(value, dict):
        raise RequestError("the request is not a JSON object: %s" % line[:_SHOWN])
    fields = _Fields(value, "request")
    # Before the rest: another version may have other fields.
    protocol = fields.take("protocol", int)
    if protocol != PROTOCOL:
        raise RequestError("the planner speaks protocol %d, this op3d_planner speaks %d: install the one of the "
                           "planner's sources (pip install planner/python)" % (protocol, PROTOCOL))
    kind = fields.take("request", str)
    if kind not in REQUESTS:
        raise RequestError("the request is '%s'; there are %s" % (kind, ", ".join(REQUESTS)))
    epoch = fields.take("epoch", int, least=1 if kind in ("train", "estimate") else 0)
    source, folder = fields.take("source", str), fields.take("folder", str)
    if not folder:
        raise RequestError('the request has an empty "folder"')
    task = Task(edge=fields.take("edge", str), state=parse_state(fields.take("state", dict)),
                epochs=fields.take("epochs", int, least=1) if fields.has("epochs") else None,
                source=Path(source) if source else None, folder=Path(folder))
    fields.end()
    return Request(kind, epoch, task)


# ---- answers

def _number(value: Any, what: str) -> float:
    """Also of numpy and PyTorch: whatever has float()."""
    if isinstance(value, (str, bytes, bool)) or value is None or not hasattr(value, "__float__"):
        raise TypeError("%s is %.80r, not a number" % (what, value))
    return float(value.detach() if hasattr(value, "detach") else value)


def check_score(value: Any) -> Score:
    """What evaluate() returned, a number or a Score, as plain numbers.

    TrainingFailed for a number that is not finite, ValueError and TypeError for one that is no share.
    """
    score = value if isinstance(value, Score) else Score(value)
    found: Dict[str, Optional[float]] = {}
    for field in dataclasses.fields(Score):
        given = getattr(score, field.name)
        if given is None and field.name != "performance":
            found[field.name] = None
            continue
        what = "evaluate()'s " + field.name
        number = _number(given, what)
        if not math.isfinite(number):
            raise TrainingFailed("the %s is %g, not a finite number: training has diverged; lower the state's learning "
                                 "rate" % (field.name, number))
        if not 0 <= number <= 1:
            raise ValueError("%s is %g; it must be in [0, 1]: a share of right answers, not per cent and not a loss"
                             % (what, number))
        found[field.name] = number
    return Score(**found)  # type: ignore[arg-type]


def check_loss(value: Any) -> Optional[float]:
    """What train() returned: a number or None."""
    if value is None:
        return None
    loss = _number(value, "train()'s loss")
    if math.isfinite(loss):
        return loss
    raise TrainingFailed("the loss is %g, not a finite number: training has diverged; lower the state's learning rate"
                         % loss)


def score_answer(epoch: int, score: Optional[Score], loss: Optional[float], chance: float) -> Dict[str, Any]:
    """The answer to "measure" and "train"; no score = the epoch was not measured."""
    answer: Dict[str, Any] = {"epoch": epoch, "performance": 0.0}
    if score is None:
        answer["unmeasured"] = True
    else:
        answer.update((name, value) for name, value in dataclasses.asdict(score).items() if value is not None)
    if loss is not None:
        answer["loss"] = loss
    if chance > 0:
        answer["chance"] = chance
    return answer


def cost_answer(epochs: int, cost: Any) -> Dict[str, Any]:
    """The answer to "estimate". TypeError or ValueError for what is not a Cost of numbers from 0."""
    if not isinstance(cost, Cost):
        raise TypeError("estimate() returned %.80r; return an op3d_planner.Cost" % (cost,))
    answer: Dict[str, Any] = {"epoch": epochs}
    for field in dataclasses.fields(Cost):
        number = _number(getattr(cost, field.name), "estimate()'s " + field.name)
        if not (math.isfinite(number) and number >= 0):
            raise ValueError("estimate()'s %s is %g; it must be a finite number of at least 0" % (field.name, number))
        answer[field.name] = number
    return answer


def error_answer(text: str, failed: bool = False) -> Dict[str, Any]:
    # A file's name may hold bytes that are not UTF-8; a traceback may be longer than a line
    # may be.
    answer: Dict[str, Any] = {"error": text.encode("utf-8", "backslashreplace").decode()[:_LONGEST_ERROR]}
    if failed:
        answer["failed"] = True
    return answer
