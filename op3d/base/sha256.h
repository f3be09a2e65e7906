// SHA-256, to compare two files when only the checksum of one of them is available.
#ifndef OP3D_BASE_SHA256_H_
#define OP3D_BASE_SHA256_H_

#include <string>

#include "absl/strings/string_view.h"

namespace op3d {

// 64 lower-case hexadecimal digits, as sha256sum prints them.  Thread-safe.
std::string Sha256(absl::string_view content);

}  // namespace op3d

#endif  // OP3D_BASE_SHA256_H_
