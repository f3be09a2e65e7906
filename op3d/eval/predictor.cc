#include "op3d/eval/predictor.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/index/scan_record.h"
#include "data/loader/clip_views.h"
#include "data/loader/frame_store.h"
#include "data/transform/clip_transform.h"
#include "data/video/media.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/parallel.h"
#include "op3d/torch/precision.h"
#include "op3d/torch/torch_status.h"

namespace op3d {
namespace {

// All views of a video wait for the network together, at most 8 GiB: five times the size of 10
// clips of 64 frames at 256 pixels in three crops.
constexpr double kMaxInputValues = 2147483648.0;

// Only the fields for evaluation matter; the others are set because settings are checked as a
// whole.
TransformSettings Transform(const PredictionViews& views) {
  TransformSettings transform;
  transform.set_test_short_side(views.short_side);
  transform.set_test_crop(views.crop);
  transform.set_search_short_side(views.short_side);
  transform.set_search_crop(views.crop);
  transform.set_train_crop(views.crop);
  transform.set_min_area(1);
  transform.set_max_area(1);
  return transform;
}

absl::Status CheckViews(const PredictionViews& views) {
  OP3D_RETURN_IF_ERROR(data::CheckClipShape(views.shape));
  if (views.clips < 1) {
    return absl::InvalidArgumentError(absl::StrCat(views.clips, " clips are too few; at least 1"));
  }
  if (views.crops != 1 && views.crops != 3) {
    return absl::InvalidArgumentError(
        absl::StrCat(views.crops, " crops are neither 1 (the centre) nor 3"));
  }
  OP3D_RETURN_IF_ERROR(data::CheckTransformSettings(Transform(views)));
  // In floating point, so that no product overflows.
  const double values =
      3.0 * views.clips * views.crops * views.shape.length() * views.crop * views.crop;
  if (values > kMaxInputValues) {
    return absl::InvalidArgumentError(absl::StrCat(
        int64_t{views.clips} * views.crops, " views of ", views.shape.length(), "x", views.crop,
        "x", views.crop, " take ", std::ceil(values / (1 << 28)),
        " GiB; at most 8 at a time: ask for fewer clips, fewer frames or smaller crops"));
  }
  return absl::OkStatus();
}

std::vector<std::vector<int64_t>> ClipFrames(const PredictionViews& views, int64_t frames) {
  if (views.clips == 1)
    return {data::CentreFrames(views.shape, frames, LoaderSettings::REPEAT_LAST)};
  std::vector<std::vector<int64_t>> clips;
  for (int clip = 0; clip < views.clips; ++clip) {
    clips.push_back(
        data::TestFrames(views.shape, frames, clip, views.clips, LoaderSettings::REPEAT_LAST));
  }
  return clips;
}

// One head's rows for all views, on the CPU.
at::Tensor JoinRows(const std::vector<std::vector<at::Tensor>>& views, size_t head) {
  std::vector<at::Tensor> rows;
  for (const std::vector<at::Tensor>& view : views) rows.push_back(view[head]);
  return at::cat(rows).to(at::kCPU);
}

}  // namespace

std::vector<ClassScore> TopClasses(absl::Span<const double> scores, int count) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - scores[order[0]]);
  std::vector<ClassScore> top;
  for (size_t i = 0; i < order.size() && static_cast<int>(i) < count; ++i) {
    top.push_back({order[i], std::exp(scores[order[i]] - scores[order[0]]) / sum});
  }
  return top;
}

Predictor::Predictor(std::unique_ptr<EvaluationNetwork> network, const PredictorOptions& options)
    : network_(std::move(network)), options_(options) {}

absl::StatusOr<std::unique_ptr<Predictor>> Predictor::Make(const PredictorOptions& options) {
  OP3D_ASSIGN_OR_RETURN(const PrecisionChoice choice,
                        ChoosePrecision(options.precision, options.device));
  if (options.precision == "auto") Progress::Print(choice.reason);
  OP3D_ASSIGN_OR_RETURN(std::unique_ptr<Network> network, Network::MakeUnfilled(options.network));
  OP3D_RETURN_IF_ERROR(network->LoadWeights(options.weights));
  OP3D_RETURN_IF_ERROR(network->ToDevice(options.device));
  OP3D_RETURN_IF_ERROR(network->SetPrecision(choice.precision));
  OP3D_ASSIGN_OR_RETURN(auto form, EvaluationNetwork::Make(*network));
  return std::unique_ptr<Predictor>(new Predictor(std::move(form), options));
}

