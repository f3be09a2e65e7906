"""Plans as files: plan.json, which `plan show NAME --output=plan.json` writes and every --plan reads.

The file is the message SearchOutcome of planner/graphs/plan.proto in Protobuf's JSON mapping. Only "plan" must be
there; "edges" hold the curves of the search that found it.
"""
import dataclasses
import json
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Union

from .protocol import RequestError, parse_state
from .state import State


@dataclasses.dataclass(frozen=True)
class Step:
    """Train `epochs` epochs in `state`."""

    state: State
    epochs: int


@dataclasses.dataclass(frozen=True)
class Point:
    """A curve's point: the performance after `epoch` epochs; None where it was not measured."""

    epoch: int
    performance: Optional[float]
    loss: Optional[float] = None


@dataclasses.dataclass(frozen=True)
class Edge:
    """What training from one state into another gave."""

    source: str
    target: str
    epochs: int  # kept
    score: float
    curve: List[Point]
    ending: str = ""


@dataclasses.dataclass
class Plan:
    """States in order, each with its number of epochs.

        plan = Plan.load("plan.json")
        for step in plan.steps:
            train(step.state, step.epochs)
    """

    steps: List[Step]
    pool: str = ""
    value: float = 0.0
    # Names of all states on the path, skipped ones too, from the initial state.
    path: List[str] = dataclasses.field(default_factory=list)
    source: str = ""
    # Of the search; empty where the plan came without it.
    edges: List[Edge] = dataclasses.field(default_factory=list)
    # The file's object as it was read: parts that a Plan does not hold (graph, rule, fits) are
    # written back from it.
    _file: Dict[str, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def epochs(self) -> int:
        """Of all steps."""
        return sum(step.epochs for step in self.steps)

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[str]"]) -> "Plan":
        """OSError; ValueError, naming the file and the fault, for a file that holds no plan."""
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except (ValueError, TypeError) as error:
            raise ValueError("%s holds no plan: %s" % (path, error)) from None

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        if not text.lstrip().startswith("{"):
            raise ValueError("it is not a JSON object; of a plan.textproto make one with: plan show FILE "
                             "--output=plan.json")
        file = json.loads(text)
        plan = file.get("plan")
        if not isinstance(plan, dict) or not plan.get("steps"):
            raise ValueError('it has no "plan" with "steps"')
        steps = []
        for number, step in enumerate(plan["steps"], 1):
            # Protobuf leaves out what is 0 or "".
            state = dict(step.get("state") or {})
            try:
                steps.append(Step(parse_state(state), int(step.get("epochs", 0))))
            except RequestError as error:
                raise ValueError("step %d: %s" % (number, str(error).replace("the request", "it", 1))) from None
            if steps[-1].epochs < 1:
                raise ValueError("step %d has %d epochs; it needs at least 1" % (number, steps[-1].epochs))
        edges = []
        for edge in file.get("edges", []):
            curve = [Point(int(point.get("epoch", 0)),
                           None if point.get("unmeasured") else float(point.get("performance", 0)),
                           float(point["loss"]) if "loss" in point else None) for point in edge.get("curve", [])]
            edges.append(Edge(str(edge.get("from", "")), str(edge.get("to", "")), int(edge.get("epochs", 0)),
                              float(edge.get("score", 0)), curve, str(edge.get("ending", ""))))
        return cls(steps, str(plan.get("pool", "")), float(plan.get("value", 0)), list(plan.get("path", [])),
                   str(plan.get("source", "")), edges, file)

    def to_json(self) -> str:
        plan: Dict[str, Any] = {"steps": [{"state": _state_json(step.state), "epochs": step.epochs}
                                          for step in self.steps]}
        for name in ("pool", "value", "path", "source"):
            if getattr(self, name):
                plan[name] = getattr(self, name)
        return json.dumps(dict(self._file, plan=plan), indent=1, allow_nan=False) + "\n"

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """All or nothing. What load() read beside the plan is written back."""
        part = "%s.part" % os.fspath(path)
        with open(part, "w", encoding="utf-8") as file:
            file.write(self.to_json())
        os.replace(part, path)


def _state_json(state: State) -> Dict[str, Any]:
    value = dataclasses.asdict(state)
    schedule = value.pop("schedule")
    kind = schedule.pop("kind")
    if kind == "step":
        value["schedule"] = {"step": {name: schedule[name] for name in ("epochs", "factor", "warmup_epochs")}}
    elif kind != "constant":
        names = ["final_learning_rate", "warmup_epochs"] + (["released"] if kind == "cosine" else [])
        value["schedule"] = {kind: {name: schedule[name] for name in names}}
    return value
