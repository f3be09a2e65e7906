#include "op3d/base/require.h"

#include <cstdint>
#include <limits>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(RequireTest, SaysFieldValueAndLimits) {
  EXPECT_THAT(Require(true, "rate", 0.1, "above 0"), IsOk());
  EXPECT_THAT(Require(false, "rate", -0.5, "above 0"),
              StatusIs(kInvalid, "rate is -0.5; it must be above 0"));
  // A large whole number with all its digits.
  EXPECT_THAT(Require(false, "clips", int64_t{12345678901}, "at most 4096"),
              StatusIs(kInvalid, "clips is 12345678901; it must be at most 4096"));
}

TEST(RequireTest, LimitsAreAllowedThemselves) {
  EXPECT_THAT(RequireAtLeast("epochs", 1, 1), IsOk());
  EXPECT_THAT(RequireAtLeast("epochs", 0, 1),
              StatusIs(kInvalid, "epochs is 0; it must be at least 1"));
  for (const double hue : {0.0, 0.25, 0.5}) EXPECT_THAT(RequireIn("hue", hue, 0, 0.5), IsOk());
  EXPECT_THAT(RequireIn("hue", 0.6, 0, 0.5),
              StatusIs(kInvalid, "hue is 0.6; it must be in [0, 0.5]"));
  EXPECT_THAT(RequireIn("hue", -1, 0, 0.5),
              StatusIs(kInvalid, "hue is -1; it must be in [0, 0.5]"));
}

TEST(RequireTest, ANumberThatIsNoneIsRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(RequireAtLeast("share", nan, 0),
              StatusIs(kInvalid, "share is nan; it must be at least 0"));
  EXPECT_THAT(RequireIn("share", nan, 0, 1),
              StatusIs(kInvalid, "share is nan; it must be in [0, 1]"));
}

}  // namespace
}  // namespace op3d
