"""Lets op3d's planner search with a training program in Python.

    from op3d_planner import TorchRunner, serve

    class Mine(TorchRunner):
        def build(self, task): ...             # model, optimiser
        def train(self, task, epoch): ...      # one epoch; the mean loss
        def evaluate(self, task): ...          # the share of right answers on held-out videos

    if __name__ == "__main__":
        serve(Mine())

Of the standard library alone; TorchRunner and LightningRunner import PyTorch when they are first asked for.
"""
from .config_program import ConfigProgram
from .plan import Edge, Plan, Point, Step
from .protocol import PROTOCOL, Cost, Score, TrainingFailed
from .server import Runner, serve
from .state import Schedule, State, Task

__version__ = "1.0.0"
__all__ = ["PROTOCOL", "ConfigProgram", "Cost", "Edge", "Plan", "Point", "Runner", "Schedule", "Score", "State", "Step",
           "Task", "TrainingFailed", "serve"]


def __getattr__(name: str) -> object:
    if name == "TorchRunner":
        from .torch_runner import TorchRunner
        return TorchRunner
    if name == "LightningRunner":
        from .lightning_runner import LightningRunner
        return LightningRunner
    raise AttributeError("module 'op3d_planner' has no attribute '%s'" % name)
