// Runs of one benchmark that differ in a few settings or in their seeds, one after another, and their
// table.
//
//   OP3D_ASSIGN_OR_RETURN(const Sweep sweep,
//                         FindSweep("networks", /*variants=*/"", /*miniature=*/true));
//   ApplyVariant(sweep.variants(0), &request);
//   Print(SweepTable(sweep, records));
#ifndef OP3D_BENCHMARKS_SWEEPS_SWEEP_H_
#define OP3D_BENCHMARKS_SWEEPS_SWEEP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/settings/settings_resolution.h"
#include "benchmarks/sweeps/sweep.pb.h"
#include "results/record/run_record.pb.h"

namespace op3d::benchmarks {

// A shipped sweep by its name ("networks", "ablations"), or a textproto of the user's.  `variants`:
// names separated by commas, the only ones that are kept; empty = all, without those that a
// miniature leaves out.  InvalidArgument for a sweep without variants, two with one name, a name
// that is no folder's, and unknown names in `variants`, with those that there are.
absl::StatusOr<Sweep> FindSweep(const std::string& name, const std::string& variants,
                                bool miniature);

// Adds the variant's settings to a request, before the command line's own assignments.
void ApplyVariant(const Sweep::Variant& variant, SettingsRequest* request);

// A variant's records, one per seed, as in the sweep.
using SweepRecords = std::vector<std::vector<RunRecord>>;

// Text with one line per variant: top-1 of the model of its search and of its rivals, the mean over
// its seeds, with the difference from the first variant; with two seeds or more its 95 % interval
// (Student, paired by seed).  A blank is not known.
std::string SweepTable(const Sweep& sweep, const SweepRecords& records);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_SWEEPS_SWEEP_H_
