// The rows of a list of any format, before labels become numbers.  A new format is added here.
#ifndef OP3D_DATA_ANNOTATION_LIST_ROWS_H_
#define OP3D_DATA_ANNOTATION_LIST_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/listed_video.h"
#include "data/datasets/dataset.pb.h"

namespace op3d::data {

struct ListRow {
  // Everything except the label.
  ListedVideo video;
  // The class by name; empty if the list has no names.
  std::string label;
  // The class by number from 0; -1 if the list has no numbers.
  int64_t number = -1;
  // The part of the list to which it belongs; empty in lists with one part.
  std::string part;
  // The file that contains it, for messages.
  std::string file;
};

// All rows of the list `path`, whatever their part.  For HMDB51_LISTS `path` is a pattern with one
// '*' in the last name.  Errors of the parsers; NotFound if there is no such list;
// InvalidArgument for an unknown format.
absl::StatusOr<std::vector<ListRow>> ReadListRows(DatasetSettings::Format format,
                                                  const std::string& path);

// The files that match a pattern with one '*' in its last name, each with the text that the '*'
// matches, sorted by that text; empty if there are none.
struct PatternFile {
  std::string star;
  std::string path;
};
std::vector<PatternFile> ExpandPattern(const std::string& pattern);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_LIST_ROWS_H_
