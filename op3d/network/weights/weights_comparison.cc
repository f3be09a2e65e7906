#include "op3d/network/weights/weights_comparison.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace op3d {
namespace {

template <typename T>
T At(const TensorView& tensor, int64_t index) {
  T value;
  std::memcpy(&value, tensor.data.data() + index * sizeof(T), sizeof(T));
  return value;
}

double HalfToDouble(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const double mantissa = bits & 1023;
  double value =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  if (exponent == 31) {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  }
  return bits >> 15 ? -value : value;
}

double BFloat16ToDouble(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

double Number(const TensorView& tensor, int64_t index) {
  switch (tensor.dtype) {
    case DType::kF16:
      return HalfToDouble(At<uint16_t>(tensor, index));
    case DType::kBF16:
      return BFloat16ToDouble(At<uint16_t>(tensor, index));
    case DType::kF32:
      return At<float>(tensor, index);
    case DType::kF64:
      return At<double>(tensor, index);
    case DType::kI64:
      return static_cast<double>(At<int64_t>(tensor, index));
    case DType::kI32:
      return At<int32_t>(tensor, index);
    case DType::kU8:
    case DType::kBool:
      return At<uint8_t>(tensor, index);
  }
  return 0;
}

// Empty if the two are equal.
std::string Difference(const TensorView& a, const TensorView& b, double tolerance) {
  const auto shape = [](const TensorView& tensor) {
    return absl::StrCat(DTypeName(tensor.dtype), " [", absl::StrJoin(tensor.shape, ", "), "]");
  };
  if (a.dtype != b.dtype || a.shape != b.shape) return absl::StrCat(shape(a), " and ", shape(b));
  if (a.data == b.data) return "";
  double worst = -1;
  int64_t place = 0;
  const int64_t count = static_cast<int64_t>(a.data.size()) / DTypeSize(a.dtype);
  for (int64_t i = 0; i < count; ++i) {
    const double x = Number(a, i), y = Number(b, i);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double difference =
        std::isnan(x - y) ? std::numeric_limits<double>::infinity() : std::abs(x - y);
    if (difference > worst) {
      worst = difference;
      place = i;
    }
  }
  if (worst < 0) return tolerance > 0 ? "" : "other bits of equal numbers (0 and -0, or NaNs)";
  if (worst <= tolerance) return "";
  return absl::StrCat("largest difference ", worst, " at element ", place, ": ", Number(a, place),
                      " and ", Number(b, place));
}

}  // namespace

WeightsComparison CompareWeights(const std::vector<TensorView>& a, const std::vector<TensorView>& b,
                                 double tolerance) {
  std::map<std::string, std::pair<const TensorView*, const TensorView*>> by_name;
  for (const TensorView& tensor : a) by_name[tensor.name].first = &tensor;
  for (const TensorView& tensor : b) by_name[tensor.name].second = &tensor;
  WeightsComparison comparison;
  comparison.compared = static_cast<int>(by_name.size());
  for (const auto& [name, pair] : by_name) {
    std::string text;
    if (pair.second == nullptr) {
      text = "only in the first";
    } else if (pair.first == nullptr) {
      text = "only in the second";
    } else {
      text = Difference(*pair.first, *pair.second, tolerance);
    }
    if (!text.empty()) comparison.differences.push_back({name, text});
  }
  return comparison;
}

}  // namespace op3d
