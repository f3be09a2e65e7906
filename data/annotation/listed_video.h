// A row of any dataset's list.
#ifndef OP3D_DATA_ANNOTATION_LISTED_VIDEO_H_
#define OP3D_DATA_ANNOTATION_LISTED_VIDEO_H_

#include <cstdint>
#include <string>

namespace op3d::data {

struct ListedVideo {
  // As the list has it, without a file ending; of a list of paths the path, as it stands there:
  // "drinking/1.mp4" and "lecture/1.mp4" are two videos.
  std::string name;
  // Index in DatasetList::classes; -1 when the list has no labels.
  int64_t label = -1;
  // Another name that copies give the file; empty for most.
  std::string other_name;
  // The file as the list has it, below the media folder; empty when the list gives names alone.
  std::string path;
  // What it was cut from: videos of one group look alike and belong on the same side of a split.
  // Empty when the list does not tell.
  std::string group;
  // In the list's file, from 1.
  int64_t line = 0;
  // Index in DatasetList::files.
  int32_t file = 0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_LISTED_VIDEO_H_
