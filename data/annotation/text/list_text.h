// Shared by all list parsers: lines with their numbers, errors that show the line, names that
// may occur only once, and which dataset a list belongs to.
//
//   for (const ListLine& line : ListLines(text)) {
//     if (!Good(line.text)) return ListError(source, line, "a flag that is none", "name.avi flag");
//   }
#ifndef OP3D_DATA_ANNOTATION_TEXT_LIST_TEXT_H_
#define OP3D_DATA_ANNOTATION_TEXT_LIST_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

struct ListLine {
  // From 1.
  int64_t number = 0;
  // Without white space at its ends.
  absl::string_view text;
};

// `text` without a leading UTF-8 byte order mark.
absl::string_view WithoutByteOrderMark(absl::string_view text);

// The lines of `text` that are not blank, ended by LF or CRLF; a leading byte order mark is
// removed. They point into `text`.
std::vector<ListLine> ListLines(absl::string_view text);

// InvalidArgument: "`source`:12: `what` in 'the line'; expected `expected`".  A long line is cut.
absl::Status ListError(absl::string_view source, const ListLine& line, absl::string_view what,
                       absl::string_view expected);

// InvalidArgument for a list without a single row.
absl::Status EmptyListError(absl::string_view source, absl::string_view expected);

// `error`, and the dataset that `text` seems to belong to if that is not `dataset`.
absl::Status AnnotateWithOwner(const absl::Status& error, absl::string_view text,
                               absl::string_view dataset);

// The kind of list that `text` seems to be: "a list of UCF101 (Class/video.avi number)"; empty if
// it is none of the known ones.  Looks only at the first line.
std::string RecogniseList(absl::string_view text);

// Names that a list may contain only once.
class UniqueNames {
 public:
  // InvalidArgument with the earlier line if `name` was added before.
  absl::Status Add(absl::string_view name, absl::string_view source, const ListLine& line,
                   absl::string_view expected);

 private:
  absl::flat_hash_map<std::string, int64_t> lines_;
};

// The last part of a path, with and without its file ending: "a/b.c.avi" -> "b.c.avi", "b.c".
absl::string_view FileName(absl::string_view path);
absl::string_view WithoutEnding(absl::string_view name);

// `name` without all endings of video files (mp4, mkv, webm, avi, mov, m4v, 3gp, flv, ts, mpg,
// lmdb, packed, in any case): "a.mp4" and "a.MP4.mkv" are both "a", because downloaders append one
// ending to another.  Equal to `name` if that does not end as a video does ("a.mp4.part",
// ".mp4").
absl::string_view WithoutVideoEndings(absl::string_view name);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_TEXT_LIST_TEXT_H_
