// What gpu_check found: named checks with their limits, and figures, as one JSON record, which is
// written again after each of them: it is complete up to the moment at which a process ends.
//
//   CheckReport report;
//   report.RecordTo("gpu_check.json");
//   report.Part("networks");
//   report.Limit("logits of dg_p3d_resnet18", difference, /*limit=*/1e-3);
//   report.Figure("training", {{"network", "dg_p3d_resnet50"}, {"clips_per_second", 412.0}});
//   OP3D_RETURN_IF_ERROR(report.Complete());
#ifndef OP3D_GPU_CHECK_CHECK_REPORT_H_
#define OP3D_GPU_CHECK_CHECK_REPORT_H_

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "nlohmann/json.hpp"

namespace op3d::gpu {

// Prints every line with the seconds since it was made.  Not thread-safe.
class CheckReport {
 public:
  using Json = nlohmann::json;

  // From here on the record is in `path`, "complete": false until Complete().  The first error is
  // printed and returned, and again by Complete().
  absl::Status RecordTo(const std::string& path);

  // Passed if `value` is at most `limit`; NaN fails.  `facts`, an object, is recorded with the
  // check.
  void Limit(const std::string& name, double value, double limit, const Json& facts = Json());
  void Expect(const std::string& name, bool passed, const std::string& detail = "");
  // Passed if `difference` is empty, as of BitDifference().
  void Same(const std::string& name, const std::string& difference);
  // An error is a failed check; OK is nothing.
  void Keep(const std::string& name, const absl::Status& status);

  void Figure(const std::string& kind, Json figure);
  void Note(const std::string& name, Json value);
  // Ends the part before it.  The record has the seconds of each.
  void Part(const std::string& name);

  // The end of the record.  Internal and others if it could not be written.
  absl::Status Complete();

  int failed() const { return failed_; }
  double seconds() const;
  Json ToJson() const;

 private:
  using Clock = std::chrono::steady_clock;
  void Add(Json check);
  void Print(const std::string& line) const;
  void Write();

  const Clock::time_point start_ = Clock::now();
  std::string path_;
  absl::Status written_;
  int failed_ = 0;
  bool complete_ = false;
  std::string part_;
  double part_start_ = 0;
  Json checks_ = Json::array(), figures_ = Json::object(), notes_ = Json::object(),
       part_seconds_ = Json::object();
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CHECK_CHECK_REPORT_H_
