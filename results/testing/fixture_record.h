// For tests and for trying the programs out: a whole record with made-up figures.
#ifndef OP3D_RESULTS_TESTING_FIXTURE_RECORD_H_
#define OP3D_RESULTS_TESTING_FIXTURE_RECORD_H_

#include <string>

#include "results/record/run_record.pb.h"

namespace op3d::results {

// A run of the Kinetics-400 miniature that never took place: two pools of 14 edges whose curves
// follow the planner's formula plus a little noise, a plan, three recipes.  Its first note says so.
// The same at every call.  results/record/testdata/fixture/record.textproto holds it; after a change here
// `./bazelw run //results/testing:write_fixture` writes that file again.
RunRecord MakeFixtureRecord();

// The same run with a row for every role but MULTIGRID, all rivals at six times the plan's frames;
// every test names its right videos.
RunRecord MakeRolesFixtureRecord();

// The same figures as a full-scale run of `benchmark`, the planned recipe's top-1 as given.
RunRecord MakeFullFixtureRecord(const std::string& benchmark, double planned_top1);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_TESTING_FIXTURE_RECORD_H_
