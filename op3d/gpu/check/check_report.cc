#include "op3d/gpu/check/check_report.h"

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "op3d/base/file.h"

namespace op3d::gpu {
namespace {

// Messages of a driver may have bytes that are no UTF-8.
std::string Text(const nlohmann::json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

absl::Status CheckReport::RecordTo(const std::string& path) {
  path_ = path;
  Write();
  return written_;
}

void CheckReport::Limit(const std::string& name, double value, double limit, const Json& facts) {
  Json check = facts.is_object() ? facts : Json::object();
  check.update({{"name", name}, {"passed", value <= limit}, {"value", value}, {"limit", limit}});
  Add(std::move(check));
}

void CheckReport::Expect(const std::string& name, bool passed, const std::string& detail) {
  Add({{"name", name}, {"passed", passed}, {"detail", detail}});
}

void CheckReport::Same(const std::string& name, const std::string& difference) {
  Expect(name, difference.empty(), difference);
}

void CheckReport::Keep(const std::string& name, const absl::Status& status) {
  if (!status.ok()) Expect(name, false, std::string(status.message()));
}

void CheckReport::Figure(const std::string& kind, Json figure) {
  Print(absl::StrCat(kind, "  ", Text(figure, -1)));
  figures_[kind].push_back(std::move(figure));
  Write();
}

void CheckReport::Note(const std::string& name, Json value) {
  notes_[name] = std::move(value);
  Write();
}

void CheckReport::Part(const std::string& name) {
  if (!part_.empty()) part_seconds_[part_] = seconds() - part_start_;
  part_ = name;
  part_start_ = seconds();
  Write();
}

absl::Status CheckReport::Complete() {
  Part("");
  complete_ = true;
  Write();
  return written_;
}

double CheckReport::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

CheckReport::Json CheckReport::ToJson() const {
  Json all = notes_;
  all["complete"] = complete_;
  all["passed"] = failed_ == 0;
  all["failed"] = failed_;
  all["checks"] = checks_;
  all["figures"] = figures_;
  all["seconds"] = seconds();
  all["part_seconds"] = part_seconds_;
  if (!part_.empty()) all["part_seconds"][part_] = seconds() - part_start_;
  return all;
}

void CheckReport::Add(Json check) {
  const bool passed = check["passed"];
  if (!passed) ++failed_;
  std::string line = passed ? "ok      " : "FAILED  ";
  absl::StrAppend(&line, check["name"].get<std::string>());
  for (const auto& [key, value] : check.items()) {
    if (key == "name" || key == "passed" || key == "limit" || key == "detail") continue;
    absl::StrAppend(&line, "  ", key == "value" ? "" : key + " ", Text(value, -1));
    if (key == "value") absl::StrAppend(&line, " <= ", Text(check["limit"], -1));
  }
  const std::string detail = check.value("detail", "");
  if (!detail.empty()) absl::StrAppend(&line, "  ", detail);
  Print(line);
  checks_.push_back(std::move(check));
  Write();
}

void CheckReport::Print(const std::string& line) const {
  std::cout << absl::StrFormat("%7.1f s  ", seconds()) << line << std::endl;
}

void CheckReport::Write() {
  if (path_.empty()) return;
  const absl::Status status = WriteFileAtomically(path_, Text(ToJson(), 2) + "\n");
  if (status.ok() || !written_.ok()) return;
  written_ = status;
  std::cerr << "the record cannot be written: " << status.message() << std::endl;
}

}  // namespace op3d::gpu
