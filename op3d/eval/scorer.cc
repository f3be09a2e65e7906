#include "op3d/eval/scorer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/loader/loader.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"
#include "op3d/base/thread/parallel.h"
#include "op3d/gpu/device_views.h"
#include "op3d/network/evaluation_network.h"
#include "op3d/torch/device.h"
#include "op3d/torch/torch_status.h"

namespace op3d {
namespace {

constexpr int kBatch = 16;
// The network gets views in groups of at most this number of input values (128 MiB): the same
// groups for any number of threads, so that the sums round equally.
constexpr int64_t kMaxInputValues = int64_t{1} << 25;

data::EvaluationLoaderOptions LoaderOptions(const ScoringOptions& options) {
  data::EvaluationLoaderOptions result;
  result.shape = options.clip;
  result.transform = options.transform;
  result.on_short_video = options.on_short_video;
  result.on_bad_video = options.on_bad_video;
  return result;
}

// Clips [first, first + size) of a batch, [size, 3, T, H, W].  Views that are bytes are normalised
// here, into `memory`, which is kept from video to video.
at::Tensor Clips(data::Batch* batch, int64_t first, int64_t size, std::vector<float>* memory) {
  const int64_t values = int64_t{3} * batch->frames * batch->height * batch->width;
  float* clips = nullptr;
  if (batch->byte_views.empty()) {
    clips = batch->clips.data() + first * values;
  } else {
    memory->resize(std::max<size_t>(memory->size(), static_cast<size_t>(size * values)));
    clips = memory->data();
    // A group may have views of several videos.
    for (int64_t done = 0; done < size;) {
      const int64_t view = (first + done) % batch->views;
      const int64_t count = std::min(size - done, batch->views - view);
      data::NormaliseViews(batch->byte_views[(first + done) / batch->views], view, count,
                           clips + done * values);
      done += count;
    }
  }
  return at::from_blob(clips, {size, 3, batch->frames, batch->height, batch->width}, at::kFloat);
}

// The heads' logits [heads, clips, classes] of a batch, on the CPU.  `memory` is for bytes, which a
// GPU gets as they are and normalises itself.
absl::StatusOr<at::Tensor> Logits(const EvaluationNetwork& network, data::Batch* batch,
                                  std::vector<float>* memory) {
  const int64_t count = int64_t{batch->size} * batch->views;
  const int64_t values = int64_t{3} * batch->frames * batch->height * batch->width;
  const int64_t group = std::max<int64_t>(1, kMaxInputValues / values);
  at::Tensor logits;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    c10::NoGradGuard no_grad;
    std::vector<at::Tensor> parts;
    std::optional<gpu::DeviceViews> on_gpu;
    if (!network.device().is_cpu() && !batch->byte_views.empty()) {
      on_gpu.emplace(batch->byte_views, network.device());
    }
    for (int64_t first = 0; first < count; first += group) {
      const int64_t size = std::min(group, count - first);
      const at::Tensor clips =
          on_gpu.has_value()
              ? on_gpu->Clips(first, size, network.type())
              : CopyTo(Clips(batch, first, size, memory), network.device()).to(network.type());
      OP3D_ASSIGN_OR_RETURN(const std::vector<at::Tensor> heads, network.Forward(clips));
      parts.push_back(at::stack(heads).to(at::kCPU, at::kFloat));
    }
    logits = at::cat(parts, /*dim=*/1).contiguous();
    return absl::OkStatus();
  }));
  return logits;
}

// Internal if a video's scores are not all finite, because figures from them would be meaningless.
absl::Status CheckFinite(const at::Tensor& logits, const std::string& video) {
  const float* values = logits.const_data_ptr<float>();
  const auto bad =
      std::count_if(values, values + logits.numel(), [](float x) { return !std::isfinite(x); });
  if (bad == 0) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(video, ": ", bad, " of the network's ", logits.numel(),
                   " scores are NaN or infinite; try --precision=fp32, or weights of an earlier "
                   "checkpoint: these have diverged"));
}

