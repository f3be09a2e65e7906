// The videos of a training: those to train on and those to measure on.
//
//   OP3D_ASSIGN_OR_RETURN(TrainingData data, LoadTrainingData(settings, root, threads, index));
//   Use(data.train, data.measured);
#ifndef OP3D_TRAIN_RUN_TRAINING_DATA_H_
#define OP3D_TRAIN_RUN_TRAINING_DATA_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "data/index/index_update.h"
#include "data/loader/frame_store.h"
#include "op3d/train/settings/run.pb.h"

namespace op3d {

struct TrainingData {
  std::vector<data::Video> train, measured;
  // The number in the settings.
  int64_t classes = 0;
  // In the order of the labels; empty if the list names fewer than that.
  std::vector<std::string> class_names;
  // "train: 9537 of 9537 listed videos used (0 missing, 0 broken)", one line per list.
  std::vector<std::string> report;
  // Decoded frames.
  std::unique_ptr<data::FrameStore> frames;
};

// Reads the lists under `root`; files that `index` does not know are scanned with `threads`
// threads.  Errors of LoadVideoList and, before anything is scanned, of FrameStore::Make, with GPU
// `gpu` for loader.decode NVDEC; InvalidArgument if a list has another number of classes than
// dataset.classes, or nothing is left to train or to measure on.
absl::StatusOr<TrainingData> LoadTrainingData(const TrainingRunSettings& settings,
                                              const std::string& root, int threads,
                                              const data::IndexOptions& index, int gpu = 0);

}  // namespace op3d

#endif  // OP3D_TRAIN_RUN_TRAINING_DATA_H_
