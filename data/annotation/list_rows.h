// The rows of a list of any format, before labels are numbers: the place where a new format is
// added.
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
  // All but the label.
  ListedVideo video;
  // The class by name; empty when the list has none.
  std::string label;
  // The class by number from 0; -1 when the list has none.
  int64_t number = -1;
  // Which part of the list it belongs to; empty in lists of one part.
  std::string part;
  // The file that it stands in, for messages.
  std::string file;
};

// All rows of the list `path`, whatever their part.  For HMDB51_LISTS `path` is a pattern with one
// '*' in the last name.  Errors of the parsers; NotFound when there is no such list;
// InvalidArgument for an unknown format.
absl::StatusOr<std::vector<ListRow>> ReadListRows(DatasetSettings::Format format,
                                                  const std::string& path);

// The files that a pattern with one '*' in its last name means, each with what the '*' stands for,
// sorted by that; none when there are none.
struct PatternFile {
  std::string star;
  std::string path;
};
std::vector<PatternFile> ExpandPattern(const std::string& pattern);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_LIST_ROWS_H_
