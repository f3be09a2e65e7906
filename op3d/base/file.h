// Reads and writes whole files and folders, with errors that name the path and the reason.
//
//   OP3D_RETURN_IF_ERROR(WriteFileAtomically(path, text));
//   // `path` holds all of `text`, or is untouched.
#ifndef OP3D_BASE_FILE_H_
#define OP3D_BASE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// "a/b"; `name` itself if it is absolute.
std::string JoinPath(absl::string_view folder, absl::string_view name);

bool FileExists(const std::string& path);
bool FolderExists(const std::string& path);

// The names in a folder, sorted, without "." and "..".  NotFound if the folder does not exist.
absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path);

// The whole file.  NotFound, or Internal with errno's text.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes a temporary file in the same folder, fsyncs, renames, fsyncs the folder: after a crash at
// any moment `path` has either its old content or all of `content`.  ResourceExhausted on a full
// disk; the incomplete temporary file is removed.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content);

// Creates the folder and its parents.  OK if it exists already.
absl::Status MakeFolders(const std::string& path);

// Removes a file.  OK if it does not exist.
absl::Status RemoveFile(const std::string& path);

// Free space of a file system in bytes; `path` is a file or folder on it that need not exist yet.
absl::StatusOr<int64_t> FreeBytes(const std::string& path);

// CRC-32 of `content`, as in zip.
uint32_t Crc32(absl::string_view content);

// The status for errno: NotFound, ResourceExhausted (disk full, quota), PermissionDenied, otherwise
// Internal; the message is "`what` `path`: <reason>".
absl::Status ErrnoStatus(int error, absl::string_view what, absl::string_view path);

}  // namespace op3d

#endif  // OP3D_BASE_FILE_H_
