// The members of a zip or tar archive in memory.  Nothing is written to disk,
// whatever the members are called.  Torch-free.
#ifndef OP3D_NETWORK_WEIGHTS_ARCHIVE_H_
#define OP3D_NETWORK_WEIGHTS_ARCHIVE_H_

#include <map>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// The contents, by name, of the members for which `wanted` is true.  They must not be compressed: a
// compressed member is InvalidArgument, because no writer of weights compresses; so the contents
// are never larger than `bytes`.  DataLoss for an archive that is truncated or fails its checksums;
// InvalidArgument if a name occurs twice.
absl::StatusOr<std::map<std::string, std::string>> ReadArchive(
    absl::string_view bytes, absl::FunctionRef<bool(absl::string_view name)> wanted);

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_ARCHIVE_H_
