// The datasets that ship, by name: one textproto each in data/datasets.
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

// The shipped dataset of that name; a program needs //data/datasets (or //data/datasets:<name>) as
// `data`.  A name with a slash or the ending .textproto is a file of the user's own.  NotFound
// names the datasets there are; InvalidArgument for a file that does not parse.
absl::StatusOr<DatasetSettings> FindDataset(absl::string_view name);

// Chooses one of the official splits, from 1.  InvalidArgument for one that there is not: a dataset
// may have one split alone.
absl::Status ChooseSplit(int split, DatasetSettings* dataset);

// Sets what the dataset's published protocol says of sgd.loss_weight, network.dropout and
// transform.horizontal_flip; nothing where it has none.  For BenchmarkSettings and
// TrainingRunSettings.
template <typename Settings>
void UseProtocol(const DatasetSettings& dataset, Settings* settings) {
  if (!dataset.has_protocol()) return;
  settings->mutable_sgd()->set_loss_weight(dataset.protocol().loss_weight());
  settings->mutable_network()->set_dropout(dataset.protocol().dropout());
  settings->mutable_transform()->set_horizontal_flip(dataset.protocol().horizontal_flip());
}

// What --stream says: "pictures" or "flow", in small or capital letters; empty changes nothing.
// InvalidArgument for another.
absl::Status SetStream(absl::string_view stream, DatasetSettings* dataset);

// "pictures" or "flow"; empty where nothing is set.
std::string StreamName(const DatasetSettings& dataset);
// What the dataset's frames are: pictures where nothing is set.
FrameContent ContentOf(const DatasetSettings& dataset);

// How many videos the official lists of the chosen split have; 0 = not known.
struct OfficialCounts {
  int train = 0;
  int evaluation = 0;
};
OfficialCounts OfficialVideos(const DatasetSettings& dataset);

}  // namespace op3d::data

#endif  // OP3D_DATA_DATASETS_DATASET_SETTINGS_H_
