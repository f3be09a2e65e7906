#include "results/compare/scores_comparison.h"

#include <cmath>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"

namespace op3d::results {
namespace {

bool IsFloating(DType dtype) {
  return dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF32 ||
         dtype == DType::kF64;
}

template <typename T>
T Read(const TensorView& tensor, int64_t index) {
  T value;
  std::memcpy(&value, tensor.data.data() + index * sizeof(T), sizeof(T));
  return value;
}

// IEEE 754 half precision.
double HalfToDouble(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F, fraction = bits & 0x3FF;
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 0x1F) return fraction == 0 ? sign * HUGE_VAL : std::nan("");
  return sign * std::ldexp(0x400 | fraction, exponent - 25);
}

double FloatingAt(const TensorView& tensor, int64_t index) {
  switch (tensor.dtype) {
    case DType::kF16:
      return HalfToDouble(Read<uint16_t>(tensor, index));
    case DType::kBF16: {
      const uint32_t bits = uint32_t{Read<uint16_t>(tensor, index)} << 16;
      float value;
      std::memcpy(&value, &bits, sizeof(value));
      return value;
    }
    case DType::kF32:
      return Read<float>(tensor, index);
    default:
      return Read<double>(tensor, index);
  }
}

bool SameBytes(const TensorView& a, const TensorView& b, int64_t index) {
  const int64_t size = DTypeSize(a.dtype);
  return std::memcmp(a.data.data() + index * size, b.data.data() + index * size, size) == 0;
}

std::string NumberText(const TensorView& tensor, int64_t index) {
  if (IsFloating(tensor.dtype)) return absl::StrFormat("%.9g", FloatingAt(tensor, index));
  switch (tensor.dtype) {
    case DType::kI64:
      return absl::StrCat(Read<int64_t>(tensor, index));
    case DType::kI32:
      return absl::StrCat(Read<int32_t>(tensor, index));
    default:
      return absl::StrCat(static_cast<int>(Read<uint8_t>(tensor, index)));
  }
}

// "[3, 0, 7]": the position of entry `index`.
std::string PositionText(const std::vector<int64_t>& shape, int64_t index) {
  std::vector<int64_t> position(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    position[i] = index % shape[i];
    index /= shape[i];
  }
  return absl::StrCat("[", absl::StrJoin(position, ", "), "]");
}

std::string LayoutText(const TensorView& tensor) {
  return absl::StrCat(DTypeName(tensor.dtype), " [", absl::StrJoin(tensor.shape, ", "), "]");
}

// One difference per tensor: the number of different values, and the largest difference.
void CompareTensor(const TensorView& a, const TensorView& b, const std::string& file,
                   const ComparisonOptions& options, ScoresComparison* comparison) {
  const std::string place = absl::StrCat(file, " > tensor '", a.name, "'");
  if (a.dtype != b.dtype || a.shape != b.shape) {
    comparison->differences.push_back({place, LayoutText(a), LayoutText(b), "type or shape"});
    return;
  }
  const int64_t count = static_cast<int64_t>(a.data.size()) / DTypeSize(a.dtype);
  const bool floating = IsFloating(a.dtype);
  const double allowed = floating && !options.exact ? options.score_tolerance : 0;
  int64_t differing = 0, worst = 0;
  double largest = -1;
  for (int64_t i = 0; i < count; ++i) {
    if (SameBytes(a, b, i)) continue;
    double distance = floating ? std::fabs(FloatingAt(a, i) - FloatingAt(b, i)) : HUGE_VAL;
    if (std::isnan(distance)) distance = HUGE_VAL;  // a number against none
    if (floating && !options.exact && distance <= allowed) continue;
    ++differing;
    if (distance > largest) largest = distance, worst = i;
  }
  comparison->numbers += count;
  if (differing == 0) return;
  std::string note = absl::StrCat("at ", PositionText(a.shape, worst), "; ", differing, " of ",
                                  count, " numbers differ");
  if (floating) {
    absl::StrAppend(&note, absl::StrFormat(" by up to %.4g, allowed %.4g", largest, allowed));
  }
  comparison->differences.push_back({place, NumberText(a, worst), NumberText(b, worst), note});
}

}  // namespace

absl::StatusOr<ScoresComparison> CompareScores(const std::string& path_a, const std::string& path_b,
                                               const ComparisonOptions& options) {
  OP3D_ASSIGN_OR_RETURN(std::string bytes_a, ReadFile(path_a));
  OP3D_ASSIGN_OR_RETURN(std::string bytes_b, ReadFile(path_b));
  // Only files of newer runs contain the names of videos and classes.
  const bool same_bytes = WithoutMetadata(bytes_a) == WithoutMetadata(bytes_b);
  OP3D_ASSIGN_OR_RETURN(const Safetensors a, Safetensors::Parse(std::move(bytes_a), path_a));
  OP3D_ASSIGN_OR_RETURN(const Safetensors b, Safetensors::Parse(std::move(bytes_b), path_b));
  const std::string file = std::filesystem::path(path_a).filename().string();
  ScoresComparison comparison;
  for (const TensorView& tensor : a.tensors()) {
    const TensorView* twin = b.Find(tensor.name);
    if (twin != nullptr) {
      CompareTensor(tensor, *twin, file, options, &comparison);
    } else {
      comparison.differences.push_back({absl::StrCat(file, " > tensor '", tensor.name, "'"),
                                        LayoutText(tensor), "", "only in A"});
    }
  }
  for (const TensorView& tensor : b.tensors()) {
    if (a.Find(tensor.name) != nullptr) continue;
    comparison.differences.push_back(
        {absl::StrCat(file, " > tensor '", tensor.name, "'"), "", LayoutText(tensor), "only in B"});
  }
  const bool same_names =
      a.metadata().empty() || b.metadata().empty() || a.metadata() == b.metadata();
  if (options.exact && (!same_bytes || !same_names) && comparison.differences.empty()) {
    comparison.differences.push_back(
        {file, "", "", "equal tensors, but other bytes (metadata or order)"});
  }
  return comparison;
}

}  // namespace op3d::results
