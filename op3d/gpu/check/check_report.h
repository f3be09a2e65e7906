// What gpu_check found: named checks with their limits, and figures, as one JSON record.
//
//   CheckReport report;
//   report.Limit("logits of dg_p3d_resnet18", difference, /*limit=*/1e-3);
//   report.Figure("training", {{"network", "dg_p3d_resnet50"}, {"clips_per_second", 412.0}});
//   std::cout << report.ToJson().dump(2);
#ifndef OP3D_GPU_CHECK_CHECK_REPORT_H_
#define OP3D_GPU_CHECK_CHECK_REPORT_H_

#include <iostream>
#include <string>
#include <utility>

#include "nlohmann/json.hpp"

namespace op3d::gpu {

// Not thread-safe.
class CheckReport {
 public:
  // Passed if `value` is at most `limit`; NaN fails.
  void Limit(const std::string& name, double value, double limit) {
    Add({{"name", name}, {"passed", value <= limit}, {"value", value}, {"limit", limit}});
  }
  void Expect(const std::string& name, bool passed, const std::string& detail = "") {
    Add({{"name", name}, {"passed", passed}, {"detail", detail}});
  }
  void Figure(const std::string& kind, nlohmann::json figure) {
    std::cout << kind << "  " << figure.dump() << std::endl;
    figures_[kind].push_back(std::move(figure));
  }
  void Note(const std::string& name, nlohmann::json value) { notes_[name] = std::move(value); }

  int failed() const { return failed_; }
  nlohmann::json ToJson() const {
    nlohmann::json all = notes_;
    all["passed"] = failed_ == 0;
    all["failed"] = failed_;
    all["checks"] = checks_;
    all["figures"] = figures_;
    return all;
  }

 private:
  void Add(nlohmann::json check) {
    const bool passed = check["passed"];
    if (!passed) ++failed_;
    std::cout << (passed ? "ok      " : "FAILED  ") << check["name"].get<std::string>();
    if (check.contains("value")) std::cout << "  " << check["value"] << " <= " << check["limit"];
    if (!check.value("detail", "").empty()) std::cout << "  " << check.value("detail", "");
    std::cout << std::endl;
    checks_.push_back(std::move(check));
  }

  int failed_ = 0;
  nlohmann::json checks_ = nlohmann::json::array(), figures_ = nlohmann::json::object(),
                 notes_ = nlohmann::json::object();
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CHECK_CHECK_REPORT_H_
