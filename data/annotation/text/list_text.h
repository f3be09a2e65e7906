// What all parsers of lists share: lines with their numbers, errors that show the line, names that
// must not come twice, and whose list a text is.
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

// `text` without the UTF-8 byte order mark it may start with.
absl::string_view WithoutByteOrderMark(absl::string_view text);

// The lines of `text` that are not blank: ended by LF or CRLF, a byte order mark in front or not.
// They point into `text`.
std::vector<ListLine> ListLines(absl::string_view text);

// InvalidArgument: "`source`:12: `what` in 'the line'; expected `expected`".  A long line is cut.
absl::Status ListError(absl::string_view source, const ListLine& line, absl::string_view what,
                       absl::string_view expected);

// InvalidArgument for a list without a single row.
absl::Status EmptyListError(absl::string_view source, absl::string_view expected);

// `error`, and whose list `text` looks like when that is another one than `dataset`'s.
absl::Status AnnotateWithOwner(const absl::Status& error, absl::string_view text,
                               absl::string_view dataset);

// Whose list `text` looks like: "a list of UCF101 (Class/video.avi number)"; empty when it is like
// none that is known.  Looks at the first line.
std::string RecogniseList(absl::string_view text);

// Names that a list may hold once.
class UniqueNames {
 public:
  // InvalidArgument that names the earlier line when `name` was there before.
  absl::Status Add(absl::string_view name, absl::string_view source, const ListLine& line,
                   absl::string_view expected);

 private:
  absl::flat_hash_map<std::string, int64_t> lines_;
};

// The last part of a path, and that without its file ending: "a/b.c.avi" -> "b.c.avi", "b.c".
absl::string_view FileName(absl::string_view path);
absl::string_view WithoutEnding(absl::string_view name);

// `name` without all endings of video files (mp4, mkv, webm, avi, mov, m4v, 3gp, flv, ts, mpg,
// lmdb, in small letters or not): "a.mp4" and "a.MP4.mkv" are both "a", as downloaders put one
// ending after another.  Equal to `name` when that does not end as a video does ("a.mp4.part",
// ".mp4").
absl::string_view WithoutVideoEndings(absl::string_view name);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_TEXT_LIST_TEXT_H_
