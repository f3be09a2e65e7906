// A row of any dataset's list.
#ifndef OP3D_DATA_ANNOTATION_LISTED_VIDEO_H_
#define OP3D_DATA_ANNOTATION_LISTED_VIDEO_H_

#include <cstdint>
#include <string>

namespace op3d::data {

struct ListedVideo {
  // The name in the list, without a file ending; in a list of paths the path as written:
  // "drinking/1.mp4" and "lecture/1.mp4" are two videos.
  std::string name;
  // Index in DatasetList::classes; -1 if the list has no labels.
  int64_t label = -1;
  // Another name that copies give the file; empty for most.
  std::string other_name;
  // The path in the list, below the media folder; empty if the list only has names.
  std::string path;
  // The video from which it was cut: videos of one group look alike and belong on the same side of
  // a split.  Empty if the list does not say.
  std::string group;
  // The line in the list's file, from 1.
  int64_t line = 0;
  // Index in DatasetList::files.
  int32_t file = 0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_LISTED_VIDEO_H_
