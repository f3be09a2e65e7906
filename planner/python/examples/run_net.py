"""A training program in PySlowFast's style: a config file, then KEY VALUE pairs; checkpoints, and lines json_stats.

    python3 run_net.py --cfg convnet.yaml SOLVER.BASE_LR 0.05 OUTPUT_DIR out

Stands for tools/run_net.py in slowfast_style.py. The keys are those of PySlowFast (its own table where that is
installed); only those below are looked at.
"""
import argparse
import json
import os
import random

import torch
from fvcore.common.config import CfgNode
from torch.nn.functional import cross_entropy

from videos import Videos, small_convnet

try:
    from slowfast.config.defaults import get_cfg
except ImportError:
    def get_cfg():
        return CfgNode({
            "TRAIN": {"ENABLE": True, "BATCH_SIZE": 64, "AUTO_RESUME": True, "CHECKPOINT_PERIOD": 10,
                      "CHECKPOINT_FILE_PATH": "", "EVAL_PERIOD": 10},
            "TEST": {"ENABLE": True, "CHECKPOINT_FILE_PATH": "", "NUM_ENSEMBLE_VIEWS": 10, "NUM_SPATIAL_CROPS": 3},
            "DATA": {"PATH_TO_DATA_DIR": "", "NUM_FRAMES": 8, "SAMPLING_RATE": 8, "TRAIN_CROP_SIZE": 224},
            "SOLVER": {"BASE_LR": 0.1, "LR_POLICY": "cosine", "STEPS": [], "LRS": [], "MAX_EPOCH": 300, "MOMENTUM": 0.9,
                       "WEIGHT_DECAY": 1e-4, "WARMUP_EPOCHS": 0.0},
            "OUTPUT_DIR": "./tmp", "RNG_SEED": 1})


def log(**stats):
    print("[INFO: logging.py] json_stats: %s" % json.dumps(stats))


def clip_state(cfg):
    """As Videos wants it."""
    from op3d_planner import State
    return State("", 1, cfg.DATA.NUM_FRAMES, cfg.DATA.SAMPLING_RATE, cfg.SOLVER.BASE_LR, cfg.TRAIN.BATCH_SIZE)


def train(cfg, videos, model):
    optimizer = torch.optim.SGD(model.parameters(), cfg.SOLVER.BASE_LR, cfg.SOLVER.MOMENTUM,
                                weight_decay=cfg.SOLVER.WEIGHT_DECAY)
    first = 0
    if cfg.TRAIN.CHECKPOINT_FILE_PATH:
        checkpoint = torch.load(cfg.TRAIN.CHECKPOINT_FILE_PATH)
        model.load_state_dict(checkpoint["model_state"])
        if not cfg.TRAIN.CHECKPOINT_EPOCH_RESET:
            optimizer.load_state_dict(checkpoint["optimizer_state"])
            first = checkpoint["epoch"] + 1
    for epoch in range(first, cfg.SOLVER.MAX_EPOCH):
        for group in optimizer.param_groups:
            group["lr"] = cfg.SOLVER.BASE_LR
        model.train()
        losses = []
        for clips, labels in videos.training_clips(clip_state(cfg)):
            loss = cross_entropy(model(clips), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        log(_type="train_epoch", epoch="%d/%d" % (epoch + 1, cfg.SOLVER.MAX_EPOCH), loss=sum(losses) / len(losses))
        os.makedirs(os.path.join(cfg.OUTPUT_DIR, "checkpoints"), exist_ok=True)
        torch.save({"epoch": epoch, "model_state": model.state_dict(), "optimizer_state": optimizer.state_dict()},
                   os.path.join(cfg.OUTPUT_DIR, "checkpoints", "checkpoint_epoch_%05d.pyth" % (epoch + 1)))


@torch.no_grad()
def test(cfg, videos, model):
    model.load_state_dict(torch.load(cfg.TEST.CHECKPOINT_FILE_PATH)["model_state"])
    model.eval()
    right = sum((model(clips).argmax(1) == labels).sum().item() for clips, labels in
                videos.held_out_clips(clip_state(cfg)))
    log(split="test_final", top1_acc="%.2f" % (100 * right / len(videos.held_out)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cfg", required=True)
    parser.add_argument("opts", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    cfg = get_cfg()
    if "CHECKPOINT_EPOCH_RESET" not in cfg.TRAIN:  # PySlowFast of 2019
        cfg.TRAIN.CHECKPOINT_EPOCH_RESET = False
        cfg.SOLVER.WARMUP_EPOCHS = 0.0
    cfg.merge_from_file(args.cfg)
    cfg.merge_from_list(args.opts)
    random.seed(cfg.RNG_SEED)
    torch.manual_seed(cfg.RNG_SEED)
    videos = Videos(cfg.DATA.PATH_TO_DATA_DIR)
    torch.manual_seed(1)  # the same initial weights whatever the seed of the clips
    model = small_convnet(len(videos.classes))
    if cfg.TRAIN.ENABLE:
        train(cfg, videos, model)
    if cfg.TEST.ENABLE:
        test(cfg, videos, model)


if __name__ == "__main__":
    main()
