// The official lists of HMDB51: one file per class and split, `name.avi flag`.
//
//   OP3D_ASSIGN_OR_RETURN(auto videos, ParseHmdb51List(text, "wave_test_split1.txt", "wave"));
//   // videos[0] = {"21_wave_u_nm_np1_fr_goo_5", "21", flag 1, line 2}
#ifndef OP3D_DATA_ANNOTATION_FORMAT_HMDB51_LIST_H_
#define OP3D_DATA_ANNOTATION_FORMAT_HMDB51_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

struct Hmdb51Video {
  // The file's name without its ending.
  std::string name;
  // The video from which the clip is cut: the name up to the class.  Clips of one source look
  // alike; the official splits keep them together.  The whole name if it does not contain the
  // class.
  std::string source_video;
  // 1 = training, 2 = test, 0 = in neither.
  int flag = 0;
  int64_t line = 0;
};

// In the order of the list.  `label` is the list's class.  InvalidArgument, "`source`:line: ..."
// with the line: a missing or unknown flag, no .avi, a video listed twice, no row.
absl::StatusOr<std::vector<Hmdb51Video>> ParseHmdb51List(absl::string_view text,
                                                         absl::string_view source,
                                                         absl::string_view label);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_FORMAT_HMDB51_LIST_H_
