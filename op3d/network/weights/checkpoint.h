// Files of weights: PyTorch's .pth in its three formats (zip, stream, tar), TorchScript
// archives and safetensors, recognised by their content.  No code in a file is ever run.
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
#include "absl/types/span.h"
#include "op3d/base/safetensors.h"

namespace op3d {

enum class CheckpointFormat { kSafetensors, kZip, kStream, kTar, kTorchScript };

// "safetensors", "zip", "stream", "tar", "torchscript".
absl::string_view FormatName(CheckpointFormat format);

// Immutable; safe to share between threads.
class Checkpoint {
 public:
  // NotFound or Internal if the file cannot be read; otherwise as Parse.
  static absl::StatusOr<Checkpoint> Read(const std::string& path);

  // InvalidArgument for bytes of no known format, a pickle with an opcode that no weights need or a
  // function that only an attack calls (naming it), a view that leaves its storage, a compressed
  // archive, a big-endian file; DataLoss for a truncated or damaged file.  Messages begin with
  // `source`.  Needs at most a small multiple of the bytes' size, whatever the file claims.
  static absl::StatusOr<Checkpoint> Parse(std::string bytes, absl::string_view source);

  CheckpointFormat format() const { return format_; }

  // Every tensor, in the order of the file.  The name is its path: the keys that lead to it,
  // joined by '/' ("model/module.conv1.weight", "optimizer/state/0/momentum_buffer"); in a
  // TorchScript archive the attributes, joined by '.'.  Views live as long as the checkpoint.
  const std::vector<TensorView>& tensors() const { return tensors_; }

  // Everything else that has a value, by its path: numbers and text in printed form.
  const std::vector<std::pair<std::string, std::string>>& values() const { return values_; }

  // Objects that only their own code can read, and tensors of unsupported types:
  // their paths (empty: the whole file) and classes ("argparse.Namespace").
  const std::vector<std::pair<std::string, std::string>>& left_aside() const { return left_aside_; }

  // The state dict, for callers that do not know the network (otherwise use WeightsOf of
  // weights_import.h): what is under "model", "state_dict" or another usual key if there is
  // one, otherwise all tensors; without "module.", "_orig_mod.", "model." and other usual prefixes
  // that all names share.
  std::vector<TensorView> Weights() const;

 private:
  friend class CheckpointBuilder;

  CheckpointFormat format_ = CheckpointFormat::kSafetensors;
  // The memory to which the views point.
  std::shared_ptr<const std::string> bytes_;
  std::shared_ptr<const std::map<std::string, std::string>> members_;
  std::shared_ptr<std::deque<std::string>> gathered_;
  std::shared_ptr<const Safetensors> safetensors_;
  std::vector<TensorView> tensors_;
  std::vector<std::pair<std::string, std::string>> values_;
  std::vector<std::pair<std::string, std::string>> left_aside_;
};

// The usual keys of a state dict in training programs' files, most usual first; if a file has
// several of them, the first holds the weights.
absl::Span<const char* const> UsualWeightKeys();

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_CHECKPOINT_H_
