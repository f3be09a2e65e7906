// The commit that the program was built from.
#ifndef OP3D_BASE_PROGRAM_COMMIT_H_
#define OP3D_BASE_PROGRAM_COMMIT_H_

#include <string>

namespace op3d {

// The commit found by tools/workspace_status.sh; "unknown" for a program without //tools:commit in
// its `data`.  Thread-safe.
std::string BuildCommit();

// Whether the checkout had changes that are not in that commit.  Thread-safe.
bool BuildIsModified();

}  // namespace op3d

#endif  // OP3D_BASE_PROGRAM_COMMIT_H_
