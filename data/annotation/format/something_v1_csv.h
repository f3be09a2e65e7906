// The official lists of Something-Something V1: `id;label`, in a test list `id`.
//
//   OP3D_ASSIGN_OR_RETURN(auto videos, ParseSomethingV1Csv(text, "train.csv"));
//   // videos[0] = {"100218", "Something falling like a feather or paper", line 1}
#ifndef OP3D_DATA_ANNOTATION_FORMAT_SOMETHING_V1_CSV_H_
#define OP3D_DATA_ANNOTATION_FORMAT_SOMETHING_V1_CSV_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

struct SomethingV1Video {
  // The name of the folder of its frames.
  std::string id;
  // Empty in a test list, and in a row without an annotation.
  std::string label;
  int64_t line = 0;
};

// In the order of the list.  InvalidArgument, "`source`:line: ..." with the line: an id that is not
// a number, a video listed twice, no row.
absl::StatusOr<std::vector<SomethingV1Video>> ParseSomethingV1Csv(absl::string_view text,
                                                                  absl::string_view source);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_FORMAT_SOMETHING_V1_CSV_H_
