#include "op3d/base/program/assignments.h"

namespace op3d {

bool AbslParseFlag(absl::string_view text, Assignments* assignments, std::string* error) {
  if (!text.empty() && text.find('=') == absl::string_view::npos) {
    *error = "write path.to.field=value";
    return false;
  }
  static std::vector<std::string>* all = new std::vector<std::string>;
  // Each value is parsed twice, once as a check; the list then holds all of them twice, in order,
  // which assigns the same.
  if (!text.empty() && (all->empty() || all->back() != text)) all->push_back(std::string(text));
  assignments->values = *all;
  return true;
}

std::string AbslUnparseFlag(const Assignments& assignments) {
  return assignments.values.empty() ? "" : assignments.values.back();
}

}  // namespace op3d
