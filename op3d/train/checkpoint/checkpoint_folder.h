// The checkpoints of one training in its folder: the newest few, each with a checksum over every
// byte, written by a background thread.
//
//   CheckpointFolder checkpoints(folder, {/*kept=*/2});
//   OP3D_ASSIGN_OR_RETURN(std::optional<Safetensors> newest, checkpoints.ReadNewest());
//   ...
//   OP3D_RETURN_IF_ERROR(checkpoints.Write({epochs, micro_batches}, tensors, metadata));
//   OP3D_RETURN_IF_ERROR(checkpoints.Flush());
//
// A file is checkpoint_<epochs>_<micro-batches>.safetensors, written under a temporary name and
// renamed, so an existing file is complete unless the disk damaged it.  Then the checksum detects
// it and the previous checkpoint is used.  Torch-free.
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

// The position of a checkpoint: complete epochs, and micro-batches of the next one.
struct CheckpointPlace {
  int64_t epochs = 0;
  int64_t micro_batches = 0;
};

// safetensors with a checksum over the whole file in its metadata, under "checksum".  Errors of
// SerializeSafetensors.
absl::StatusOr<std::string> SerializeSealed(const std::vector<TensorView>& tensors,
                                            std::map<std::string, std::string> metadata);

// The reverse.  DataLoss, naming `source`, if the bytes differ from those that were written.
absl::StatusOr<Safetensors> ParseSealed(std::string bytes, absl::string_view source);

struct CheckpointOptions {
  // The number of newest checkpoints to keep, at least 1.
  int kept = 2;
  // Also keep those at every `anchor_epochs`-th epoch; 0 = none.
  int anchor_epochs = 0;
};

// Not thread-safe.  Use one per folder.
class CheckpointFolder {
 public:
  CheckpointFolder(std::string folder, const CheckpointOptions& options);

  // The newest complete checkpoint; nullopt if there is none at all.  A damaged one is renamed to
  // damaged.safetensors, with a warning on stderr.  DataLoss if all are damaged, with the reason
  // for the newest.
  absl::StatusOr<std::optional<Safetensors>> ReadNewest();
  // The newest complete checkpoint at the end of an epoch, of at most `epochs` epochs; nullopt if
  // there is none.  Newer ones are removed.
  absl::StatusOr<std::optional<Safetensors>> Rollback(int64_t epochs);

  // Copies the tensors; the background thread does the rest: checksum, file, removal of checkpoints
  // that are no longer kept.  Returns an error of an earlier write: ResourceExhausted on a full
  // disk; existing checkpoints stay.
  absl::Status Write(const CheckpointPlace& place, const std::vector<TensorView>& tensors,
                     const std::map<std::string, std::string>& metadata);
  // Writes another file by the same thread, after the earlier writes.
  absl::Status WriteFile(const std::string& path, std::string bytes);

  // Waits until everything is written.
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
