// The official lists of UCF101: `Class/v_Class_g08_c01.avi 1`; a test list has no number.
//
//   OP3D_ASSIGN_OR_RETURN(auto videos, ParseUcf101List(text, "trainlist01.txt"));
//   // videos[0] = {"v_ApplyEyeMakeup_g08_c01", "ApplyEyeMakeup", "g08", number 1, line 1}
#ifndef OP3D_DATA_ANNOTATION_FORMAT_UCF101_LIST_H_
#define OP3D_DATA_ANNOTATION_FORMAT_UCF101_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

struct Ucf101Video {
  // The file's name without its ending.
  std::string name;
  // The folder before it.
  std::string label;
  // Clips of one group are cut from one longer video and look alike; the official splits keep
  // groups together.  Empty if the name contains no group.
  std::string group;
  // The class's number in classInd.txt, from 1; 0 in a test list.
  int64_t number = 0;
  int64_t line = 0;
};

// In the order of the list.  InvalidArgument, "`source`:line: ..." with the line: no class folder,
// a word after the path that is not a number >= 1, a video listed twice, no row.
absl::StatusOr<std::vector<Ucf101Video>> ParseUcf101List(absl::string_view text,
                                                         absl::string_view source);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_FORMAT_UCF101_LIST_H_
