// The settings and data that all states of a training share.
//
//   TrainingJob job;
//   job.network.set_name("dg_p3d_miniature");
//   job.videos = &videos;
//   job.purpose = "search.cs";
//   OP3D_ASSIGN_OR_RETURN(auto trainer, StateTrainer::Start(job, state, folder));
#ifndef OP3D_TRAIN_TRAINING_JOB_H_
#define OP3D_TRAIN_TRAINING_JOB_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/annotation/video_list.h"
#include "data/datasets/dataset.pb.h"
#include "data/loader/frame_store.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/distributed/process_group.h"
#include "op3d/train/checkpoint/model_card.pb.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

// Reported after each step of the optimiser.
struct StepStats {
  // The current epoch and the step in it, both from 1; steps per epoch.
  int epoch = 0;
  int64_t step = 0, steps = 0;
  // Mean over the step's clips (of all processes) of the sum of the heads' cross entropies.
  double loss = 0;
  double learning_rate = 0;
  // Before clipping; 0 if the step was skipped.
  double gradient_norm = 0;
  // Only with fp16, else 0: the factor of the step's loss (loss_scale.h).
  double loss_scale = 0;
  // Only with fp16: the gradients were not finite, so that nothing was updated.
  bool skipped = false;
  int64_t clips = 0;
  // Time of this process since the previous step.
  ActivitySeconds seconds;
};

// `videos`, `frames` and `group` must outlive the trainers.
struct TrainingJob {
  NetworkSettings network;
  SgdSettings sgd;
  TrainingSettings training;
  TransformSettings transform;
  LoaderSettings loader;
  // The measure of MeasureNetwork() and of a search's edges.
  ScoreSettings score;
  int64_t classes = 0;
  const std::vector<data::Video>* videos = nullptr;
  data::FrameStore* frames = nullptr;
  // Seed and name of every random stream of the job: "search.cs.S1-S2".
  uint64_t seed = 0;
  std::string purpose;
  // A safetensors file to start from; empty = random initial values, which depend only on the seed.
  std::string initial_weights;
  // Loader threads in addition to the caller's own; the result does not depend on them.
  int loader_threads = 0;
  // Threads inside an operation of the network.  With more than one the order of sums changes:
  // equal bits need an equal number.
  int compute_threads = 1;
  // "cpu", "cuda" or "cuda:1".
  std::string device = "cpu";
  // Several processes that train together; null = alone.  Each computes an equal part of a step's
  // micro-batches; weights are the same as alone up to rounding.
  ProcessGroup* group = nullptr;
  // Checkpoints at every multiple of this number of epochs are never removed; 0 = none.
  int anchor_epochs = 0;
  // The rest of the weights' card: class names, dataset, test, plan, commit.
  // No result depends on it.
  ModelCard card;
  // May be empty.
  std::function<void(const StepStats&)> on_step;
  // Nothing else in this process uses the GPU meanwhile, so that a step may be recorded as a CUDA graph:
  // during a recording nobody may wait for the device.
  bool alone_on_gpu = false;
  // For tests: parts of a GPU's training on the CPU, where they change rounding at most.  Clips that are
  // copied ahead and steps as for a CUDA graph; the optimiser's fused step.
  bool steps_as_on_gpu = false;
  bool fused_step = false;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_TRAINING_JOB_H_
