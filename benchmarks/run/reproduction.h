// A recorded run, done again: is it the same to the last bit, and if not, why that may be.
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

// What differs between the two runs and may be the cause, the likeliest first, a sentence each:
// data, settings, arithmetic, processor, device, libraries, commit.  Empty when nothing of it does.
std::vector<std::string> PossibleCauses(const RunRecord& recorded, const RunRecord& again);

// For people, several lines.  Equal: "Equal in every bit: ...".  Otherwise the first difference in
// the order of the run (lists, searches, plan, recipes), a few of the others, and the causes.
// `comparison` is that of `recorded` (A) with `again` (B).
std::string DescribeReproduction(const RunRecord& recorded, const RunRecord& again,
                                 const results::RunComparison& comparison);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_RUN_REPRODUCTION_H_
