// Sweeps: runs of one benchmark that differ in a few settings.
//
//   OP3D_ASSIGN_OR_RETURN(const Sweep sweep,
//                         FindSweep("networks", /*variants=*/"", /*miniature=*/true));
//   ApplyVariant(sweep, sweep.variants(0), &request);
#ifndef OP3D_BENCHMARKS_SWEEPS_SWEEP_H_
#define OP3D_BENCHMARKS_SWEEPS_SWEEP_H_

#include <string>

#include "absl/status/statusor.h"
#include "benchmarks/settings/settings_resolution.h"
#include "results/record/sweep.pb.h"

namespace op3d::benchmarks {

// A shipped sweep by its name ("networks", "ablations"), or a textproto of the user's.  `variants`:
// names separated by commas, the only ones that are kept; empty = all, without those that a
// miniature leaves out.  InvalidArgument for a sweep without variants, two with one name, a name
// that is no folder's, and unknown names in `variants`, with those that there are.
absl::StatusOr<Sweep> FindSweep(const std::string& name, const std::string& variants,
                                bool miniature);

// Adds the settings of the sweep and of its variant to a request, before the command line's own
// assignments.  The command line's --rivals counts before the sweep's.
void ApplyVariant(const Sweep& sweep, const Sweep::Variant& variant, SettingsRequest* request);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_SWEEPS_SWEEP_H_
