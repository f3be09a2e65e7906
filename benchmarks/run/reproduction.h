// A repeated run compared with the recorded one: equal in every bit, or the possible causes.
//
//   OP3D_ASSIGN_OR_RETURN(results::RunComparison comparison,
//                         results::CompareRuns(recorded_folder, folder, exact));
//   std::fputs(DescribeReproduction(recorded, again, comparison).c_str(), stdout);
#ifndef OP3D_BENCHMARKS_RUN_REPRODUCTION_H_
#define OP3D_BENCHMARKS_RUN_REPRODUCTION_H_

#include <string>
#include <vector>

#include "results/compare/compare.h"
#include "results/record/run_record.pb.h"

namespace op3d::benchmarks {

// The differences between the two runs that may be the cause, the most likely first, one sentence
// each: data, settings, arithmetic, processor, device, libraries, commit.  Empty if none differs.
std::vector<std::string> PossibleCauses(const RunRecord& recorded, const RunRecord& again);

// For people, several lines.  If equal: "Equal in every bit: ...".  Otherwise the first difference
// in the order of the run (lists, searches, plan, recipes), a few of the others, and the causes.
// `comparison` is that of `recorded` (A) with `again` (B).
std::string DescribeReproduction(const RunRecord& recorded, const RunRecord& again,
                                 const results::RunComparison& comparison);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_RUN_REPRODUCTION_H_
