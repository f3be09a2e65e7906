// Which videos belong together: a file with one line per video, its path or name first and its
// group last.
//
//   OP3D_ASSIGN_OR_RETURN(GroupList groups, GroupList::Parse(text, "scenes.txt"));
//   *groups.Find("serve/a 1.mp4");         // "12", of the line "serve/a 1.mp4 5 12"
//
// The separator is a space, a tab or a comma.  A whole number between path and group (a label) is
// ignored when only the path is compared.
#ifndef OP3D_DATA_ANNOTATION_GROUP_LIST_H_
#define OP3D_DATA_ANNOTATION_GROUP_LIST_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

// Thread-compatible.
class GroupList {
 public:
  // InvalidArgument, "`source`:line: ..." with the line: no group, a video with two different
  // groups, no line at all.
  static absl::StatusOr<GroupList> Parse(absl::string_view text, absl::string_view source);

  // The group of a video, by its path as a list writes it or by its name alone; file endings do not
  // count.  Null if no line names it, or if several groups are possible.
  const std::string* Find(absl::string_view path_or_name) const;

 private:
  struct Entry {
    // How exactly the line names the video; 0 = exactly as written.
    int distance = 0;
    // Empty: several groups are possible.
    std::string group;
  };
  absl::flat_hash_map<std::string, Entry> groups_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_GROUP_LIST_H_
