// Range checks of settings, flags and requests, with one form of message.
//
//   OP3D_RETURN_IF_ERROR(RequireAtLeast("search.rule.max_epochs", epochs, 1));
//   OP3D_RETURN_IF_ERROR(RequireIn("transform.hue", hue, 0, 0.5));
//   OP3D_RETURN_IF_ERROR(Require(rate > 0, "learning_rate", rate, "above 0"));
//   // transform.hue is 0.6; it must be in [0, 0.5]
#ifndef OP3D_BASE_REQUIRE_H_
#define OP3D_BASE_REQUIRE_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace op3d {

// OK where `holds`; else InvalidArgument "<field> is <value>; it must be <limits>".  `field` is the
// path of a setting or a flag with its dashes; `limits` may end with what to do ("at least 1, or 0
// for the default").
absl::Status Require(bool holds, absl::string_view field, const absl::AlphaNum& value,
                     absl::string_view limits);

// value >= least, which a NaN is not.
template <typename Value, typename Least>
absl::Status RequireAtLeast(absl::string_view field, Value value, Least least) {
  return value >= least ? absl::OkStatus()
                        : Require(false, field, value, absl::StrCat("at least ", least));
}

// least <= value <= most.
template <typename Value, typename Least, typename Most>
absl::Status RequireIn(absl::string_view field, Value value, Least least, Most most) {
  return value >= least && value <= most
             ? absl::OkStatus()
             : Require(false, field, value, absl::StrCat("in [", least, ", ", most, "]"));
}

}  // namespace op3d

#endif  // OP3D_BASE_REQUIRE_H_
