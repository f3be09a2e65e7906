// Tells whether a file has changed since it was scanned: its size and modification time.
#ifndef OP3D_DATA_INDEX_FILE_STAMP_H_
#define OP3D_DATA_INDEX_FILE_STAMP_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace op3d::data {

struct FileStamp {
  // 0 for a folder.
  int64_t bytes = 0;
  // Modification time since 1970.
  int64_t modified_nanoseconds = 0;

  bool operator==(const FileStamp& other) const {
    return bytes == other.bytes && modified_nanoseconds == other.modified_nanoseconds;
  }
};

// The stamp of a video in any stored form: of the file, the tar that it is a member of, the
// database's data.mdb, or the folder of frames.  For a folder it changes if frames are added, removed or renamed, but not if a picture is
// overwritten.  Zeros for a URL, whose content never changes (RemoteSettings).  NotFound, PermissionDenied, Internal: errors of stat().
absl::StatusOr<FileStamp> StampMedia(const std::string& path);

}  // namespace op3d::data

#endif  // OP3D_DATA_INDEX_FILE_STAMP_H_
