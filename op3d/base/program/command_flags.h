// Flags of programs with sub-commands.  A flag's help begins with the sub-commands that take it
// ("search, resume: ..."), where not all do.
//
//   OP3D_RETURN_IF_ERROR(RefuseForeignFlags("plan", words[0], {"search", "resume", "show"}));
#ifndef OP3D_BASE_PROGRAM_COMMAND_FLAGS_H_
#define OP3D_BASE_PROGRAM_COMMAND_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace op3d {

// A flag of another sub-command would be without effect: InvalidArgument names it, and who takes
// it, when one is given, even with its default value.  `commands` are all that `program` has.
absl::Status RefuseForeignFlags(absl::string_view program, absl::string_view command,
                                const std::vector<std::string>& commands);

// Of `commands` those that a flag's help names before a colon, at its beginning or after a full stop
// or a semicolon ("frames: short side.  clip: side of the crop"), with flags after a name passed
// over ("replay --stability: ...").  Empty = the flag is everybody's.
std::vector<std::string> FlagTakers(absl::string_view help,
                                    const std::vector<std::string>& commands);

}  // namespace op3d

#endif  // OP3D_BASE_PROGRAM_COMMAND_FLAGS_H_
