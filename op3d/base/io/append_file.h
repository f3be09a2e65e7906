// A file that only grows at its end, record by record: journals and logs.
//
//   OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file, AppendFile::Open(path));
//   OP3D_RETURN_IF_ERROR(file->CutTornLine());      // what a killed process left
//   OP3D_RETURN_IF_ERROR(file->Append("{\"epoch\":1}\n"));
//   OP3D_RETURN_IF_ERROR(file->Sync());
#ifndef OP3D_BASE_IO_APPEND_FILE_H_
#define OP3D_BASE_IO_APPEND_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// One process at a time may write; errors are those of op3d/base/file.h.  Not thread-safe.
class AppendFile {
 public:
  // Opens the file, or makes an empty one.
  static absl::StatusOr<std::unique_ptr<AppendFile>> Open(const std::string& path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  // In bytes.
  int64_t size() const { return size_; }
  // For locks on the file.
  int descriptor() const { return fd_; }

  // Removes what stands after the first `size` bytes.
  absl::Status CutTo(int64_t size);
  // Removes what stands after the last newline.
  absl::Status CutTornLine();

  // Writes all of `record` at the end: it outlives a killed process, and after Sync() a power cut.
  // On an error the file holds what it held before.
  absl::Status Append(absl::string_view record);

  // Waits until everything is on the disk, a new file's name too.
  absl::Status Sync();

 private:
  AppendFile(const std::string& path, int fd) : path_(path), fd_(fd) {}

  const std::string path_;
  const int fd_;
  int64_t size_ = 0;
  bool name_synced_ = false;
};

}  // namespace op3d

#endif  // OP3D_BASE_IO_APPEND_FILE_H_
