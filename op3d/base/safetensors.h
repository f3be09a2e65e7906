// Named tensors in a file, in the safetensors format: 8 bytes of header length, a JSON header, the
// numbers.  No code in the file, no pickle; any language reads it.
//
//   OP3D_ASSIGN_OR_RETURN(Safetensors file, Safetensors::Read("weights.safetensors"));
//   const TensorView* weight = file.Find("conv1.weight");       // [64, 3, 4, 7, 7]
//
// Source of the format: github.com/huggingface/safetensors, section "Format".
#ifndef OP3D_BASE_SAFETENSORS_H_
#define OP3D_BASE_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// The element types that checkpoints use.  In a file: "F16", "BF16", "F32", "F64", "I64", "U8",
// "I32", "BOOL" (one byte each).
enum class DType { kF16, kBF16, kF32, kF64, kI64, kU8, kI32, kBool };

// "F32" ...
absl::string_view DTypeName(DType dtype);
// Bytes of one element.
int64_t DTypeSize(DType dtype);

// One tensor; does not own `data`.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // empty: one number
  // Little-endian, row-major, exactly the shape's size.  Not necessarily aligned: copy, don't cast.
  absl::string_view data;
};

// A parsed file; owns the bytes.  Immutable, so thread-safe; copies share the
// bytes, and every view lives as long as one of them.
class Safetensors {
 public:
  // NotFound or Internal if the file cannot be read; otherwise as Parse, with the path.
  static absl::StatusOr<Safetensors> Read(const std::string& path);

  // Strict: the tensors fill the data section without overlap or gap, each has the size that its
  // type and shape need, and no name occurs twice.  DataLoss if there are fewer bytes than the
  // header needs (a truncated file), InvalidArgument for everything else; both name `source`, the
  // tensor and the numbers.  Allocates in proportion to `bytes`, whatever the header claims.
  static absl::StatusOr<Safetensors> Parse(std::string bytes, absl::string_view source);

  // In the order of their position in the file.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  // Null if there is no tensor with that name.
  const TensorView* Find(absl::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // The bytes that were parsed.
  const std::string& bytes() const { return *bytes_; }

 private:
  std::shared_ptr<const std::string> bytes_;
  std::vector<TensorView> tensors_;
  std::map<std::string, size_t> by_name_;
  std::map<std::string, std::string> metadata_;
};

// The file's bytes; equal input gives equal bytes.  The header is padded with spaces so that the
// data starts at a multiple of 8, and the tensors are sorted by decreasing element size (otherwise
// in the given order), so that each one is aligned.  Write them with WriteFileAtomically.
// InvalidArgument: a duplicate name, or one that is not UTF-8; data whose size does not fit the
// shape.
absl::StatusOr<std::string> SerializeSafetensors(
    const std::vector<TensorView>& tensors, const std::map<std::string, std::string>& metadata);

// The same file without its metadata, for checksums of only the numbers; other `bytes` are returned
// unchanged.
std::string WithoutMetadata(std::string bytes);

}  // namespace op3d

#endif  // OP3D_BASE_SAFETENSORS_H_
