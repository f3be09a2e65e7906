// The checkpoints of one training in its folder: the newest few, each with a checksum over every
// byte, written by a thread of its own.
//
//   CheckpointFolder checkpoints(folder, {/*kept=*/2});
//   OP3D_ASSIGN_OR_RETURN(std::optional<Safetensors> newest, checkpoints.ReadNewest());
//   ...
//   OP3D_RETURN_IF_ERROR(checkpoints.Write({epochs, micro_batches}, tensors, metadata));
//   OP3D_RETURN_IF_ERROR(checkpoints.Flush());
//
// A file is checkpoint_<epochs>_<micro-batches>.safetensors, written beside and renamed, so that a
// file that is there is whole unless the disk damaged it; then the checksum says so, and the one
// before it counts.  Torch-free.
#ifndef OP3D_TRAIN_CHECKPOINT_CHECKPOINT_FOLDER_H_
#define OP3D_TRAIN_CHECKPOINT_CHECKPOINT_FOLDER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/thread/background_queue.h"

namespace op3d {

// Where a training stands: epochs that are complete, and micro-batches of the next one.
struct CheckpointPlace {
  int64_t epochs = 0;
  int64_t micro_batches = 0;
};

// safetensors with a checksum over the whole file in its metadata, under "checksum".  Errors as
// SerializeSafetensors.
absl::StatusOr<std::string> SerializeSealed(const std::vector<TensorView>& tensors,
                                            std::map<std::string, std::string> metadata);

// The reverse.  DataLoss for bytes that are not those that were written; `source` is named.
absl::StatusOr<Safetensors> ParseSealed(std::string bytes, absl::string_view source);

struct CheckpointOptions {
  // The number of newest ones that stay, at least 1.
  int kept = 2;
  // So do those at every `anchor_epochs`-th epoch; 0 = none.
  int anchor_epochs = 0;
};

// Not thread-safe.  One a folder.
class CheckpointFolder {
 public:
  CheckpointFolder(std::string folder, const CheckpointOptions& options);

  // The newest one that is whole; empty when there is none at all.  A damaged one is renamed to
  // damaged.safetensors, with a warning on stderr.  DataLoss when all are damaged; the first
  // reason is named.
  absl::StatusOr<std::optional<Safetensors>> ReadNewest();
  // The newest whole one of at most `epochs` complete epochs and no part of another, empty when
  // there is none.  Newer ones are removed.
  absl::StatusOr<std::optional<Safetensors>> Rollback(int64_t epochs);

  // Copies the tensors and leaves the rest to the thread: checksum, file, removal of those that
  // are no longer kept.  An error of an earlier one comes here: ResourceExhausted on a full disk;
  // what was kept stays.
  absl::Status Write(const CheckpointPlace& place, const std::vector<TensorView>& tensors,
                     const std::map<std::string, std::string>& metadata);
  // Another file from the same thread, after what was given to it before.
  absl::Status WriteFile(const std::string& path, std::string bytes);

  // Waits for the thread.
  absl::Status Flush();

  // Removes every checkpoint.  Flushes first.
  absl::Status RemoveAll();

 private:
  absl::StatusOr<std::vector<CheckpointPlace>> List() const;  // the newest first
  std::string Path(const CheckpointPlace& place) const;
  absl::Status Prune() const;

  const std::string folder_;
  const CheckpointOptions options_;
  BackgroundQueue queue_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_CHECKPOINT_CHECKPOINT_FOLDER_H_