// The result of one scorer for its range of the list.
struct Part {
  int64_t heads = 0;
  // For each scored video, in order: index in the list, and [heads, views, classes].
  std::vector<int64_t> videos;
  std::vector<float> logits;
  data::ClipLoader::Counters counters;
  ActivitySeconds seconds;
};

// Scores videos [first, last), with clips made by options.loader_threads.
absl::Status ScoreRange(const EvaluationNetwork& network, const std::vector<data::Video>& videos,
                        int64_t first, int64_t last, data::FrameStore* frames, int clips,
                        const ScoringOptions& options, Part* part) {
  at::set_num_threads(1);
  data::EvaluationLoaderOptions loader_options = LoaderOptions(options);
  loader_options.clips = clips;
  loader_options.threads = options.loader_threads;
  loader_options.bytes = true;
  loader_options.planes = !network.device().is_cpu();
  OP3D_ASSIGN_OR_RETURN(const auto loader,
                        data::ClipLoader::ForTest({videos.begin() + first, videos.begin() + last},
                                                  frames, loader_options));
  data::Batch batch;
  std::vector<float> memory;
  Stopwatch watch;
  for (;;) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    OP3D_ASSIGN_OR_RETURN(const bool more, loader->Next(&batch));
    watch.Lap(&part->seconds.wait);
    if (!more) break;
    if (batch.size == 0) continue;
    OP3D_ASSIGN_OR_RETURN(const at::Tensor logits, Logits(network, &batch, &memory));
    OP3D_RETURN_IF_ERROR(CheckFinite(logits, videos[first + batch.videos[0]].name));
    part->heads = logits.size(0);
    part->videos.push_back(first + batch.videos[0]);
    const float* values = logits.const_data_ptr<float>();
    part->logits.insert(part->logits.end(), values, values + logits.numel());
    watch.Lap(&part->seconds.forward);
    if (options.progress != nullptr) options.progress->Add(batch.views);
  }
  part->counters = loader->counters();
  part->seconds.transform += part->counters.transform_seconds;
  return absl::OkStatus();
}

// Concatenates the parts' videos, head by head.
void Join(const std::vector<Part>& parts, const std::vector<data::Video>& videos,
          ViewScores* scores) {
  for (const Part& part : parts) {
    if (part.heads > 0) scores->heads = part.heads;
    for (const int64_t video : part.videos) {
      scores->labels.push_back(videos[video].label);
      scores->names.push_back(videos[video].name);
    }
    scores->skipped += part.counters.skipped;
    scores->examples.insert(scores->examples.end(), part.counters.examples.begin(),
                            part.counters.examples.end());
  }
  scores->videos = static_cast<int64_t>(scores->labels.size());
  const int64_t row = scores->clips * scores->crops * scores->classes;
  for (int64_t head = 0; head < scores->heads; ++head) {
    for (const Part& part : parts) {
      for (size_t video = 0; video < part.videos.size(); ++video) {
        const auto begin = part.logits.begin() + (video * scores->heads + head) * row;
        scores->logits.insert(scores->logits.end(), begin, begin + row);
      }
    }
  }
}

}  // namespace

ThreadShare ShareThreads(bool on_cpu, int threads) {
  const int all = threads + 1;
  if (on_cpu) return {all, 0};
  const int scorers = std::min(all, 2);
  return {scorers, (all - scorers) / scorers};
}

