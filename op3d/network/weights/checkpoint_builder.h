// From a pickle's values and the file's storages to a checkpoint's tensors.  Only for checkpoint.cc
// and the formats.  Torch-free.
#ifndef OP3D_NETWORK_WEIGHTS_CHECKPOINT_BUILDER_H_
#define OP3D_NETWORK_WEIGHTS_CHECKPOINT_BUILDER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/network/weights/checkpoint.h"
#include "op3d/network/weights/pickle.h"
#include "op3d/network/weights/stored_tensor.h"

namespace op3d {

// ('storage', class, key, location, elements[, slice]): how the pickles of zip and stream refer to
// a storage.
struct StorageReference {
  std::string key;
  DType dtype = DType::kF32;
  int64_t elements = 0;
  // Part of the storage under `key`.
  bool sliced = false;
  int64_t slice_offset = 0;
  int64_t slice_elements = 0;
};
absl::StatusOr<StorageReference> ToStorageReference(const PickleValue& identifier);

class CheckpointBuilder {
 public:
  // `file_bytes`: no tensor may become larger than the file it comes from.
  CheckpointBuilder(size_t file_bytes, Checkpoint* checkpoint);

  void SetFormat(CheckpointFormat format) { checkpoint_->format_ = format; }

  // Walks from `root` through dictionaries and lists; objects are not read.  `find` returns the
  // storage for a reference.  Errors name the path.
  using FindStorage = std::function<absl::StatusOr<Storage>(const StorageReference&)>;
  absl::Status Build(const PickleValue& root, const FindStorage& find);

  // The same for the tar format, where a persistent identifier is a whole tensor's key.
  using FindTensor = std::function<absl::StatusOr<StoredTensor>(absl::string_view key)>;
  absl::Status BuildFromTensors(const PickleValue& root, const FindTensor& find);

 private:
  absl::Status Walk(const PickleValue& value, const std::string& place, int depth);
  absl::Status WalkDict(const std::vector<PickleValue*>& items, const std::string& place,
                        int depth);
  absl::Status WalkCall(const PickleValue& call, const std::string& place, int depth);
  // A tensor, or a parameter made from one, given the function `callee` and its arguments.
  absl::Status WalkTensor(const PickleValue& callee, const std::vector<PickleValue*>& arguments,
                          const std::string& place, int depth);
  // Records an object that only its own code can read.
  absl::Status LeaveAside(const std::string& place, const std::string& what);
  absl::StatusOr<StoredTensor> Rebuild(const std::vector<PickleValue*>& parts) const;
  absl::Status AddTensor(const StoredTensor& tensor, const std::string& place);
  std::string Join(const std::string& place, absl::string_view key) const;

  const size_t file_bytes_;
  Checkpoint* const checkpoint_;
  FindStorage find_storage_;
  FindTensor find_tensor_;
  int64_t visited_ = 0;
  int64_t gathered_bytes_ = 0;
};

// The formats: five pickles in a row and raw storages; members sys_info, pickle, tensors, storages.
absl::Status BuildFromStream(absl::string_view bytes, CheckpointBuilder* builder);
absl::Status BuildFromTar(const std::map<std::string, std::string>& members,
                          CheckpointBuilder* builder);

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_CHECKPOINT_BUILDER_H_
