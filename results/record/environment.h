// The machine and the program that made a record.
//
//   Environment environment = CollectEnvironment(threads, "cpu", "portable (AVX2)",
//                                               {"libtorch 2.11.0"});
//   ...                                               // the run
//   environment.set_finished(RecordTime(absl::Now()));
//   record.mutable_time()->set_peak_memory_mib(PeakMemoryMib());
#ifndef OP3D_RESULTS_RECORD_ENVIRONMENT_H_
#define OP3D_RESULTS_RECORD_ENVIRONMENT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

// Start time, commit, host, processor, cores, GPUs and loaded libraries are determined here, the
// rest is given;
// `arithmetic` is ArithmeticInUse() (op3d/torch), `libraries` are "name version".  Unknown values
// are "unknown".  Never fails.
Environment CollectEnvironment(int threads, absl::string_view device, absl::string_view arithmetic,
                               const std::vector<std::string>& libraries);

// RFC 3339 in UTC, to the second: "2024-05-01T12:00:00Z".
std::string RecordTime(absl::Time time);

// The peak resident memory of this process so far, in MiB.
double PeakMemoryMib();

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_ENVIRONMENT_H_
