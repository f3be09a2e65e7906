// What every program's main() does: flags, signals, one sentence for an error, the exit code.
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

// Parses Abseil flags, installs the interrupt handler and calls `run` with the words that are no
// flags.  An error goes to stderr as "<program>: <message>".  Returns ExitCode() of the status; an
// unknown flag or a value that does not parse is wrong use: 2.  --help prints `usage` and the flags
// to stdout and returns 0.
int RunProgram(int argc, char** argv, absl::string_view usage,
               absl::FunctionRef<absl::Status(absl::Span<const std::string> words)> run);

// A sub-command: `run` gets the words after its name.
struct Command {
  std::string name;
  std::function<absl::Status(absl::Span<const std::string> words)> run;
};

// The same for a program with sub-commands: calls the one that the first word names.  InvalidArgument
// without a word, for a word that is no sub-command, and for a flag of other sub-commands alone
// (RefuseForeignFlags).  --help beside a sub-command's name prints the flags that it takes.
int RunCommands(int argc, char** argv, absl::string_view usage,
                const std::vector<Command>& commands);

// Of `commands` those that a flag's help names before a colon, at its beginning or after a full stop
// or a semicolon ("frames: short side.  clip: side of the crop"), with flags after a name passed
// over ("replay --stability: ...").  Empty = the flag is everybody's.
std::vector<std::string> FlagTakers(absl::string_view help,
                                    const std::vector<std::string>& commands);

// A flag of another sub-command would be without effect: InvalidArgument names it, and who takes
// it, when one is given, even with its default value.  `commands` are all that `program` has.
absl::Status RefuseForeignFlags(absl::string_view program, absl::string_view command,
                                const std::vector<std::string>& commands);

// InvalidArgument "use: `usage`" unless there are `count` words.
absl::Status RequireWords(absl::Span<const std::string> words, size_t count,
                          absl::string_view usage);

// For programs that take flags alone: InvalidArgument that names the first word, OK without any.
absl::Status RefuseWords(absl::Span<const std::string> words);

// How a command ends that was asked for `asked` things and could not do `failed` of them: OK for
// none; `failure`, the last one's, when it was asked for one alone or could do nothing; else an
// error that ends the program with 1: "3 of 5 `things`; what is wrong stands above".
absl::Status PartlyDone(int64_t failed, int64_t asked, const absl::Status& failure,
                        absl::string_view things);

// Whether the command line names the flag, be it with its default value: known once RunProgram or
// CheckFlags has looked at it.
bool FlagIsGiven(absl::string_view name);

// InvalidArgument that names the first flag that does not exist or whose value does not parse.  A
// file whose name starts with a dash looks like a flag; the message says how to give it.
absl::Status CheckFlags(absl::Span<const std::string> arguments);

}  // namespace op3d

#endif  // OP3D_BASE_PROGRAM_PROGRAM_H_
