// Multi-view test of a checkpoint on a dataset.
//
//   ./bazelw run //op3d:evaluate -- --weights=weights.safetensors --network=dg_p3d_resnet50
//       --dataset_root=/data/kinetics400 --frames=32 --clips=10

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/annotation/video_list.h"
#include "data/dataset.pb.h"
#include "data/datasets/dataset_settings.h"
#include "data/index/index_update.h"
#include "data/loader/frame_store.h"
#include "op3d/base/activity_seconds.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/eval/metrics.h"
#include "op3d/eval/scorer.h"
#include "op3d/network/network.h"

ABSL_FLAG(std::string, weights, "", "file of the network's weights: safetensors, .pth or TorchScript");
ABSL_FLAG(std::string, network, "dg_p3d_resnet50", "which network the weights belong to");
ABSL_FLAG(std::string, dataset, "kinetics400",
          "which dataset: a name of data/datasets/, or a textproto of your own");
ABSL_FLAG(std::string, dataset_root, "", "folder with the dataset's lists and media");
ABSL_FLAG(std::string, index, "",
          "file that keeps what scanning the videos found; default: in the dataset's folder, or in "
          "the user's cache when that cannot be written to");
ABSL_FLAG(std::string, split, "evaluation", "which list: evaluation or train");
ABSL_FLAG(std::string, labels, "",
          "file with all classes, one a line, in the order of the network's logits; default: the "
          "list's own labels in alphabetical order");
ABSL_FLAG(int, clips, 10, "clips of a video, each in three crops");
ABSL_FLAG(int, segments, 1, "segments of a clip: 1 = consecutive frames");
ABSL_FLAG(int, frames, 16, "consecutive frames of a segment");
ABSL_FLAG(int, stride, 1, "distance of two frames");
ABSL_FLAG(int, short_side, 256, "short side of the frames, in pixels");
ABSL_FLAG(int, crop, 256, "side of the three crops, in pixels");
ABSL_FLAG(std::string, on_bad_video, "error",
          "a video that does not decode: error ends the program, skip leaves it out and counts it");
ABSL_FLAG(std::string, device, "cpu", "cpu or cuda");
ABSL_FLAG(int, threads, 2, "videos scored side by side; the result does not depend on it");
ABSL_FLAG(std::string, output, "", "also write the scores to this safetensors file");
ABSL_FLAG(bool, json, false, "one JSON object on stdout instead of text");

