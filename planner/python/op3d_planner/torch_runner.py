"""TorchRunner: a Runner that keeps a PyTorch model and its optimiser. Needs PyTorch, unlike the rest of the package."""
import abc
from pathlib import Path
from typing import Any, Dict, Sequence, Union

try:
    import torch
except ImportError as error:
    raise ImportError("TorchRunner needs PyTorch, which is not installed here: pip install torch") from error

from .server import Runner
from .state import Task

_WEIGHTS = "weights.pt"
_RESUME = "resume.pt"


class TorchRunner(Runner, abc.ABC):
    """Give it build(), train() and evaluate().

        class Mine(TorchRunner):
            def build(self, task):
                model = Net()
                return model, torch.optim.SGD(model.parameters(), task.state.learning_rate, momentum=0.9)

    After begin() `self.model` is the model and `self.parts` what came with it: `self.parts[0]` the optimiser.
    """

    model: Any
    parts: Sequence[Any]

    @abc.abstractmethod
    def build(self, task: Task) -> Union[Any, Sequence[Any]]:
        """The model, or (model, optimiser, ...): whatever has state_dict() and is needed to train on.

        The model's weights are kept from edge to edge. The others start fresh in each edge, and are kept from epoch
        to epoch in it.
        """

    def load_weights(self, weights: Dict[str, Any]) -> None:
        """Puts weights of another state into self.model; override it where their shapes differ between states."""
        self.model.load_state_dict(weights)

    def begin(self, task: Task) -> None:
        built = self.build(task)
        parts = list(built) if isinstance(built, (tuple, list)) else [built]
        self.model, self.parts = parts[0], parts[1:]

    def save(self, folder: Path) -> None:
        torch.save(self.model.state_dict(), folder / _WEIGHTS)
        torch.save([part.state_dict() for part in self.parts], folder / _RESUME)

    def load(self, folder: Path) -> None:
        self.load_weights(torch.load(folder / _WEIGHTS, map_location="cpu"))
        if (folder / _RESUME).exists():
            states = torch.load(folder / _RESUME, map_location="cpu")
            for part, state in zip(self.parts, states):
                part.load_state_dict(state)
