// Compares two records field by field, except for fields that differ between equal runs.
//
//   std::vector<Difference> differences = CompareRecords(a, b, ComparisonOptions());
//   differences[0].place;                     // "recipe 'planned' > test > top1"
//
// Recipes, searches, edges, states, classes and lists are matched by their names, curve points by
// their epoch, whatever their order.
#ifndef OP3D_RESULTS_COMPARE_RECORD_COMPARISON_H_
#define OP3D_RESULTS_COMPARE_RECORD_COMPARISON_H_

#include <cstdint>
#include <vector>

#include "results/compare/comparison_rules.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

// In the order of the record's fields.  If not exact, fits are compared by their curves, not by
// their parameters (five parameters fitted to a few points vary much, their curve does not), and
// checksums and notes are left out.
std::vector<Difference> CompareRecords(const RunRecord& a, const RunRecord& b,
                                       const ComparisonOptions& options);

// The number of single values in a record, without the volatile ones.
int64_t CountFields(const RunRecord& record);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_COMPARE_RECORD_COMPARISON_H_
