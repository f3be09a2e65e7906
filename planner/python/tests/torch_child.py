"""Runners of each framework on random numbers, for torch_test.py."""
import os
import signal
import sys

import torch

import op3d_planner

DATA = torch.randn(64, 5, generator=torch.Generator().manual_seed(3))
LABELS = (DATA.sum(1) > 0).long()


def network():
    return torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 2))


class Plain:
    def build(self, task):
        model = network()
        return model, torch.optim.Adam(model.parameters(), task.state.learning_rate)

    def train(self, task, epoch):
        self.model.train()
        for rows in torch.randperm(64).split(16):
            loss = torch.nn.functional.cross_entropy(self.model(DATA[rows]), LABELS[rows])
            self.parts[0].zero_grad()
            loss.backward()
            self.parts[0].step()
        return loss

    def evaluate(self, task):
        self.model.eval()
        return (self.model(DATA).argmax(1) == LABELS).float().mean()


def plain():
    return type("Plain", (Plain, op3d_planner.TorchRunner), {})()


def lightning():
    import lightning as pl

    class Module(pl.LightningModule):
        def __init__(self, rate):
            super().__init__()
            self.network, self.rate = network(), rate

        def training_step(self, batch, _):
            if os.environ.get("BLOCK") and self.current_epoch == 1:
                signal.pause()
            loss = torch.nn.functional.cross_entropy(self.network(batch[0]), batch[1])
            self.log("train_loss", loss, on_epoch=True, on_step=False)
            return loss

        def validation_step(self, batch, _):
            self.log("val_acc", (self.network(batch[0]).argmax(1) == batch[1]).float().mean())

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), self.rate)

    class Data(pl.LightningDataModule):
        def train_dataloader(self):
            return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(DATA, LABELS), 16, shuffle=True)

        def val_dataloader(self):
            return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(DATA, LABELS), 64)

    class Lightning(op3d_planner.LightningRunner):
        loss_metric = "train_loss"
        trainer_options = {"accelerator": "cpu"}

        def module(self, task):
            return Module(task.state.learning_rate)

        def data(self, task):
            return Data()

    return Lightning()


if __name__ == "__main__":
    torch.set_num_threads(1)
    op3d_planner.serve({"plain": plain, "lightning": lightning}[sys.argv[1]]())
