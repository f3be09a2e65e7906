// Which videos lie in a folder and in its sub-folders, by name.
//
//   OP3D_ASSIGN_OR_RETURN(MediaIndex media, MediaIndex::Scan("kinetics400/val", names));
//   const std::string* path = media.Find("0wR5jVB-WPk_000417_000427", "abseiling");
//
// Lists folders instead of asking for each file: 20,000 names in milliseconds.
#ifndef DATA_ANNOTATION_MEDIA_INDEX_H_
#define DATA_ANNOTATION_MEDIA_INDEX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace op3d {

// The endings of video files, in small letters: "mp4", "mkv", ...
absl::Span<const absl::string_view> VideoEndings();

class MediaIndex {
 public:
  // Looks at `folder` and one folder below it.  A video is a file that ends in mp4, mkv, webm, avi,
  // mov, m4v, 3gp, flv, ts, mpg or lmdb, or a folder called as one of `names` (its frames, or an
  // LMDB of them, with or without the ending lmdb); other folders are class folders.  NotFound when
  // there is no such folder.
  static absl::StatusOr<MediaIndex> Scan(const std::string& folder,
                                         const absl::flat_hash_set<std::string>& names);

  // The path of the video `name` (without its ending); null when there is none.  Of several, the
  // one in the folder named as `label`, spaces or underscores, in small letters or not; else the
  // first in alphabetical order.  Valid as long as the index.
  const std::string* Find(absl::string_view name, absl::string_view label) const;
  // The same for a list that names the video's folder: only one that lies in a folder of that name,
  // else in one named as `label`, else in none.  Another folder may hold another video of that
  // name.
  const std::string* FindIn(absl::string_view folder, absl::string_view name,
                            absl::string_view label) const;

  // Videos, and class folders.
  int64_t files() const { return files_; }
  int64_t folders() const { return folders_; }

 private:
  struct File {
    // Empty for a file in the scanned folder itself.
    std::string label_folder;
    std::string path;
  };
  // Those of `entries` that are no videos.
  std::vector<std::string> Add(const std::string& folder, const std::string& label_folder,
                               const std::vector<std::string>& entries,
                               const absl::flat_hash_set<std::string>& names);

  absl::flat_hash_map<std::string, std::vector<File>> by_name_;
  int64_t files_ = 0;
  int64_t folders_ = 0;
};

}  // namespace op3d

#endif  // DATA_ANNOTATION_MEDIA_INDEX_H_
