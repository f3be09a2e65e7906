// Shows whether plans win: the goals, computed from recorded runs.
//
//   ./bazelw run //results:verdict                    # every run under results/recorded with roles
//   ./bazelw run //results:verdict -- --json results/runs/a results/runs/b
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/program/program.h"
#include "op3d/base/status_macros.h"
#include "results/record/named_records.h"
#include "results/record/roles.h"
#include "results/verdict/verdict.h"

ABSL_FLAG(bool, json, false, "one JSON object instead of sentences");

namespace op3d::results {
namespace {

// The recorded runs whose rows have roles.
absl::StatusOr<std::vector<NamedRecord>> FindRecords() {
  OP3D_ASSIGN_OR_RETURN(const std::string folder, RecordedFolder());
  OP3D_ASSIGN_OR_RETURN(RecordFolder found, ReadRecordFolder(folder));
  if (!found.problems.empty()) return absl::InvalidArgumentError(found.problems[0]);
  std::vector<NamedRecord> records;
  for (NamedRecord& named : found.records) {
    if (HasRoles(named.record)) records.push_back(std::move(named));
  }
  if (records.empty()) {
    return absl::NotFoundError(
        absl::StrCat("none of the ", found.records.size(), " records under ", folder,
                     " has rows with roles; make one with ./bazelw run //benchmarks:kinetics400 -- "
                     "--rivals=all, or name a record"));
  }
  return records;
}

absl::Status Run(absl::Span<const std::string> words) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<NamedRecord> records,
                        words.empty() ? FindRecords() : ReadNamedRecords(words));
  OP3D_ASSIGN_OR_RETURN(const Verdict verdict, ComputeVerdict(records));
  std::fputs((absl::GetFlag(FLAGS_json) ? VerdictJson(verdict) : DescribeVerdict(verdict)).c_str(),
             stdout);
  return RefuseEdited(records);
}

}  // namespace
}  // namespace op3d::results

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "computes from recorded runs whether the planned model beats its rivals at equal total "
      "frames; without a record, it uses every run under results/recorded whose rows have "
      "roles.  Exit 0 = computed, goals missed or not; 1 = a record was edited and is left "
      "out; 2 = the records cannot be used.\n\n"
      "  ./bazelw run //results:verdict -- --json",
      [](absl::Span<const std::string> words) { return op3d::results::Run(words); });
}
