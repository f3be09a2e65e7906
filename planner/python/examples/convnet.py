"""A PyTorch training loop as a runner: a small 3D ConvNet on the CPU.

plan search --runner='python3 convnet.py VIDEOS' --graph=graph.textproto --output_dir=DIR
"""
import sys

import torch
from torch.nn.functional import cross_entropy

from op3d_planner import Score, TorchRunner, serve
from videos import Videos, small_convnet


class ConvNet(TorchRunner):
    def __init__(self, videos):
        self.videos = videos
        self.chance = 1 / len(videos.classes)

    def build(self, task):
        model = small_convnet(len(self.videos.classes))
        return model, torch.optim.SGD(model.parameters(), task.state.learning_rate, momentum=0.9, weight_decay=1e-4)

    def train(self, task, epoch):
        self.model.train()
        losses, steps = [], self.videos.steps(task.state)
        for step, (clips, labels) in enumerate(self.videos.training_clips(task.state)):
            self.parts[0].param_groups[0]["lr"] = task.learning_rate(epoch, step / steps)
            loss = cross_entropy(self.model(clips), labels)
            self.parts[0].zero_grad()
            loss.backward()
            self.parts[0].step()
            losses.append(loss.item())
        return sum(losses) / len(losses)

    @torch.no_grad()
    def evaluate(self, task):
        self.model.eval()
        right, probability, total = 0, 0.0, 0
        for clips, labels in self.videos.held_out_clips(task.state):
            shares = self.model(clips).softmax(1)
            right += (shares.argmax(1) == labels).sum().item()
            probability += shares.gather(1, labels[:, None]).sum().item()
            total += len(labels)
        return Score(right / total, top1=right / total, probability=probability / total)


if __name__ == "__main__":
    serve(ConvNet(Videos(sys.argv[1])))
