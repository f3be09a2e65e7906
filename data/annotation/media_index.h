// The videos in a folder and in the folders below it, by name.
//
//   OP3D_ASSIGN_OR_RETURN(MediaIndex media, MediaIndex::Scan("kinetics400/val", names));
//   const std::vector<std::string> paths =
//       media.Find("0wR5jVB-WPk_000417_000427", "abseiling");       // the best first
//
// Lists folders instead of looking for each file: 20,000 names in milliseconds.
#ifndef OP3D_DATA_ANNOTATION_MEDIA_INDEX_H_
#define OP3D_DATA_ANNOTATION_MEDIA_INDEX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

class MediaIndex {
 public:
  // A folder or tar below the scanned one that could not be listed, or only a part of it.
  struct Unreadable {
    // Its last name, e.g. that of a class.
    std::string name;
    // Names the whole path and the reason.
    absl::Status status;
  };

  // Lists `folder` and three levels of folders below it: class folders, or class folders one level
  // deeper, as some archives unpack.  A tar (a shard of WebDataset, or of class folders) is listed
  // as a folder.  A video is a file with a video's ending
  // (WithoutVideoEndings), or a folder with one of `names` as its name (its frames, or an LMDB of
  // them, with or without the ending lmdb).  Folders of frames that are not in `names` and hidden
  // folders are skipped.  NotFound, PermissionDenied: `folder` itself cannot be listed.
  static absl::StatusOr<MediaIndex> Scan(const std::string& folder,
                                         const absl::flat_hash_set<absl::string_view>& names);

  // Adds the videos of another folder, which holds replacements of damaged ones.  Like those in
  // folders whose name starts with "replacement", they come before all others of the same name.  A
  // folder that cannot be listed is added to unreadable().
  void AddReplacements(const std::string& folder,
                       const absl::flat_hash_set<absl::string_view>& names);

  // The paths of the videos with that name (without its endings); empty if there is none.  The
  // order is: replacements, then those in a folder named like `label` (spaces or underscores, in
  // any case), then the nearest to the scanned folder, then alphabetical.
  std::vector<std::string> Find(absl::string_view name, absl::string_view label) const;
  // The same for a list that names the video's folder, "g1/drinking".  Returns those that share the
  // most last folder names with it, at least one; if there are none, those in a folder named like
  // `label`; otherwise those in no folder.  Another folder may hold another video of that name.
  std::vector<std::string> FindIn(absl::string_view folder, absl::string_view name,
                                  absl::string_view label) const;

  // The numbers of videos, and of folders below the scanned one.
  int64_t files() const { return files_; }
  int64_t folders() const { return folders_; }
  const std::vector<Unreadable>& unreadable() const { return unreadable_; }

 private:
  struct Folder {
    std::string path;
    // The folder names below the scanned folder, normalised for comparison; empty for that folder.
    std::vector<std::string> plain_names;
    bool replacement = false;
  };
  struct File {
    size_t folder = 0;
    // The ending after the name.
    std::string ending;
  };
  using Files = std::vector<File>;

  // Lists `folder` and everything below it, breadth first.
  absl::Status AddTree(Folder folder, const absl::flat_hash_set<absl::string_view>& names);
  // Lists one folder: its videos into the index, its folders into `inner`.
  absl::Status AddFolder(size_t folder, const absl::flat_hash_set<absl::string_view>& names,
                         std::vector<std::string>* inner);
  std::string PathOf(absl::string_view name, const File& file) const;

  absl::flat_hash_map<std::string, Files> by_name_;
  std::vector<Folder> all_folders_;
  std::vector<Unreadable> unreadable_;
  int64_t files_ = 0;
  int64_t folders_ = 0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_MEDIA_INDEX_H_
