// For tests: is a page or a picture well-formed?
#ifndef OP3D_RESULTS_TESTING_MARKUP_CHECKER_H_
#define OP3D_RESULTS_TESTING_MARKUP_CHECKER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace op3d::results {

// "" when every element is closed in order and every attribute quoted and standing once; else what
// is wrong and where.  Knows the elements of HTML that have no end (<meta>, <br>, ...); <style> is
// taken as text.
std::string MarkupProblem(absl::string_view markup);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_TESTING_MARKUP_CHECKER_H_
