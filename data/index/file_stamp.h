// What tells a changed file from the one that was scanned: its size and when it was written.
#ifndef OP3D_DATA_INDEX_FILE_STAMP_H_
#define OP3D_DATA_INDEX_FILE_STAMP_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace op3d::data {

struct FileStamp {
  // 0 for a folder.
  int64_t bytes = 0;
  // Since 1970.
  int64_t modified_nanoseconds = 0;

  bool operator==(const FileStamp& other) const {
    return bytes == other.bytes && modified_nanoseconds == other.modified_nanoseconds;
  }
};

// Of a video in any stored form: the file, the database's data.mdb, or the folder of frames, which
// notices frames that come, go or are renamed, but not a picture that is written over.
// NotFound, PermissionDenied, Internal: errors of stat().
absl::StatusOr<FileStamp> StampMedia(const std::string& path);

}  // namespace op3d::data

#endif  // OP3D_DATA_INDEX_FILE_STAMP_H_
