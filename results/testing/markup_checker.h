// For tests: checks that a page or a picture is well-formed.
#ifndef OP3D_RESULTS_TESTING_MARKUP_CHECKER_H_
#define OP3D_RESULTS_TESTING_MARKUP_CHECKER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace op3d::results {

// "" if every element is closed in order and every attribute is quoted and unique; otherwise the
// error and its position.  Knows the elements of HTML that have no end (<meta>, <br>, ...); <style>
// is treated as text.
std::string MarkupProblem(absl::string_view markup);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_TESTING_MARKUP_CHECKER_H_
