// The old name of a flag: if it is given, the error names the new one.
//
//   ABSL_FLAG(op3d::RenamedFlag, resamples, {"--bootstrap_samples"}, "");
//   // knee: --resamples is called --bootstrap_samples now; see --help
//
// --help leaves it out.
#ifndef OP3D_BASE_PROGRAM_RENAMED_FLAG_H_
#define OP3D_BASE_PROGRAM_RENAMED_FLAG_H_

#include <string>

#include "absl/strings/string_view.h"

namespace op3d {

struct RenamedFlag {
  // With its dashes.
  const char* name = "";
};

// Called by Abseil's flags.  On a command line RunProgram refuses the flag earlier; Abseil only
// needs to parse the default.
inline bool AbslParseFlag(absl::string_view text, RenamedFlag* flag, std::string*) {
  return text == flag->name;
}
inline std::string AbslUnparseFlag(const RenamedFlag& flag) { return flag.name; }

}  // namespace op3d

#endif  // OP3D_BASE_PROGRAM_RENAMED_FLAG_H_
