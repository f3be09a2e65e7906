// A network with its weights, applied to single videos.
//
//   PredictorOptions options;
//   options.network = {"dg_p3d_resnet50", /*classes=*/400};
//   options.weights = "weights.safetensors";
//   OP3D_ASSIGN_OR_RETURN(auto predictor, Predictor::Make(options));
//   OP3D_ASSIGN_OR_RETURN(Prediction prediction, predictor->Predict("clip.mp4", {}, nullptr));
//   TopClasses(prediction.scores, 5)[0].label;                      // the likeliest class
#ifndef OP3D_EVAL_PREDICTOR_H_
#define OP3D_EVAL_PREDICTOR_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/sampling/sampling.h"
#include "data/video/stored/stored_frames.h"
#include "op3d/base/progress.h"
#include "op3d/network/evaluation_network.h"
#include "op3d/network/network.h"

namespace op3d {

struct PredictorOptions {
  NetworkOptions network;
  // A file of any format that op3d/network/weights/checkpoint.h reads.
  std::string weights;
  // "fp32", "bf16", "fp64", "tf32", "fp16" or "auto" (op3d/torch/precision.h).
  std::string precision = "fp32";
  // "cpu", "cuda" or "cuda:1".
  std::string device = "cpu";
  // Number of views computed at the same time on the CPU, at least 1; the result does not depend
  // on it.
  int threads = 1;
  // Also return each head's pooled features.
  bool features = false;
};

// The views of a video to predict from.
struct PredictionViews {
  data::ClipShape shape = {1, 16, 1};
  // The number of clips, evenly spread over the video; a single clip is in the middle.  Each in one
  // crop (the centre) or in three.
  int clips = 3;
  int crops = 1;
  // In pixels.
  int short_side = 256;
  int crop = 256;
  // kFlow: the videos are folders or LMDBs of x and y pictures, as `dataset flow` writes them.
  data::FrameContent content = data::FrameContent::kPictures;
};

struct Prediction {
  // Logits [views, classes] of each head, on the CPU, float64 for fp64 and float32 otherwise;
  // view = clip * crops + crop.
  std::vector<at::Tensor> heads;
  // With PredictorOptions.features: the input of each head's classifier, [views, C] in the order
  // and type of `heads`: the mean over time, height and width after the last stage.
  std::vector<at::Tensor> features;
  // Mean over heads and views, [classes].
  std::vector<double> scores;
  // For a video: its number of frames, and what is unusual about it, in sentences.
  int64_t frames = 0;
  std::vector<std::string> warnings;
};

struct ClassScore {
  int64_t label = 0;
  // Softmax of the mean logits, in [0, 1].
  double probability = 0;
};

// The `count` most likely classes, most likely first; among equal ones the lower label first.
std::vector<ClassScore> TopClasses(absl::Span<const double> scores, int count);

// Not thread-safe: call Predict from one thread at a time.
class Predictor {
 public:
  // InvalidArgument: an unknown network or precision, or weights of another network; errors of
  // Checkpoint::Read and Network::ToDevice.
  static absl::StatusOr<std::unique_ptr<Predictor>> Make(const PredictorOptions& options);

  int64_t classes() const { return network_->options().classes; }

  // InvalidArgument: impossible views or views of more than 8 GiB together, or clips too short for
  // the network; errors of ScanMedia and VideoReader::Read.  If a video is shorter than a clip, its
  // last frame is repeated, with a warning.  Internal for scores that are NaN or infinite.
  // `progress` counts the scored views; it may be null.
  absl::StatusOr<Prediction> Predict(const std::string& video, const PredictionViews& views,
                                     Progress* progress);

  // For clips that are already normalised, [N, 3, T, H, W] of any floating type: one view each.
  absl::StatusOr<Prediction> Predict(const at::Tensor& clips, Progress* progress);

 private:
  Predictor(std::unique_ptr<EvaluationNetwork> network, const PredictorOptions& options);
  std::unique_ptr<EvaluationNetwork> network_;
  const PredictorOptions options_;
};

}  // namespace op3d

#endif  // OP3D_EVAL_PREDICTOR_H_
