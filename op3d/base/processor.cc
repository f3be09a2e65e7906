#include "op3d/base/processor.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace op3d {
namespace {

int NumberOf(absl::string_view text) {
  int number = -1;
  return absl::SimpleAtoi(text, &number) ? number : -1;
}

}  // namespace

bool Processor::Has(absl::string_view flag) const {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

std::string Processor::Description() const {
  std::vector<std::string> parts;
  if (!vendor.empty()) parts.push_back(vendor);
  if (family >= 0) parts.push_back(absl::StrCat("family ", family));
  if (model >= 0) parts.push_back(absl::StrCat("model ", model));
  if (stepping >= 0) parts.push_back(absl::StrCat("stepping ", stepping));
  const std::string numbers = absl::StrJoin(parts, ", ");
  if (model_name.empty() || numbers.empty()) return absl::StrCat(model_name, numbers);
  return absl::StrCat(model_name, " (", numbers, ")");
}

std::vector<std::string> Processor::ArithmeticFlags() const {
  std::vector<std::string> found;
  for (const std::string& flag : flags) {
    if (flag == "sse4_1" || flag == "sse4_2" || flag == "fma" || flag == "fma4" || flag == "f16c" ||
        absl::StartsWith(flag, "avx") || absl::StartsWith(flag, "amx")) {
      found.push_back(flag);
    }
  }
  return found;
}

Processor ParseCpuinfo(absl::string_view cpuinfo) {
  Processor processor;
  for (const absl::string_view line : absl::StrSplit(cpuinfo, '\n')) {
    const std::vector<absl::string_view> sides = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (sides.size() != 2) continue;
    const absl::string_view name = absl::StripAsciiWhitespace(sides[0]);
    const absl::string_view value = absl::StripAsciiWhitespace(sides[1]);
    if (name == "processor" && NumberOf(value) > 0) break;
    if (name == "vendor_id") processor.vendor = std::string(value);
    if (name == "model name") processor.model_name = std::string(value);
    if (name == "cpu family") processor.family = NumberOf(value);
    if (name == "model") processor.model = NumberOf(value);
    if (name == "stepping") processor.stepping = NumberOf(value);
    if (name == "flags") processor.flags = absl::StrSplit(value, ' ', absl::SkipEmpty());
  }
  return processor;
}

}  // namespace op3d
