// Checks for the fuzz targets of all list parsers, in addition to "it does not crash".
#ifndef OP3D_DATA_ANNOTATION_TESTING_LIST_FUZZ_H_
#define OP3D_DATA_ANNOTATION_TESTING_LIST_FUZZ_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

constexpr char kFuzzedList[] = "list";

inline absl::string_view FuzzedText(const uint8_t* data, size_t size) {
  return size == 0 ? "" : absl::string_view(reinterpret_cast<const char*>(data), size);
}

// Aborts unless `parsed` is an error that names the list, or has at least one row and `is_whole`
// is true for every row.
template <typename Rows, typename IsWhole>
void CheckParsed(const absl::StatusOr<Rows>& parsed, IsWhole is_whole) {
  if (!parsed.ok()) {
    if (!absl::IsInvalidArgument(parsed.status()) ||
        !absl::StartsWith(parsed.status().message(), kFuzzedList)) {
      std::abort();
    }
    return;
  }
  if (parsed->empty() || !std::all_of(parsed->begin(), parsed->end(), is_whole)) std::abort();
}

// Whether `line` is the number of a line of `text`.
inline bool IsLineOf(absl::string_view text, int64_t line) {
  return line >= 1 && line <= 1 + std::count(text.begin(), text.end(), '\n');
}

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_TESTING_LIST_FUZZ_H_
