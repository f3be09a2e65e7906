// Settings and records as text: protobuf's text format, with errors a person can act on.
//
//   TrainingRunSettings settings;                                  // any message
//   OP3D_RETURN_IF_ERROR(ReadTextproto("my.textproto", &settings));
//   OP3D_RETURN_IF_ERROR(SetField("sgd.weight_decay=5e-4", &settings));
#ifndef OP3D_BASE_TEXTPROTO_H_
#define OP3D_BASE_TEXTPROTO_H_

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace op3d {

// Replaces `message` by what `text` says.  InvalidArgument names `source`, line, column and what is
// wrong there ("my.textproto:3:7: Message type ... has no field named ...").
absl::Status ParseTextproto(absl::string_view text, absl::string_view source,
                            google::protobuf::Message* message);

// The same from a file; NotFound when there is none.
absl::Status ReadTextproto(const std::string& path, google::protobuf::Message* message);

// As text, a field a line; doubles keep every bit.
std::string PrintTextproto(const google::protobuf::Message& message);

// Writes it, all or nothing.
absl::Status WriteTextproto(const std::string& path, const google::protobuf::Message& message);

// Sets one field by its path: "search.attempt_epochs=4".  An element of a list is given by its
// number from 0 or by its name (its own, or its state's): "steps[0].epochs=20",
// "recipes[planned].test_clips=5".  What a oneof holds need not be named.  The value is in text
// format; a string needs no quotes, a list is replaced ("x=[1, 2]", "x=1"), a name of an enum may
// be in small letters and without the enum's own name ("method=planned" for PLANNED_METHOD).
// InvalidArgument names the part of the path that does not exist, the nearest names anywhere in
// `message`, and what is there.
absl::Status SetField(absl::string_view assignment, google::protobuf::Message* message);

}  // namespace op3d

#endif  // OP3D_BASE_TEXTPROTO_H_
