// Writes the test fixture again after a change of fixture_record.cc.
//
//   ./bazelw run //results/testing:write_fixture
#include <cstdio>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "results/record/record.h"
#include "results/testing/fixture_record.h"

int main() {
  const std::string folder =
      op3d::JoinPath(op3d::WorkspaceFolder(), "results/record/testdata/fixture");
  absl::Status status = op3d::MakeFolders(folder);
  // Without a checksum of the content, like older records.
  if (status.ok()) {
    status =
        op3d::WriteTextproto(op3d::results::RecordPath(folder), op3d::results::MakeFixtureRecord());
  }
  if (!status.ok()) std::fprintf(stderr, "write_fixture: %s\n", status.ToString().c_str());
  return op3d::ExitCode(status);
}
