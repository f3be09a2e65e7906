// The shipped datasets by name: one textproto each in data/datasets.
//
//   OP3D_ASSIGN_OR_RETURN(DatasetSettings dataset, FindDataset("ucf101"));
//   OfficialVideos(dataset).train;                                           // 9537
#ifndef OP3D_DATA_DATASETS_DATASET_SETTINGS_H_
#define OP3D_DATA_DATASETS_DATASET_SETTINGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/datasets/dataset.pb.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

// The shipped dataset with that name; a program needs //data/datasets (or //data/datasets:<name>)
// as `data`.  A name with a slash or the ending .textproto is a file of the user's own.  NotFound
// lists the existing datasets; InvalidArgument for a file that does not parse.
absl::StatusOr<DatasetSettings> FindDataset(absl::string_view name);

// Chooses one of the official splits, from 1.  InvalidArgument if it does not exist: a dataset
// may have only one split.
absl::Status ChooseSplit(int split, DatasetSettings* dataset);

// Sets sgd.loss_weight, network.dropout and transform.horizontal_flip to the values of the
// dataset's published protocol; changes nothing if it has none.  For BenchmarkSettings and
// TrainingRunSettings.
template <typename Settings>
void UseProtocol(const DatasetSettings& dataset, Settings* settings) {
  if (!dataset.has_protocol()) return;
  settings->mutable_sgd()->set_loss_weight(dataset.protocol().loss_weight());
  settings->mutable_network()->set_dropout(dataset.protocol().dropout());
  settings->mutable_transform()->set_horizontal_flip(dataset.protocol().horizontal_flip());
}

// Applies the value of --stream: "pictures" or "flow", in any case; empty changes nothing.
// InvalidArgument for another value.
absl::Status SetStream(absl::string_view stream, DatasetSettings* dataset);

// "pictures" or "flow"; empty if it is not set.
std::string StreamName(const DatasetSettings& dataset);
// The dataset's frame content: pictures if it is not set.
FrameContent ContentOf(const DatasetSettings& dataset);

// The number of videos in the official lists of the chosen split; 0 = not known.
struct OfficialCounts {
  int train = 0;
  int evaluation = 0;
};
OfficialCounts OfficialVideos(const DatasetSettings& dataset);

}  // namespace op3d::data

#endif  // OP3D_DATA_DATASETS_DATASET_SETTINGS_H_
