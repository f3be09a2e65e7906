"""A LightningModule as a runner: the ConvNet of convnet.py, trained by PyTorch Lightning.

plan search --runner='python3 lightning_convnet.py VIDEOS' --graph=graph.textproto --output_dir=DIR
"""
import sys

import lightning
import torch
from torch.nn.functional import cross_entropy

from op3d_planner import LightningRunner, serve
from videos import Videos, small_convnet


class Module(lightning.LightningModule):
    def __init__(self, classes, learning_rate):
        super().__init__()
        self.network, self.learning_rate = small_convnet(classes), learning_rate

    def training_step(self, batch, _):
        loss = cross_entropy(self.network(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch[1]))
        return loss

    def validation_step(self, batch, _):
        right = (self.network(batch[0]).argmax(1) == batch[1]).float().mean()
        self.log("val_acc", right, batch_size=len(batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.learning_rate, momentum=0.9, weight_decay=1e-4)


class Clips(torch.utils.data.IterableDataset):
    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches())


class Data(lightning.LightningDataModule):
    def __init__(self, videos, state):
        super().__init__()
        self.videos, self.state = videos, state

    def train_dataloader(self):
        clips = Clips(lambda: self.videos.training_clips(self.state))
        return torch.utils.data.DataLoader(clips, batch_size=None)

    def val_dataloader(self):
        return torch.utils.data.DataLoader(Clips(lambda: self.videos.held_out_clips(self.state)), batch_size=None)


class Runner(LightningRunner):
    loss_metric = "train_loss"
    trainer_options = {"accelerator": "cpu"}

    def __init__(self, videos):
        self.videos = videos
        self.chance = 1 / len(videos.classes)

    def module(self, task):
        return Module(len(self.videos.classes), task.state.learning_rate)

    def data(self, task):
        return Data(self.videos, task.state)


if __name__ == "__main__":
    serve(Runner(Videos(sys.argv[1])))
