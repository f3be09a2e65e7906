// GoogleTest matchers for absl::Status and absl::StatusOr (Debian's Abseil has none yet).
//
//   EXPECT_THAT(Save(), IsOk());
//   EXPECT_THAT(Load("x"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("x")));
//   ASSERT_OK_AND_ASSIGN(Plan plan, Load("y"));
#ifndef OP3D_BASE_TESTING_STATUS_MATCHERS_H_
#define OP3D_BASE_TESTING_STATUS_MATCHERS_H_

#include <gmock/gmock.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/base/status_macros.h"

namespace op3d {

inline absl::Status StatusOf(const absl::Status& status) { return status; }
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

MATCHER_P2(StatusIs, code, message,
           "has code " + absl::StatusCodeToString(code) + " and a message that " +
               testing::DescribeMatcher<std::string>(message, negation)) {
  const absl::Status status = StatusOf(arg);
  *result_listener << status.ToString();
  return status.code() == code &&
         testing::ExplainMatchResult(message, std::string(status.message()), result_listener);
}

}  // namespace op3d

#define ASSERT_OK_AND_ASSIGN(target, expression) \
  ASSERT_OK_AND_ASSIGN_IMPL_(OP3D_CONCAT_(op3d_test_, __LINE__), target, expression)
#define ASSERT_OK_AND_ASSIGN_IMPL_(status_or, target, expression) \
  auto status_or = (expression);                                  \
  ASSERT_THAT(status_or, op3d::IsOk());                           \
  target = *std::move(status_or)

#endif  // OP3D_BASE_TESTING_STATUS_MATCHERS_H_
