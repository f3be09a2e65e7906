#include "op3d/train/testing/tiny_job.h"

#include <utility>

#include "op3d/base/bazel.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d {

absl::StatusOr<std::unique_ptr<TinyJob>> MakeTinyJob() {
  auto tiny = std::make_unique<TinyJob>();
  OP3D_ASSIGN_OR_RETURN(const std::string root, RunfilePath("data/synthetic/kinetics400_tiny"));
  DatasetSettings dataset;
  OP3D_RETURN_IF_ERROR(
      ParseTextproto("classes: 9 format: KINETICS_CSV label_map: 'label_map.txt' "
                     "train { list: 'kinetics-400_train.csv' media: 'train' } "
                     "evaluation { list: 'kinetics-400_val.csv' media: 'val' }",
                     "dataset", &dataset));
  OP3D_ASSIGN_OR_RETURN(data::VideoList train,
                        data::LoadVideoList(dataset, dataset.train(), root, LoaderSettings(), 1));
  OP3D_ASSIGN_OR_RETURN(
      data::VideoList evaluation,
      data::LoadVideoList(dataset, dataset.evaluation(), root, LoaderSettings(), 1));
  tiny->train = std::move(train.videos);
  tiny->evaluation = std::move(evaluation.videos);

  TrainingJob& job = tiny->job;
  job.network.set_name("dg_p3d_miniature");
  OP3D_RETURN_IF_ERROR(
      ParseTextproto("momentum: 0.9 nesterov: true weight_decay: 1e-4 clip_norm: 40 loss_weight: 1",
                     "sgd", &job.sgd));
  OP3D_RETURN_IF_ERROR(ParseTextproto(
      "train_crop: 32 min_area: 0.9 max_area: 1 search_short_side: 36 search_crop: 32 "
      "test_short_side: 36 test_crop: 32",
      "transform", &job.transform));
  job.classes = 9;
  job.frames = &tiny->frames;
  job.seed = 1;
  job.purpose = "test";
  return tiny;
}

}  // namespace op3d
