// The table of a sweep: what each variant reached, and its differences.
//
//   OP3D_ASSIGN_OR_RETURN(const SweepRuns runs, ReadSweepRuns("results/runs/ablations-7"));
//   std::fputs(RenderSweep(runs, TableFormat::kText).c_str(), stdout);
#ifndef OP3D_RESULTS_TABLE_SWEEP_TABLE_H_
#define OP3D_RESULTS_TABLE_SWEEP_TABLE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "results/record/run_record.pb.h"
#include "results/record/sweep.pb.h"
#include "results/table/table_format.h"

namespace op3d::results {

// The name of a sweep's file, in the folder that holds the folders of its variants.
inline constexpr char kSweepFile[] = "sweep.textproto";

struct SweepRun {
  // Below the sweep's folder: "i3d/seed2".
  std::string folder;
  RunRecord record;
};

struct SweepRuns {
  Sweep sweep;
  // The runs of each variant (one per split and seed), as in the sweep; a variant may have none.
  std::vector<std::vector<SweepRun>> runs;
};

// Every finished run below FOLDER/VARIANT of the variants of FOLDER/sweep.textproto.  NotFound if
// that file is missing or no run is finished; InvalidArgument, naming it, for a record that cannot
// be read or was edited (record_check.h).
absl::StatusOr<SweepRuns> ReadSweepRuns(const std::string& folder);

// One line per variant with runs: top-1 of the search's model and of its rivals, the mean over its
// runs; the model's difference from the best fixed schedule, and from the first variant's model; the
// frames of search and plan.  Differences are paired by split and seed; with two pairs or more with
// their 95 % interval (Student).  A blank is not known.  Units as RenderTables().
std::string RenderSweep(const SweepRuns& runs, TableFormat format);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_TABLE_SWEEP_TABLE_H_
