"""Fine-tuning a small video transformer over clip length and rate.

plan search --runner='python3 transformer.py VIDEOS [WEIGHTS.pt]' --graph=finetune.textproto --output_dir=DIR

Each frame is cut into patches, a patch of two frames is a token, and time and place have embeddings of their own: those
of time are stretched to the clip's length, as is done with pretrained weights. Without WEIGHTS.pt the backbone is
random: then the figures say only that the program works.
"""
import sys

import torch
from torch.nn.functional import cross_entropy, interpolate

from op3d_planner import TorchRunner, serve
from videos import SIDE, Videos

WIDTH, PATCH, TUBE = 64, 6, 2


class VideoTransformer(torch.nn.Module):
    def __init__(self, classes, frames):
        super().__init__()
        self.patches = torch.nn.Conv3d(3, WIDTH, (TUBE, PATCH, PATCH), (TUBE, PATCH, PATCH))
        self.place = torch.nn.Parameter(0.02 * torch.randn(1, 1, (SIDE // PATCH) ** 2, WIDTH))
        self.time = torch.nn.Parameter(0.02 * torch.randn(1, frames // TUBE, 1, WIDTH))
        layer = torch.nn.TransformerEncoderLayer(WIDTH, 4, 2 * WIDTH, dropout=0.0, batch_first=True, norm_first=True)
        self.layers = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = torch.nn.Linear(WIDTH, classes)

    def forward(self, clips):
        tokens = self.patches(clips).flatten(3).permute(0, 2, 3, 1) + self.place + self.time
        return self.head(self.layers(tokens.flatten(1, 2)).mean(1))


def stretched(weights, frames):
    """With as many embeddings of time as a clip of `frames` frames has."""
    time = interpolate(weights["time"][:, :, 0].transpose(1, 2), frames // TUBE, mode="linear")
    return dict(weights, time=time.transpose(1, 2)[:, :, None])


class FineTuning(TorchRunner):
    def __init__(self, videos, pretrained=None):
        self.videos, self.pretrained = videos, pretrained
        self.chance = 1 / len(videos.classes)

    def build(self, task):
        model = VideoTransformer(len(self.videos.classes), task.state.frames)
        if self.pretrained is not None:
            backbone = {name: value for name, value in self.pretrained.items() if not name.startswith("head.")}
            model.load_state_dict(stretched(backbone, task.state.frames), strict=False)
        # The head is new, the rest is tuned: a tenth of the rate.
        rest = [value for name, value in model.named_parameters() if not name.startswith("head.")]
        rate = task.state.learning_rate
        return model, torch.optim.AdamW([{"params": rest, "share": 0.1 if self.pretrained else 1.0},
                                         {"params": model.head.parameters(), "share": 1.0}], rate)

    def load_weights(self, weights):
        self.model.load_state_dict(stretched(weights, TUBE * self.model.time.shape[1]))

    def train(self, task, epoch):
        self.model.train()
        losses, steps = [], self.videos.steps(task.state)
        for step, (clips, labels) in enumerate(self.videos.training_clips(task.state)):
            for group in self.parts[0].param_groups:
                group["lr"] = group["share"] * task.learning_rate(epoch, step / steps)
            loss = cross_entropy(self.model(clips), labels, label_smoothing=0.1)
            self.parts[0].zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.parts[0].step()
            losses.append(loss.item())
        return sum(losses) / len(losses)

    @torch.no_grad()
    def evaluate(self, task):
        self.model.eval()
        right = sum((self.model(clips).argmax(1) == labels).sum().item()
                    for clips, labels in self.videos.held_out_clips(task.state))
        return right / len(self.videos.held_out)


if __name__ == "__main__":
    given = torch.load(sys.argv[2], map_location="cpu") if len(sys.argv) > 2 else None
    serve(FineTuning(Videos(sys.argv[1]), given))
