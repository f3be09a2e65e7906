// For tests and for trying the programs: a complete record with made-up figures.
#ifndef OP3D_RESULTS_TESTING_FIXTURE_RECORD_H_
#define OP3D_RESULTS_TESTING_FIXTURE_RECORD_H_

#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// A run of the Kinetics-400 miniature that never took place: two pools of 14 edges whose curves
// follow the planner's formula plus a little noise, a plan, three recipes.  Its first note says so.
// Every call returns the same.  results/record/testdata/fixture/record.textproto contains it; after
// a change here run `./bazelw run //results/testing:write_fixture` to write that file again.
RunRecord MakeFixtureRecord();

// The same run with a row for every role except MULTIGRID, all rivals at six times the plan's
// frames; every test lists its right videos.
RunRecord MakeRolesFixtureRecord();

// The same figures as a full-scale run of `benchmark`, with this top-1 of the planned recipe.
RunRecord MakeFullFixtureRecord(const std::string& benchmark, double planned_top1);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_TESTING_FIXTURE_RECORD_H_
