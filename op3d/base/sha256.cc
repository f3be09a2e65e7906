#include "op3d/base/sha256.h"

#include <openssl/sha.h>

#include "absl/strings/escaping.h"

namespace op3d {

std::string Sha256(absl::string_view content) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

}  // namespace op3d
