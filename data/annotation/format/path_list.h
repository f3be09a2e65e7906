// The list formats that most training programs share: `path label` or `path frames label`.
//
//   OP3D_ASSIGN_OR_RETURN(auto videos, ParsePathList(text, "val.txt", PathListForm::kFramesLabel));
//   // videos[0] = {"air drumming/aaa.mp4", frames 250, label 1, line 1}
//
// Lines are read from the right, because paths may contain spaces.  The separator is a space, a tab
// or a comma, the same before each number.  A test list has only paths.
#ifndef OP3D_DATA_ANNOTATION_FORMAT_PATH_LIST_H_
#define OP3D_DATA_ANNOTATION_FORMAT_PATH_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

enum class PathListForm { kLabel, kFramesLabel };

struct PathVideo {
  std::string path;
  // The number in the list; 0 if it has none.
  int64_t frames = 0;
  // From 0; -1 in a test list.
  int64_t label = -1;
  int64_t line = 0;
};

// In the order of the list; a video may be listed several times.  If all lines end as video files
// do, it is a test list.  InvalidArgument, "`source`:line: ..." with the line: a number
// that is missing, negative or above 2^31 - 1, no path, no row.
absl::StatusOr<std::vector<PathVideo>> ParsePathList(absl::string_view text,
                                                     absl::string_view source, PathListForm form);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_FORMAT_PATH_LIST_H_
