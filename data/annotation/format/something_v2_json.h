// The official lists of Something-Something V2: a JSON list of {id, template, ...}.
//
//   OP3D_ASSIGN_OR_RETURN(auto videos, ParseSomethingV2Json(text, "train.json"));
//   // videos[0] = {"78687", "Holding something next to something", line 1}
#ifndef OP3D_DATA_ANNOTATION_FORMAT_SOMETHING_V2_JSON_H_
#define OP3D_DATA_ANNOTATION_FORMAT_SOMETHING_V2_JSON_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

struct SomethingV2Video {
  // The file's name, without its ending.
  std::string id;
  // The template without the brackets around the part that differs from video to video: "Holding
  // [something] next to [something]" is the class "Holding something next to something".  Empty in
  // a test list, and in an entry without an annotation.
  std::string label;
  int64_t line = 0;
};

// In the order of the list.  InvalidArgument, "`source`:line: ..." with the entry: no JSON list, an
// entry without an id (a number, also as text), a template with nothing but brackets, a video
// listed twice, no entry.
absl::StatusOr<std::vector<SomethingV2Video>> ParseSomethingV2Json(absl::string_view text,
                                                                   absl::string_view source);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_FORMAT_SOMETHING_V2_JSON_H_
