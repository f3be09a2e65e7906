#include "results/export/yaml.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"

namespace op3d::results {

std::string YamlText(absl::string_view text) {
  using nlohmann::json;
  return json(std::string(text)).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string YamlNumber(double value) {
  std::string text = absl::StrFormat("%.6f", value);
  while (text.back() == '0') text.pop_back();
  return text.back() == '.' ? text + "0" : text;
}

}  // namespace op3d::results
