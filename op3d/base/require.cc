#include "op3d/base/require.h"

namespace op3d {

absl::Status Require(bool holds, absl::string_view field, const absl::AlphaNum& value,
                     absl::string_view limits) {
  if (holds) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, "; it must be ", limits));
}

}  // namespace op3d
