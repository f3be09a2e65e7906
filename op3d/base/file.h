// Whole files and folders, with errors that name the path and the reason.
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

// "a/b"; `name` itself when it is absolute.
std::string JoinPath(absl::string_view folder, absl::string_view name);

bool FileExists(const std::string& path);
bool FolderExists(const std::string& path);

// The names in a folder, sorted, without "." and "..".  NotFound when there is none.
absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path);

// The whole file.  NotFound, or Internal with errno's text.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes beside `path`, fsyncs, renames, fsyncs the folder: after a crash at any moment `path`
// holds either what it held before or all of `content`.  ResourceExhausted on a full disk; the
// half-written neighbour is removed.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content);

// Makes the folder and its parents.  OK when it is there already.
absl::Status MakeFolders(const std::string& path);

// Removes a file.  OK when there is none.
absl::Status RemoveFile(const std::string& path);

// What a file system still takes, in bytes; `path` is a file or folder on it that need not be there
// yet.
absl::StatusOr<int64_t> FreeBytes(const std::string& path);

// CRC-32 as in zip, of `content`.
uint32_t Crc32(absl::string_view content);

// The status for errno: NotFound, ResourceExhausted (disk full, quota), PermissionDenied, else
// Internal; the message is "`what` `path`: <reason>".
absl::Status ErrnoStatus(int error, absl::string_view what, absl::string_view path);

}  // namespace op3d

#endif  // OP3D_BASE_FILE_H_
