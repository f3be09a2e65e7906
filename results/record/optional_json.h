// Values that may be unknown, as JSON.
//
//   json["top1"] = OrNull(top1);     // null if it is not known
#ifndef OP3D_RESULTS_RECORD_OPTIONAL_JSON_H_
#define OP3D_RESULTS_RECORD_OPTIONAL_JSON_H_

#include <nlohmann/json.hpp>
#include <optional>

namespace op3d::results {

template <typename T>
nlohmann::ordered_json OrNull(const std::optional<T>& value) {
  return value.has_value() ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_OPTIONAL_JSON_H_
