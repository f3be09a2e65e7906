// Settings and records as text: protobuf's text format, with errors that say what to do.
//
//   TrainingRunSettings settings;                                  // any message
//   OP3D_RETURN_IF_ERROR(ReadTextproto("my.textproto", &settings));
//   OP3D_RETURN_IF_ERROR(SetField("sgd.weight_decay=5e-4", &settings));
//
// Settings with a field `string base` may contain only differences from another file:
//
//   // base: "miniature"                    // shipped_folder/miniature.textproto
//   // search { rule { max_epochs: 10 } }
//   OP3D_RETURN_IF_ERROR(OverlayTextproto("my.textproto", "shipped_folder", &settings));
#ifndef OP3D_BASE_TEXTPROTO_H_
#define OP3D_BASE_TEXTPROTO_H_

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// Replaces `message` by the content of `text`.  InvalidArgument names `source`, line, column and
// the error ("my.textproto:3:7: Message type ... has no field named ...").
absl::Status ParseTextproto(absl::string_view text, absl::string_view source,
                            google::protobuf::Message* message);

// The same from a file; NotFound if it does not exist.
absl::Status ReadTextproto(const std::string& path, google::protobuf::Message* message);

// Merges the file over `message`, after its base, the base's own base and so on.  A field in a file
// replaces the earlier value, also with 0, false or ""; messages are merged field by field, a list
// is replaced as a whole (`x: []` has no effect).  Other fields stay.  `base` is a name in
// `shipped_folder`, or a file ("mine.textproto", "../other/mine.textproto"), relative to the folder
// of the file that names it; `message` has no base at the end.  Errors of ReadTextproto(); NotFound
// for a missing base lists the existing ones, InvalidArgument names a cycle of bases.
absl::Status OverlayTextproto(const std::string& path, const std::string& shipped_folder,
                              google::protobuf::Message* message);

// `folder`/`name`.textproto.  NotFound lists the existing names: "there is no plan 'x'; there are
// a, b", where `what` is "plan".
absl::StatusOr<std::string> FindTextproto(const std::string& folder, absl::string_view name,
                                          absl::string_view what);

// Whether it is a name of something that ships, "ucf101", and not a file, "ucf101.textproto" or
// "./ucf101".
bool IsTextprotoName(absl::string_view name);

// As text, one field per line; doubles keep every bit.
std::string PrintTextproto(const google::protobuf::Message& message);

// Writes it atomically.
absl::Status WriteTextproto(const std::string& path, const google::protobuf::Message& message);

// Sets one field by its path: "search.attempt_epochs=4".  An element of a list is given by its
// number from 0 or by its name (its own, or its state's): "steps[0].epochs=20",
// "recipes[planned].test_clips=5".  The set member of a oneof need not be named.  The value is in
// text format; a string needs no quotes, a list is replaced ("x=[1, 2]", "x=1"), a name of an enum
// may be in lower case and without the enum's own name ("method=planned" for PLANNED_METHOD).
// InvalidArgument names the part of the path that does not exist, the nearest names anywhere in
// `message`, and the existing ones.
absl::Status SetField(absl::string_view assignment, google::protobuf::Message* message);

}  // namespace op3d

#endif  // OP3D_BASE_TEXTPROTO_H_