namespace op3d {
namespace {

absl::Status Require(int value, absl::string_view flag, int least) {
  if (value >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, "=", value, " is too small: at least ", least));
}

absl::StatusOr<VideoList> LoadList() {
  const std::string root = UserPath(absl::GetFlag(FLAGS_dataset_root));
  if (root.empty()) {
    return absl::InvalidArgumentError(
        "--dataset_root is missing: the folder with the dataset's lists and media");
  }
  OP3D_ASSIGN_OR_RETURN(DatasetSettings dataset, FindDataset(absl::GetFlag(FLAGS_dataset)));
  if (!absl::GetFlag(FLAGS_labels).empty()) {
    dataset.set_label_map(UserPath(absl::GetFlag(FLAGS_labels)));
  }
  const std::string split = absl::GetFlag(FLAGS_split);
  if (split != "evaluation" && split != "train") {
    return absl::InvalidArgumentError(
        absl::StrCat("--split=", split, " is none of: evaluation, train"));
  }
  LoaderSettings loader;
  const std::string policy = absl::GetFlag(FLAGS_on_bad_video);
  if (policy != "error" && policy != "skip") {
    return absl::InvalidArgumentError(
        absl::StrCat("--on_bad_video=", policy, " is none of: error, skip"));
  }
  loader.set_on_bad_video(policy == "skip" ? LoaderSettings::SKIP : LoaderSettings::ERROR);
  IndexOptions index;
  index.file = absl::GetFlag(FLAGS_index).empty() ? DefaultIndexFile(root, dataset.name())
                                                  : UserPath(absl::GetFlag(FLAGS_index));
  return LoadVideoList(dataset, split == "train" ? dataset.train() : dataset.evaluation(), root,
                       loader, absl::GetFlag(FLAGS_threads), index);
}

// Only the test's part is used; the rest is there because settings are checked as a whole.
TransformSettings TestTransform(int short_side, int crop) {
  TransformSettings transform;
  transform.set_test_short_side(short_side);
  transform.set_test_crop(crop);
  transform.set_search_short_side(short_side);
  transform.set_search_crop(crop);
  transform.set_train_crop(crop);
  transform.set_min_area(1);
  transform.set_max_area(1);
  return transform;
}

void Print(const VideoList& list, const Metrics& metrics, int views) {
  if (absl::GetFlag(FLAGS_json)) {
    const nlohmann::ordered_json row = {
        {"videos", metrics.videos}, {"views", views},
        {"missing", list.missing},  {"broken", list.broken},
        {"top1", metrics.top1},     {"top3", metrics.top3},
        {"top5", metrics.top5},     {"mean_class_accuracy", metrics.mean_class_accuracy}};
    std::printf("%s\n", row.dump().c_str());
    return;
  }
  std::printf("%s",
              absl::StrFormat("%d videos of %d listed (%d missing, %d broken), %d views each\n"
                              "top-1 %.2f %%   top-3 %.2f %%   top-5 %.2f %%   mean class "
                              "accuracy %.2f %%\n",
                              metrics.videos, list.listed, list.missing, list.broken, views,
                              100 * metrics.top1, 100 * metrics.top3, 100 * metrics.top5,
                              100 * metrics.mean_class_accuracy)
                  .c_str());
}

absl::Status Run(absl::Span<const std::string> words) {
  OP3D_RETURN_IF_ERROR(RefuseWords(words));
  OP3D_RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_clips), "clips", 1));
  OP3D_RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_segments), "segments", 1));
  OP3D_RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_frames), "frames", 1));
  OP3D_RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_stride), "stride", 1));
  OP3D_RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_threads), "threads", 1));
  OP3D_RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_crop), "crop", 8));
  OP3D_RETURN_IF_ERROR(
      Require(absl::GetFlag(FLAGS_short_side), "short_side", absl::GetFlag(FLAGS_crop)));
  if (absl::GetFlag(FLAGS_weights).empty()) {
    return absl::InvalidArgumentError("--weights is missing: a file of safetensors, .pth or TorchScript");
  }
  OP3D_ASSIGN_OR_RETURN(VideoList list, LoadList());
  OP3D_ASSIGN_OR_RETURN(
      const std::unique_ptr<Network> network,
      Network::Make({absl::GetFlag(FLAGS_network), static_cast<int64_t>(list.classes.size()), 0},
                    /*seed=*/0));
  OP3D_RETURN_IF_ERROR(network->LoadWeights(UserPath(absl::GetFlag(FLAGS_weights))));
  OP3D_RETURN_IF_ERROR(network->ToDevice(absl::GetFlag(FLAGS_device)));

  ScoringOptions options;
  options.clip = {absl::GetFlag(FLAGS_segments), absl::GetFlag(FLAGS_frames),
                  absl::GetFlag(FLAGS_stride)};
  options.transform = TestTransform(absl::GetFlag(FLAGS_short_side), absl::GetFlag(FLAGS_crop));
  options.on_bad_video =
      absl::GetFlag(FLAGS_on_bad_video) == "skip" ? LoaderSettings::SKIP : LoaderSettings::ERROR;
  options.threads = absl::GetFlag(FLAGS_threads) - 1;
  Progress progress("evaluate", static_cast<int64_t>(list.videos.size()), "videos");
  options.progress = &progress;
  FrameStore frames(/*budget_bytes=*/0);
  ActivitySeconds seconds;
  OP3D_ASSIGN_OR_RETURN(const ViewScores scores,
                        ScoreViews(network.get(), list.videos, &frames, absl::GetFlag(FLAGS_clips),
                                   options, &seconds));
  if (!absl::GetFlag(FLAGS_output).empty()) {
    OP3D_ASSIGN_OR_RETURN(const std::string bytes, SerializeScores(scores));
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(UserPath(absl::GetFlag(FLAGS_output)), bytes));
  }
  OP3D_ASSIGN_OR_RETURN(const VideoScores mean, MeanOfLogits(scores.views()));
  OP3D_ASSIGN_OR_RETURN(const Metrics metrics, ComputeMetrics(mean, scores.labels));
  list.broken += scores.skipped;
  Print(list, metrics, absl::GetFlag(FLAGS_clips) * 3);
  return absl::OkStatus();
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "tests a checkpoint on a dataset's videos, with several clips and three crops of each.\n\n"
      "  ./bazelw run //op3d:evaluate -- --weights=weights.safetensors \\\n"
      "      --network=dg_p3d_resnet50 --dataset_root=/data/kinetics400 --frames=32 --clips=10",
      [](absl::Span<const std::string> words) { return op3d::Run(words); });
}
