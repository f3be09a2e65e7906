#include "op3d/eval/scorer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstring>
#include <thread>  // NOLINT: the loader's and the scorers' threads are plain ones
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/loader/loader.h"
#include "op3d/base/interrupt.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

constexpr int kBatch = 16;
// Views go through the network in groups of at most so many input values (128 MiB): the same
// groups for any number of threads, so that the sums round equally.
constexpr int64_t kMaxInputValues = int64_t{1} << 25;

EvaluationLoaderOptions LoaderOptions(const ScoringOptions& options) {
  EvaluationLoaderOptions result;
  result.clip = options.clip;
  result.transform = options.transform;
  result.on_short_video = options.on_short_video;
  return result;
}

// The heads' logits [heads, clips, classes] of a batch, on the CPU.
absl::StatusOr<at::Tensor> Logits(Network* network, Batch* batch) {
  c10::NoGradGuard no_grad;
  const int64_t count = int64_t{batch->size} * batch->views;
  const int64_t values = int64_t{3} * batch->frames * batch->height * batch->width;
  const int64_t group = std::max<int64_t>(1, kMaxInputValues / values);
  std::vector<at::Tensor> parts;
  for (int64_t first = 0; first < count; first += group) {
    const int64_t size = std::min(group, count - first);
    const at::Tensor clips =
        at::from_blob(batch->clips.data() + first * values,
                      {size, 3, batch->frames, batch->height, batch->width}, at::kFloat)
            .to(network->device());
    OP3D_ASSIGN_OR_RETURN(const std::vector<at::Tensor> heads, network->Forward(clips));
    parts.push_back(at::stack(heads).to(at::kCPU, at::kFloat));
  }
  return at::cat(parts, /*dim=*/1).contiguous();
}

// Scores videos [first, last) into `scores`, which has its size already.
absl::Status ScoreRange(Network* network, const std::vector<Video>& videos, int64_t first,
                        int64_t last, FrameStore* frames, int clips, const ScoringOptions& options,
                        ActivitySeconds* seconds, ViewScores* scores) {
  at::set_num_threads(1);
  EvaluationLoaderOptions loader_options = LoaderOptions(options);
  loader_options.clips = clips;
  OP3D_ASSIGN_OR_RETURN(
      const auto loader,
      ClipLoader::ForTest({videos.begin() + first, videos.begin() + last}, frames, loader_options));
  const int64_t row = scores->clips * scores->crops * scores->classes;
  Batch batch;
  Stopwatch watch;
  for (int64_t video = first; video < last; ++video) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    OP3D_ASSIGN_OR_RETURN(const bool more, loader->Next(&batch));
    watch.Lap(&seconds->wait);
    if (!more) return absl::InternalError("the loader ended before its list");
    OP3D_ASSIGN_OR_RETURN(const at::Tensor logits, Logits(network, &batch));
    if (logits.size(0) != scores->heads || logits.size(2) != scores->classes) {
      return absl::InternalError("the network changed its number of heads or classes");
    }
    for (int64_t head = 0; head < scores->heads; ++head) {
      std::memcpy(&scores->logits[(head * scores->videos + video) * row],
                  logits.const_data_ptr<float>() + head * row, sizeof(float) * row);
    }
    watch.Lap(&seconds->forward);
    if (options.progress != nullptr) options.progress->Add(1);
  }
  seconds->decode += loader->decode_seconds();
  seconds->transform += loader->transform_seconds();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Metrics> MeasurePerformance(Network* network, const std::vector<Video>& videos,
                                           FrameStore* frames, const ScoringOptions& options,
                                           ActivitySeconds* seconds) {
  at::set_num_threads(1);
  network->SetTraining(false);
  EvaluationLoaderOptions loader_options = LoaderOptions(options);
  loader_options.batch_size = kBatch;
  loader_options.threads = options.threads;
  OP3D_ASSIGN_OR_RETURN(const auto loader, ClipLoader::ForSearch(videos, frames, loader_options));
  std::vector<at::Tensor> parts;
  std::vector<int64_t> labels;
  Batch batch;
  Stopwatch watch;
  for (;;) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    OP3D_ASSIGN_OR_RETURN(const bool more, loader->Next(&batch));
    watch.Lap(&seconds->wait);
    if (!more) break;
    OP3D_ASSIGN_OR_RETURN(at::Tensor logits, Logits(network, &batch));
    parts.push_back(std::move(logits));
    labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
    watch.Lap(&seconds->forward);
  }
  seconds->decode += loader->decode_seconds();
  seconds->transform += loader->transform_seconds();
  const at::Tensor logits = at::cat(parts, /*dim=*/1).contiguous();  // [heads, videos, classes]
  const Views<float> views = {
      logits.size(0), logits.size(1), /*clips=*/1, /*crops=*/1, logits.size(2),
      absl::MakeConstSpan(logits.const_data_ptr<float>(), static_cast<size_t>(logits.numel()))};
  OP3D_ASSIGN_OR_RETURN(const VideoScores scores, MeanOfLogits(views));
  return ComputeMetrics(scores, labels);
}

absl::StatusOr<ViewScores> ScoreViews(Network* network, const std::vector<Video>& videos,
                                      FrameStore* frames, int clips,
                                      const ScoringOptions& options, ActivitySeconds* seconds) {
  network->SetTraining(false);
  ViewScores scores;
  scores.heads = network->heads();
  scores.videos = static_cast<int64_t>(videos.size());
  scores.clips = clips;
  scores.crops = 3;
  scores.classes = network->classes();
  scores.logits.resize(scores.heads * scores.videos * scores.clips * scores.crops * scores.classes);
  for (const Video& video : videos) scores.labels.push_back(video.label);

  // Contiguous ranges: every video's row has its place, so nothing hangs on who comes first.
  const int64_t workers = std::max<int64_t>(1, std::min<int64_t>(options.threads + 1, scores.videos));
  std::vector<absl::Status> statuses(workers);
  std::vector<ActivitySeconds> times(workers);
  const auto work = [&](int64_t worker) {
    statuses[worker] = ScoreRange(network, videos, scores.videos * worker / workers,
                                  scores.videos * (worker + 1) / workers, frames, clips, options,
                                  &times[worker], &scores);
  };
  std::vector<std::thread> threads;
  for (int64_t worker = 1; worker < workers; ++worker) threads.emplace_back(work, worker);
  work(0);
  for (std::thread& thread : threads) thread.join();
  for (int64_t worker = 0; worker < workers; ++worker) {
    OP3D_RETURN_IF_ERROR(statuses[worker]);
    *seconds += times[worker];
  }
  return scores;
}

}  // namespace op3d
