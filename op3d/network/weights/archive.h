// The members of a zip or tar archive that is already in memory.  Nothing is written anywhere,
// whatever the members are called.  Torch-free.
#ifndef OP3D_NETWORK_WEIGHTS_ARCHIVE_H_
#define OP3D_NETWORK_WEIGHTS_ARCHIVE_H_

#include <map>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// Contents of the members that `wanted` asks for, by name.  Only stored ones: a compressed one is
// InvalidArgument, for nothing that packs weights compresses, and so the contents are never larger
// than `bytes`.  DataLoss for an archive that is cut off or fails its checksums; InvalidArgument
// for a name twice.
absl::StatusOr<std::map<std::string, std::string>> ReadArchive(
    absl::string_view bytes, absl::FunctionRef<bool(absl::string_view name)> wanted);

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_ARCHIVE_H_
