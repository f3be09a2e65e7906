// Messages as JSON on one line, by Protobuf's JSON mapping with the field names of the schema, and
// back.
//
//   OP3D_ASSIGN_OR_RETURN(std::string line, PrintProtoJson(point));   // {"epoch":3, ...}
//   OP3D_RETURN_IF_ERROR(ParseProtoJson(line, /*ignore_unknown=*/false, &point));
#ifndef OP3D_BASE_PROTO_JSON_H_
#define OP3D_BASE_PROTO_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace op3d {

// Numbers are written with all bits, also those that are 0; an `optional` field is written if it
// is set.  Internal if Protobuf cannot print the message.  Thread-safe.
absl::StatusOr<std::string> PrintProtoJson(const google::protobuf::Message& message);

// InvalidArgument with Protobuf's reason.  With `ignore_unknown`, fields that the message does not
// have are ignored.  Thread-safe.
absl::Status ParseProtoJson(absl::string_view text, bool ignore_unknown,
                            google::protobuf::Message* message);

// `text` with U+FFFD for every byte that is not UTF-8, which strings of messages and the metadata of
// safetensors must be: a file's name may be in another encoding.
std::string ToUtf8(const std::string& text);

}  // namespace op3d

#endif  // OP3D_BASE_PROTO_JSON_H_
