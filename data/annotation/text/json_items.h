// The members of a JSON list or object one by one, each with the line in which it starts.  Only one
// member is in memory at a time.
//
//   OP3D_RETURN_IF_ERROR(ForEachJsonItem(text, "train.json", /*depth=*/1,
//       [&](const JsonItem& item) { return Use(item.value["id"], item.line); }));
#ifndef OP3D_DATA_ANNOTATION_TEXT_JSON_ITEMS_H_
#define OP3D_DATA_ANNOTATION_TEXT_JSON_ITEMS_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

struct JsonItem {
  // The `depth` keys that lead to the item; empty strings for lists.
  const std::vector<std::string>& keys;
  const nlohmann::json& value;
  // Where it starts, from 1.
  int64_t line = 0;
};

// Calls `use` for all values at level `depth` >= 1, in the order of the text: 1 = the
// members of the outermost list or object.  Values at other levels are skipped.
//
// InvalidArgument, "`source`:line: ...": no JSON.  An error of `use` stops the reading and is
// returned.
absl::Status ForEachJsonItem(absl::string_view text, absl::string_view source, int depth,
                             absl::FunctionRef<absl::Status(const JsonItem&)> use);

// InvalidArgument: "`source`:12: `what` in '{...}'; expected `expected`", with the item's text.
absl::Status JsonItemError(absl::string_view source, const JsonItem& item, absl::string_view what,
                           absl::string_view expected);

// A string or a whole number as text; empty for anything else.
std::string JsonText(const nlohmann::json& value);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_TEXT_JSON_ITEMS_H_
