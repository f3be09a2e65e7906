// Weights as they travel: PyTorch's .pth in its three formats (zip, stream, tar), TorchScript
// archives and safetensors, told apart by their content.  No code in a file is ever run.
// Torch-free.
//
//   OP3D_ASSIGN_OR_RETURN(Checkpoint checkpoint, Checkpoint::Read("resnet50-19c8e357.pth"));
//   for (const TensorView& tensor : checkpoint.Weights()) Use(tensor);   // "conv1.weight" ...
#ifndef OP3D_NETWORK_WEIGHTS_CHECKPOINT_H_
#define OP3D_NETWORK_WEIGHTS_CHECKPOINT_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/base/safetensors.h"

namespace op3d {

enum class CheckpointFormat { kSafetensors, kZip, kStream, kTar, kTorchScript };

// "safetensors", "zip", "stream", "tar", "torchscript".
absl::string_view FormatName(CheckpointFormat format);

// Immutable; safe to share between threads.
class Checkpoint {
 public:
  // NotFound or Internal when the file cannot be read; otherwise as Parse.
  static absl::StatusOr<Checkpoint> Read(const std::string& path);

  // InvalidArgument for bytes of no known format, a pickle that asks for more than weights need
  // (naming the opcode or the function), a view that leaves its storage, a compressed archive, a
  // big-endian file; DataLoss for what is cut off or damaged.  Messages begin with `source`.  Takes
  // at most a small multiple of the bytes' size, whatever the file claims.
  static absl::StatusOr<Checkpoint> Parse(std::string bytes, absl::string_view source);

  CheckpointFormat format() const { return format_; }

  // Every tensor, in the order of the file.  The name is its place: the keys on the way to it,
  // joined by '/' ("model/module.conv1.weight", "optimizer/state/0/momentum_buffer"); in a
  // TorchScript archive the attributes, joined by '.'.  Views live as long as the checkpoint.
  const std::vector<TensorView>& tensors() const { return tensors_; }

  // Everything else that has a value, by its place: numbers and text as they print.
  const std::vector<std::pair<std::string, std::string>>& values() const { return values_; }

  // The network's state dict: what stands under "model", "state_dict" or "model_state" where there
  // is such a key, all tensors otherwise; without "module." where all names begin with it
  // (data-parallel training leaves it there).
  std::vector<TensorView> Weights() const;

 private:
  friend class CheckpointBuilder;

  CheckpointFormat format_ = CheckpointFormat::kSafetensors;
  // What the views point into.
  std::shared_ptr<const std::string> bytes_;
  std::shared_ptr<const std::map<std::string, std::string>> members_;
  std::shared_ptr<std::deque<std::string>> gathered_;
  std::shared_ptr<const Safetensors> safetensors_;
  std::vector<TensorView> tensors_;
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_CHECKPOINT_H_
