// What every program's main() does: flags, signals, an error as one message, the exit code.
//
//   int main(int argc, char** argv) {
//     return op3d::RunProgram(argc, argv, "compares two runs.\n\n  ./bazelw run ...",
//                             [](absl::Span<const std::string> words) { return Compare(words); });
//   }
#ifndef OP3D_BASE_PROGRAM_PROGRAM_H_
#define OP3D_BASE_PROGRAM_PROGRAM_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace op3d {

// Parses Abseil flags, installs the interrupt handler and calls `run` with the arguments that are
// not flags.  An error goes to stderr as "<program>: <message>".  Returns ExitCode() of the status;
// an unknown flag or a value that does not parse is wrong use: 2.  --help prints `usage` and the
// flags to stdout and returns 0.
int RunProgram(int argc, char** argv, absl::string_view usage,
               absl::FunctionRef<absl::Status(absl::Span<const std::string> words)> run);

// A sub-command: `run` gets the words after its name.
struct Command {
  std::string name;
  std::function<absl::Status(absl::Span<const std::string> words)> run;
};

// The same for a program with sub-commands: calls the one that the first word names.  It is wrong
// use to give no word, an unknown one, or a flag of other sub-commands (RefuseForeignFlags).  --help
// with a sub-command's name prints the flags that it accepts.
int RunCommands(int argc, char** argv, absl::string_view usage,
                const std::vector<Command>& commands);

// The ones of `commands` that a flag's help names before a colon, at its beginning or after a full
// stop or a semicolon ("frames: short side.  clip: side of the crop"); flags after a name are
// ignored ("replay --stability: ...").  Empty = all commands accept the flag.
std::vector<std::string> FlagTakers(absl::string_view help,
                                    const std::vector<std::string>& commands);

// A flag of another sub-command would have no effect.  If one is given, even with its default
// value, InvalidArgument names it and the sub-commands that accept it.  `commands` are all of
// `program`.
absl::Status RefuseForeignFlags(absl::string_view program, absl::string_view command,
                                const std::vector<std::string>& commands);

// InvalidArgument "use: `usage`" unless there are `count` words.
absl::Status RequireWords(absl::Span<const std::string> words, size_t count,
                          absl::string_view usage);

// For programs that only take flags: InvalidArgument that names the first word, OK if there is
// none.
absl::Status RefuseWords(absl::Span<const std::string> words);

// The status of a command that was given `asked` things and failed for `failed` of them: OK for
// none; `failure`, the last one's error, if only one was given or all failed; otherwise an
// error with exit code 1: "3 of 5 `things`; see the errors above".
absl::Status PartlyDone(int64_t failed, int64_t asked, const absl::Status& failure,
                        absl::string_view things);

// Whether the flag was given, even with its default value; valid after RunProgram or
// CheckFlags.
bool FlagIsGiven(absl::string_view name);

// InvalidArgument that names the first flag that does not exist or whose value does not parse.  A
// file whose name starts with a dash looks like a flag; the message says how to give it.
absl::Status CheckFlags(absl::Span<const std::string> arguments);

}  // namespace op3d

#endif  // OP3D_BASE_PROGRAM_PROGRAM_H_
