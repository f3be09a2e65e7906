#include "op3d/gpu/check/bit_difference.h"

#include <ATen/ATen.h>

#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace op3d::gpu {
namespace {

std::string Form(const at::Tensor& tensor) {
  return absl::StrCat(at::toString(tensor.scalar_type()), " [", absl::StrJoin(tensor.sizes(), ", "),
                      "]");
}

// The same bits as whole numbers.
at::Tensor Bits(const at::Tensor& numbers) {
  switch (numbers.element_size()) {
    case 1:
      return numbers.view(at::kByte);
    case 2:
      return numbers.view(at::kShort);
    case 4:
      return numbers.view(at::kInt);
    default:
      return numbers.view(at::kLong);
  }
}

std::string ValueText(const at::Tensor& number) {
  const int digits = number.scalar_type() == at::kDouble ? 17 : 9;
  return absl::StrFormat("%.*g", digits, number.to(at::kDouble).item<double>());
}

std::string BitsText(const at::Tensor& number) {
  const int bytes = static_cast<int>(number.element_size());
  uint64_t bits = 0;
  std::memcpy(&bits, number.const_data_ptr(), bytes);  // little-endian
  return absl::StrFormat(" (0x%0*x)", 2 * bytes, bits);
}

}  // namespace

std::string BitDifference(const at::Tensor& device, const at::Tensor& cpu) {
  if (!device.defined() || !cpu.defined()) {
    if (device.defined() == cpu.defined()) return "";
    return device.defined() ? "there is a tensor instead of none"
                            : "there is no tensor instead of one";
  }
  if (device.sizes() != cpu.sizes() || device.scalar_type() != cpu.scalar_type()) {
    return absl::StrCat(Form(device), " instead of ", Form(cpu));
  }
  const at::Tensor a = device.detach().cpu().contiguous().flatten();
  const at::Tensor b = cpu.detach().cpu().contiguous().flatten();
  if (std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0) return "";
  const at::Tensor places = Bits(a).ne(Bits(b)).nonzero().flatten();
  const int64_t first = places[0].item<int64_t>();
  const at::Tensor x = a[first], y = b[first];
  std::string text = absl::StrCat(places.numel(), " of ", a.numel(),
                                  " numbers differ, the first is number ", first, ": ");
  // Text alone does not tell 0 from -0, nor one not-a-number from another.
  const bool nans = x.ne(x).item<bool>() && y.ne(y).item<bool>();
  const bool alike = nans || ValueText(x) == ValueText(y);
  absl::StrAppend(&text, ValueText(x), alike ? BitsText(x) : "", " instead of ", ValueText(y),
                  alike ? BitsText(y) : "");
  const at::Tensor apart = (a.to(at::kDouble) - b.to(at::kDouble)).abs();
  absl::StrAppend(&text, "; by at most ", ValueText(apart.max().to(at::kFloat)));
  return text;
}

std::string BitDifferences(const std::vector<NamedPair>& pairs) {
  std::vector<std::string> texts;
  for (const NamedPair& pair : pairs) {
    const std::string difference = BitDifference(pair.device, pair.cpu);
    if (!difference.empty()) texts.push_back(absl::StrCat(pair.name, ": ", difference));
  }
  return absl::StrJoin(texts, "; ");
}

}  // namespace op3d::gpu
