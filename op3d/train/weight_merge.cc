#include "op3d/train/weight_merge.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/loader/loader.h"
#include "op3d/base/status_macros.h"
#include "op3d/torch/device.h"
#include "op3d/torch/tensor_file.h"
#include "op3d/torch/torch_status.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/settings/state_task.h"

namespace op3d {
namespace {

// The weight of a batch's statistics in BatchNorm's running ones (Network::SetTraining).
constexpr double kMomentum = 0.1;

// ScoreSettings.batch_norm_clips if it is not set.
constexpr int kBatchNormClips = 256;

absl::StatusOr<NamedTensors> MeanOfFiles(const std::vector<std::string>& files) {
  if (files.empty()) return absl::InvalidArgumentError("there are no weights to merge");
  NamedTensors mean;
  for (size_t i = 0; i < files.size(); ++i) {
    OP3D_ASSIGN_OR_RETURN(const TensorFile file, ReadTensors(files[i]));
    if (i > 0 && file.tensors.size() != mean.size()) {
      return absl::InvalidArgumentError(absl::StrCat(files[i], " holds ", file.tensors.size(),
                                                     " tensors, but ", files[0], " holds ",
                                                     mean.size(), ": weights of another network"));
    }
    OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
      for (size_t k = 0; k < file.tensors.size(); ++k) {
        const auto& [name, tensor] = file.tensors[k];
        // Batch counters are copied from the last file.
        const at::Tensor value =
            tensor.is_floating_point() ? tensor.to(at::kDouble) / double(files.size()) : tensor;
        if (i == 0) {
          mean.emplace_back(name, value.clone());
        } else if (name != mean[k].first || tensor.sizes() != mean[k].second.sizes()) {
          return absl::InvalidArgumentError(absl::StrCat(files[i], " does not hold ", mean[k].first,
                                                         " of ", files[0],
                                                         ": weights of another network"));
        } else if (tensor.is_floating_point()) {
          mean[k].second.add_(value);
        } else {
          mean[k].second.copy_(value);
        }
      }
      return absl::OkStatus();
    }));
  }
  return mean;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Network>> MergeWeights(const TrainingJob& job,
                                                      const std::vector<std::string>& files) {
  OP3D_ASSIGN_OR_RETURN(std::unique_ptr<Network> network,
                        Network::MakeUnfilled(ToNetworkOptions(job.network, job.classes)));
  if (job.group == nullptr || job.group->rank() == 0) {
    OP3D_ASSIGN_OR_RETURN(const NamedTensors mean, MeanOfFiles(files));
    OP3D_RETURN_IF_ERROR(network->LoadStateDict(mean));
  }
  OP3D_RETURN_IF_ERROR(network->ToDevice(job.device));
  if (job.group != nullptr) {
    std::vector<at::Tensor> tensors;
    for (const auto& [name, tensor] : network->StateDict()) tensors.push_back(tensor);
    OP3D_RETURN_IF_ERROR(job.group->Broadcast(tensors));
  }
  return network;
}

absl::Status RecomputeBatchNorm(const TrainingJob& job, const StateTask& state, int64_t epoch,
                                int clips, Network* network) {
  if (clips == 0) clips = kBatchNormClips;
  at::set_num_threads(job.compute_threads);
  OP3D_RETURN_IF_ERROR(SetArithmetic(job.training, state.clip.length(), network));
  data::TrainLoaderOptions options;
  options.shape = state.clip;
  options.transform = TransformOf(state, job.transform);
  options.on_short_video = job.loader.on_short_video();
  options.on_bad_video = job.loader.on_bad_video();
  options.batch_size = state.batch_size;
  options.seed = job.seed;
  options.purpose = absl::StrCat(job.purpose, ".batch_norm");
  options.epoch = epoch;
  options.threads = job.loader_threads;
  OP3D_ASSIGN_OR_RETURN(const auto loader,
                        data::ClipLoader::ForTraining(*job.videos, job.frames, options));
  std::vector<at::Tensor> running, sums;
  for (const auto& [name, tensor] : network->StateDict()) {
    if (!absl::EndsWith(name, ".running_mean") && !absl::EndsWith(name, ".running_var")) continue;
    running.push_back(tensor);
    sums.push_back(at::zeros(tensor.sizes(), at::TensorOptions().dtype(at::kDouble)));
  }
  network->SetTraining(true);
  network->SeedDropout(job.seed);
  data::Batch batch;
  int batches = 0;
  while (batches == 0 || batches * state.batch_size < clips) {
    OP3D_ASSIGN_OR_RETURN(const bool more, loader->Next(&batch));
    if (!more) break;
    if (batch.size == 0) continue;
    OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
      c10::NoGradGuard no_grad;
      // Starting from 0, one update gives momentum x the batch's own statistics.
      for (const at::Tensor& tensor : running) tensor.zero_();
      const at::Tensor input =
          CopyTo(at::from_blob(batch.clips.data(),
                               {batch.size, 3, batch.frames, batch.height, batch.width}, at::kFloat),
                 network->device());
      OP3D_RETURN_IF_ERROR(network->Forward(input).status());
      for (size_t i = 0; i < running.size(); ++i) {
        sums[i].add_(running[i].to(at::kCPU, at::kDouble) / kMomentum);
      }
      return absl::OkStatus();
    }));
    ++batches;
  }
  if (batches == 0) {
    return absl::DataLossError(absl::StrCat(
        job.purpose, ": no training clip could be read to compute BatchNorm statistics from"));
  }
  return CatchTorch([&]() -> absl::Status {
    c10::NoGradGuard no_grad;
    for (size_t i = 0; i < running.size(); ++i) running[i].copy_(sums[i] / batches);
    return absl::OkStatus();
  });
}

}  // namespace op3d
