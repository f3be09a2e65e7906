#include "op3d/torch/torch_status.h"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TorchStatusTest, GivesTheBodysOwnStatus) {
  EXPECT_THAT(CatchTorch([] { return absl::OkStatus(); }), IsOk());
  EXPECT_THAT(CatchTorch([] { return absl::NotFoundError("own"); }),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("own")));
}

TEST(TorchStatusTest, ExceptionsBecomeStatuses) {
  EXPECT_THAT(CatchTorch([]() -> absl::Status { TORCH_CHECK(false, "sizes differ"); }),
              StatusIs(absl::StatusCode::kInternal,
                       AllOf(HasSubstr("LibTorch: sizes differ"), Not(HasSubstr("frame #")))));
  EXPECT_THAT(CatchTorch([]() -> absl::Status { TORCH_CHECK_VALUE(false, "one row"); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one row")));
  EXPECT_THAT(CatchTorch([]() -> absl::Status { throw std::bad_alloc(); }),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("smaller batches")));
  EXPECT_THAT(
      CatchTorch([]() -> absl::Status { TORCH_CHECK_WITH(OutOfMemoryError, false, "8 GiB"); }),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("8 GiB")));
  EXPECT_THAT(CatchTorch([]() -> absl::Status {
                TORCH_CHECK_WITH(OutOfMemoryError, false,
                                 "CUDA out of memory. Tried to allocate 2.00 GiB.");
              }),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("fit_memory")));
  EXPECT_THAT(CatchTorch([]() -> absl::Status { throw std::runtime_error("odd"); }),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("odd")));
}

}  // namespace
}  // namespace op3d