absl::StatusOr<Prediction> Predictor::Predict(const std::string& video,
                                              const PredictionViews& views, Progress* progress) {
  OP3D_RETURN_IF_ERROR(CheckViews(views));
  OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define(network_->options()));
  OP3D_RETURN_IF_ERROR(CheckClipSize(definition, {views.shape.length(), views.crop, views.crop}));
  data::MediaOptions media;
  media.content = views.content;
  OP3D_ASSIGN_OR_RETURN(const data::VideoScan scan, data::ScanMedia(video, media));
  const int64_t count = int64_t{views.clips} * views.crops;
  at::Tensor clips =
      at::empty({count, 3, views.shape.length(), views.crop, views.crop}, at::kFloat);
  const TransformSettings transform = Transform(views);
  data::FrameStore store(/*budget_bytes=*/0);
  data::ViewSeconds seconds;
  OP3D_RETURN_IF_ERROR(data::MakeClipViews(
      {video, video, -1, scan.info.frames, data::EncodeScan(scan), "", views.content},
      ClipFrames(views, scan.info.frames),
      [&](int width, int height) {
        return views.crops == 3 ? data::ClipTransform::ForTest(transform, width, height)
                                : data::ClipTransform::ForSearch(transform, width, height);
      },
      &store, absl::MakeSpan(clips.mutable_data_ptr<float>(), static_cast<size_t>(clips.numel())),
      &seconds));
  absl::StatusOr<Prediction> answer = Predict(clips, progress);
  OP3D_RETURN_IF_ERROR(Annotate(answer.status(), video));
  Prediction prediction = *std::move(answer);
  prediction.frames = scan.info.frames;
  prediction.warnings = scan.info.warnings;
  const int64_t span = int64_t{views.shape.length()} * views.shape.stride;
  if (scan.info.frames < span) {
    prediction.warnings.push_back(absl::StrCat("has ", scan.info.frames, " frames, fewer than the ",
                                               span, " of a clip: its last one is held"));
  }
  return prediction;
}

absl::StatusOr<Prediction> Predictor::Predict(const at::Tensor& clips, Progress* progress) {
  if (clips.dim() != 5 || clips.size(0) == 0) {
    return absl::InvalidArgumentError(
        "clips must be [N, 3, T, H, W] with at least one of them, normalised");
  }
  // One view at a time, so that the result is the same for any number of threads.
  const int64_t views = clips.size(0);
  std::vector<std::vector<at::Tensor>> logits(views);  // [views][heads]: [1, classes]
  std::vector<std::vector<at::Tensor>> features(views);  // [views][heads]: [1, C]
  OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define(network_->options()));
  const int threads = network_->device().is_cpu() ? std::max(1, options_.threads) : 1;
  OP3D_RETURN_IF_ERROR(InParallel(threads, views, [&](int64_t view) {
    return CatchTorch([&]() -> absl::Status {
      at::set_num_threads(1);
      c10::NoGradGuard no_grad;
      const at::Tensor clip = clips.narrow(0, view, 1).to(network_->device(), network_->type());
      FeatureObserver observer;
      if (options_.features) {
        features[view].resize(definition.heads.size());
        observer = [&, view](const std::string& name, const at::Tensor& feature) {
          for (size_t head = 0; head < definition.heads.size(); ++head) {
            if (name == definition.heads[head].pool_name) features[view][head] = feature.clone();
          }
        };
      }
      OP3D_ASSIGN_OR_RETURN(logits[view], network_->Forward(clip, observer));
      if (progress != nullptr) progress->Add(1);
      return absl::OkStatus();
    });
  }));
  Prediction prediction;
  OP3D_RETURN_IF_ERROR(CatchTorch([&] {
    at::Tensor mean;
    for (size_t head = 0; head < logits[0].size(); ++head) {
      prediction.heads.push_back(JoinRows(logits, head));
      if (options_.features) prediction.features.push_back(JoinRows(features, head));
      const at::Tensor of_head = prediction.heads.back().to(at::kDouble).mean(0);
      mean = mean.defined() ? mean + of_head : of_head;
    }
    mean = (mean / static_cast<double>(logits[0].size())).contiguous();
    const double* values = mean.const_data_ptr<double>();
    prediction.scores.assign(values, values + mean.numel());
    return absl::OkStatus();
  }));
  const auto bad = std::count_if(prediction.scores.begin(), prediction.scores.end(),
                                 [](double score) { return !std::isfinite(score); });
  if (bad > 0) {
    return absl::InternalError(
        absl::StrCat(bad, " of the network's ", prediction.scores.size(),
                     " scores are NaN or infinite; look at the clips' values, try "
                     "--precision=fp32, or take weights of an earlier checkpoint"));
  }
  return prediction;
}

}  // namespace op3d
