// Groups of runs that differ only in their seed: their means, and whether one further run is as good
// as they are, as far as chance between seeds allows.
//
//   OP3D_ASSIGN_OR_RETURN(const SeedGroup group, MakeSeedGroup(references));
//   Print(DescribeSeedGroup(group));
//   OP3D_ASSIGN_OR_RETURN(const GroupTest test, TestAgainstGroup(candidate, references));
//   Print(DescribeGroupTest(test));
//   if (!test.passes()) Use("not reproduced");
//
// For each row (role or name) with top-1 figures r_1 ... r_n of the group and c of the candidate, the
// next run of the same kind is expected, with a probability of 95 %, to reach at least
//
//   mean(r) - t s sqrt(1 + 1/n),   s^2 the sample variance, t Student's 95 % quantile, n - 1 degrees
//
// (the one-sided prediction limit of a normal sample).  The candidate passes if it does.  All runs
// have the same test videos, so chance over videos is in every r alike.
#ifndef OP3D_RESULTS_COMPARE_REFERENCE_GROUP_H_
#define OP3D_RESULTS_COMPARE_REFERENCE_GROUP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "results/compare/seed_group.pb.h"
#include "results/record/named_records.h"

namespace op3d::results {

// The name of a group's file, in the folder that holds the folders of its runs.
inline constexpr char kGroupFile[] = "group.textproto";

// The group of these runs, sorted by seed; a run's name is its folder.  InvalidArgument as for the
// references of TestAgainstGroup().
absl::StatusOr<SeedGroup> MakeSeedGroup(absl::Span<const NamedRecord> runs);

// A line for each row: mean, interval, frames.
std::string DescribeSeedGroup(const SeedGroup& group);

// The records of a group's file.  NotFound and InvalidArgument, naming it, if a run's record is
// missing or is another one than when the group was made.
absl::StatusOr<std::vector<NamedRecord>> ReadSeedGroup(const std::string& path);

// Shares in [0, 1].
struct GroupRow {
  std::string title;
  double mean = 0;
  // The lowest top-1 that passes.
  double limit = 0;
  double candidate = 0;
  bool passes() const { return candidate >= limit; }
};

struct GroupTest {
  int references = 0;
  // The rows that the candidate and all references have tested.
  std::vector<GroupRow> rows;
  bool passes() const;
};

// InvalidArgument, naming the runs: fewer than two references, two of one seed or the candidate's
// own record among them, other settings than the seed, other test videos, an edited record, no
// common row.
absl::StatusOr<GroupTest> TestAgainstGroup(const NamedRecord& candidate,
                                           absl::Span<const NamedRecord> references);

// A line for each row, then one sentence.
std::string DescribeGroupTest(const GroupTest& test);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_COMPARE_REFERENCE_GROUP_H_
