// Flags of programs with sub-commands.  A flag's help begins with the sub-commands that accept it
// ("search, resume: ..."), unless all do.
//
//   OP3D_RETURN_IF_ERROR(RefuseForeignFlags("plan", words[0], {"search", "resume", "show"}));
#ifndef OP3D_BASE_PROGRAM_COMMAND_FLAGS_H_
#define OP3D_BASE_PROGRAM_COMMAND_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace op3d {

// A flag of another sub-command would have no effect.  If one is given, even with its default
// value, InvalidArgument names it and the sub-commands that accept it.  `commands` are all of
// `program`.
absl::Status RefuseForeignFlags(absl::string_view program, absl::string_view command,
                                const std::vector<std::string>& commands);

// The ones of `commands` that a flag's help names before a colon, at its beginning or after a full
// stop or a semicolon ("frames: short side.  clip: side of the crop"); flags after a name are
// ignored ("replay --stability: ...").  Empty = all commands accept the flag.
std::vector<std::string> FlagTakers(absl::string_view help,
                                    const std::vector<std::string>& commands);

}  // namespace op3d

#endif  // OP3D_BASE_PROGRAM_COMMAND_FLAGS_H_
