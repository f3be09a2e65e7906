// The golden cases of testdata/ for the planner's tests.
#ifndef OP3D_PLANNER_TESTING_GOLDEN_CASES_H_
#define OP3D_PLANNER_TESTING_GOLDEN_CASES_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"

namespace op3d::planner {

// `name` of planner/testing/testdata; null if it does not exist or is not JSON.
inline nlohmann::json ReadGolden(const std::string& name) {
  const auto path = RunfilePath("planner/testing/testdata/" + name);
  const auto text = path.ok() ? ReadFile(*path) : path.status();
  return text.ok() ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
}

// NaN and infinities are written as strings.
inline double GoldenNumber(const nlohmann::json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

inline std::vector<double> GoldenNumbers(const nlohmann::json& values) {
  std::vector<double> numbers;
  for (const nlohmann::json& value : values) numbers.push_back(GoldenNumber(value));
  return numbers;
}

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_TESTING_GOLDEN_CASES_H_
