"""LightningRunner: a Runner for a LightningModule. Needs PyTorch Lightning, unlike the rest of the package."""
import abc
from pathlib import Path
from typing import Any, Dict, Optional

try:
    import lightning
    import torch
except ImportError as error:
    raise ImportError("LightningRunner needs PyTorch Lightning, which is not installed here: pip install lightning"
                      ) from error

from .server import Runner
from .state import Task

_WEIGHTS = "weights.pt"
_RESUME = "resume.ckpt"


class LightningRunner(Runner, abc.ABC):
    """Give it module() and data().

        class Mine(LightningRunner):
            metric = "val_accuracy"       # what validation_step() logs: a share in [0, 1]
            def module(self, task):
                return MyModule(learning_rate=task.state.learning_rate)
            def data(self, task):
                return MyData(frames=task.state.frames, stride=task.state.stride, batch_size=task.state.batch_size)
    """

    metric = "val_acc"
    # What training_step() logs with on_epoch=True; "" = none.
    loss_metric = ""
    # For lightning.Trainer.
    trainer_options: Dict[str, Any] = {}

    @abc.abstractmethod
    def module(self, task: Task) -> Any:
        """A new LightningModule for `task.state`."""

    @abc.abstractmethod
    def data(self, task: Task) -> Any:
        """A LightningDataModule with training and validation loaders of `task.state`'s clips."""

    def begin(self, task: Task) -> None:
        self._module, self._data = self.module(task), self.data(task)
        self._trainer: Any = None

    def _new_trainer(self, **options: Any) -> Any:
        quiet = dict(logger=False, enable_checkpointing=False, enable_model_summary=False, enable_progress_bar=False,
                     num_sanity_val_steps=0)
        return lightning.Trainer(**dict(quiet, **dict(self.trainer_options, **options)))

    def train(self, task: Task, epoch: int) -> Optional[float]:
        self._trainer = self._new_trainer(max_epochs=epoch, limit_val_batches=0)
        # Within an edge a trainer resumes from the checkpoint of the epoch before, with optimisers
        # and counters.
        before = task.epoch_folder(epoch - 1) / _RESUME if epoch > 1 else None
        self._trainer.fit(self._module, datamodule=self._data, ckpt_path=before)
        loss = self._trainer.callback_metrics.get(self.loss_metric)
        return None if loss is None else float(loss)

    def evaluate(self, task: Task) -> float:
        found = self._new_trainer().validate(self._module, datamodule=self._data, verbose=False)
        if not found or self.metric not in found[0]:
            raise KeyError("validation logs no '%s', but %s: set `metric`" % (
                self.metric, ", ".join(sorted(found[0])) if found and found[0] else "nothing"))
        return float(found[0][self.metric])

    def save(self, folder: Path) -> None:
        torch.save(self._module.state_dict(), folder / _WEIGHTS)
        self._trainer.save_checkpoint(folder / _RESUME)

    def load(self, folder: Path) -> None:
        self._module.load_state_dict(torch.load(folder / _WEIGHTS, map_location="cpu"))
