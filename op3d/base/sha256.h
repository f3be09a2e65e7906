// SHA-256, to tell whether two files are the same when one of them is not at hand.
#ifndef OP3D_BASE_SHA256_H_
#define OP3D_BASE_SHA256_H_

#include <string>

#include "absl/strings/string_view.h"

namespace op3d {

// 64 lower-case hexadecimal digits, as sha256sum prints them.  Thread-safe.
std::string Sha256(absl::string_view content);

}  // namespace op3d

#endif  // OP3D_BASE_SHA256_H_
