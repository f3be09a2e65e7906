// Scalars for TensorBoard: an event file in a folder (tensorboard --logdir=FOLDER).
//
//   OP3D_ASSIGN_OR_RETURN(auto events, EventFile::Create(folder, /*first_step=*/120));
//   events->Add(121, {{"train/loss", 2.25}, {"train/learning_rate", 0.04}});
//
// The file is a TFRecord file: for each record its length in 8 bytes and the length's masked
// CRC-32C in 4 (both little-endian), the EventProto, its masked CRC-32C.  A process that resumes at
// an earlier step writes a file of its own, whose first event makes later steps of the others void.
#ifndef OP3D_TRAIN_LOG_EVENT_FILE_H_
#define OP3D_TRAIN_LOG_EVENT_FILE_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// CRC-32C (Castagnoli) of `bytes`, and TFRecord's masking of it.
uint32_t Crc32c(absl::string_view bytes);
uint32_t MaskedCrc32c(absl::string_view bytes);

// A record with its length and checksums.
std::string TfRecord(absl::string_view record);

// Not thread-safe.
class EventFile {
 public:
  // Creates a file in `folder`, which must exist.  Steps before `first_step` in other files stay
  // valid.
  static absl::StatusOr<std::unique_ptr<EventFile>> Create(const std::string& folder,
                                                           int64_t first_step);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  // Errors are ignored: a full disk does not stop a run because of its charts.
  void Add(int64_t step, const std::vector<std::pair<std::string, double>>& scalars);

 private:
  explicit EventFile(std::FILE* file) : file_(file) {}
  std::FILE* const file_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_LOG_EVENT_FILE_H_
