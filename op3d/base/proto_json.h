// Messages as JSON on one line, by Protobuf's own mapping with the fields' names as the schema has
// them, and back.
//
//   OP3D_ASSIGN_OR_RETURN(std::string line, PrintProtoJson(point));      // {"epoch":3,"top1":0.5, ...}
//   OP3D_RETURN_IF_ERROR(ParseProtoJson(line, /*ignore_unknown=*/false, &point));
#ifndef OP3D_BASE_PROTO_JSON_H_
#define OP3D_BASE_PROTO_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace op3d {

// Numbers keep every bit, and those that are 0 are there too; an `optional` field is there where it
// is set.  Internal where Protobuf cannot print the message.  Thread-safe.
absl::StatusOr<std::string> PrintProtoJson(const google::protobuf::Message& message);

// InvalidArgument with Protobuf's reason.  `ignore_unknown` leaves fields out of account that the
// message does not have.  Thread-safe.
absl::Status ParseProtoJson(absl::string_view text, bool ignore_unknown,
                            google::protobuf::Message* message);

}  // namespace op3d

#endif  // OP3D_BASE_PROTO_JSON_H_
