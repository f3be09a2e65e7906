// Which videos belong together: a file with a line a video, its path or name first and its group
// last.
//
//   OP3D_ASSIGN_OR_RETURN(GroupList groups, GroupList::Parse(text, "scenes.txt"));
//   *groups.Find("serve/a 1.mp4");         // "12", of the line "serve/a 1.mp4 5 12"
//
// The separator is a space, a tab or a comma.  A whole number between path and group (a label) is
// passed over where the path alone is what is looked for.
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
  // InvalidArgument, "`source`:line: ..." with the line: no group, a video twice with different
  // groups, no line at all.
  static absl::StatusOr<GroupList> Parse(absl::string_view text, absl::string_view source);

  // The group of a video by its path as a list has it, or by its name alone; file endings do not
  // count.  Null when no line names it, or when several groups may be meant.
  const std::string* Find(absl::string_view path_or_name) const;

 private:
  struct Entry {
    // How closely the line names the video; 0 = as it stands there.
    int distance = 0;
    // Empty: several.
    std::string group;
  };
  absl::flat_hash_map<std::string, Entry> groups_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_GROUP_LIST_H_