absl::StatusOr<Metrics> MeasurePerformance(Network* network, const std::vector<data::Video>& videos,
                                           data::FrameStore* frames, const ScoringOptions& options,
                                           ActivitySeconds* seconds) {
  at::set_num_threads(1);
  network->SetTraining(false);
  OP3D_ASSIGN_OR_RETURN(const auto form, EvaluationNetwork::Make(*network));
  data::EvaluationLoaderOptions loader_options = LoaderOptions(options);
  loader_options.search_clips = options.search_clips;
  loader_options.batch_size = std::max(1, kBatch / std::max(1, options.search_clips));
  loader_options.threads = options.threads;
  loader_options.bytes = loader_options.planes = !form->device().is_cpu();
  OP3D_ASSIGN_OR_RETURN(const auto loader,
                        data::ClipLoader::ForSearch(videos, frames, loader_options));
  std::vector<at::Tensor> parts;
  std::vector<int64_t> labels;
  data::Batch batch;
  Stopwatch watch;
  for (;;) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    OP3D_ASSIGN_OR_RETURN(const bool more, loader->Next(&batch));
    watch.Lap(&seconds->wait);
    if (!more) break;
    if (batch.size == 0) continue;
    OP3D_ASSIGN_OR_RETURN(at::Tensor logits, Logits(*form, &batch, /*memory=*/nullptr));
    parts.push_back(std::move(logits));
    labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
    watch.Lap(&seconds->forward);
  }
  const data::ClipLoader::Counters counters = loader->counters();
  seconds->transform += counters.transform_seconds;
  if (counters.skipped > 0) {
    Progress::Print(absl::StrCat("the search's measure left out ", counters.skipped,
                                 " videos that do not decode, first ", counters.examples[0]));
  }
  if (parts.empty()) {
    return absl::DataLossError(
        absl::StrCat("none of ", videos.size(), " videos of the search's measure decodes"));
  }
  // [heads, videos x clips, classes]
  const at::Tensor logits = at::cat(parts, /*dim=*/1).contiguous();
  const Views<float> views = {
      logits.size(0),
      logits.size(1) / options.search_clips,
      /*clips=*/options.search_clips,
      /*crops=*/1,
      logits.size(2),
      absl::MakeConstSpan(logits.const_data_ptr<float>(), static_cast<size_t>(logits.numel()))};
  OP3D_ASSIGN_OR_RETURN(const VideoScores scores, MeanOfLogits(views));
  return ComputeMetrics(scores, labels);
}

absl::StatusOr<ViewScores> ScorePart(Network* network, const std::vector<data::Video>& videos,
                                     data::FrameStore* frames, int clips,
                                     const ScoringOptions& options, ActivitySeconds* seconds) {
  OP3D_ASSIGN_OR_RETURN(const auto form, EvaluationNetwork::Make(*network));
  // Contiguous ranges, joined in order, so the order of finishing does not matter.
  const int64_t count = static_cast<int64_t>(videos.size());
  const int64_t workers = std::max<int64_t>(1, std::min<int64_t>(options.threads + 1, count));
  std::vector<absl::Status> statuses(workers);
  std::vector<Part> parts(workers);
  OnThreads(workers, [&](int64_t worker) {
    statuses[worker] =
        ScoreRange(*form, videos, count * worker / workers, count * (worker + 1) / workers, frames,
                   clips, options, &parts[worker]);
  });
  for (int64_t worker = 0; worker < workers; ++worker) {
    OP3D_RETURN_IF_ERROR(statuses[worker]);
    *seconds += parts[worker].seconds;
  }
  ViewScores scores;
  scores.clips = clips;
  scores.crops = 3;
  scores.classes = network->options().classes;
  Join(parts, videos, &scores);
  return scores;
}

absl::StatusOr<ViewScores> ScoreViews(Network* network, const std::vector<data::Video>& videos,
                                      data::FrameStore* frames, int clips,
                                      const ScoringOptions& options, ActivitySeconds* seconds) {
  network->SetTraining(false);
  const ThreadShare share = ShareThreads(network->device().is_cpu(), options.threads);
  ScoringOptions shared = options;
  shared.threads = share.scorers - 1;
  shared.loader_threads = share.loader_threads;
  OP3D_ASSIGN_OR_RETURN(ViewScores scores,
                        ScorePart(network, videos, frames, clips, shared, seconds));
  if (scores.videos == 0) {
    return absl::DataLossError(
        absl::StrCat("none of ", videos.size(), " videos could be scored; the first: ",
                     scores.examples.empty() ? "the list is empty" : scores.examples[0]));
  }
  return scores;
}

}  // namespace op3d
