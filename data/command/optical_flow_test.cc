#include "data/command/optical_flow.h"

#include <cmath>

#include "op3d/base/status_macros.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/thread/parallel.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

constexpr int kWidth = 96, kHeight = 64;

// A texture whose content has moved right and down.
GreyImage Texture(double right, double down) {
  GreyImage image = {kWidth, kHeight, {}};
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const double u = x - right, v = y - down;
      const double value = 128 + 40 * std::sin(0.31 * u + 0.17 * v) + 40 * std::sin(0.23 * v) +
                           30 * std::sin(0.41 * u - 0.29 * v);
      image.pixels.push_back(static_cast<uint8_t>(std::lround(value)));
    }
  }
  return image;
}

// The mean motion in the middle.
std::pair<double, double> Middle(const FlowField& field) {
  double x = 0, y = 0;
  int count = 0;
  for (int row = kHeight / 4; row < 3 * kHeight / 4; ++row) {
    for (int column = kWidth / 4; column < 3 * kWidth / 4; ++column, ++count) {
      x += field.moves[2 * (row * kWidth + column)];
      y += field.moves[2 * (row * kWidth + column) + 1];
    }
  }
  return {x / count, y / count};
}

TEST(OpticalFlowTest, FindsHowATextureMoves) {
  for (const char* method : {"dis", "farneback"}) {
    const absl::StatusOr<OpticalFlow> flow = OpticalFlow::Load(method);
    if (absl::IsUnimplemented(flow.status())) {
      EXPECT_THAT(flow.status().message(), HasSubstr("apt-get install libopencv-video-dev"));
      continue;
    }
    ASSERT_THAT(flow, IsOk());
    FlowField field, again;
    ASSERT_THAT(flow->Compute(Texture(0, 0), Texture(3, -2), &field), IsOk());
    EXPECT_NEAR(Middle(field).first, 3, 0.2) << method;
    EXPECT_NEAR(Middle(field).second, -2, 0.2) << method;
    ASSERT_THAT(flow->Compute(Texture(0, 0), Texture(3, -2), &again), IsOk());
    EXPECT_EQ(again.moves, field.moves);
    EXPECT_THAT(flow->Compute(Texture(0, 0), {8, 8, std::vector<uint8_t>(64)}, &field),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("to one of 8x8")));
  }
  EXPECT_THAT(OpticalFlow::Load("tvl1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("none of: dis, farneback")));
}

TEST(OpticalFlowTest, ThreadsDoNotMeet) {
  for (const char* method : {"dis", "farneback"}) {
    const absl::StatusOr<OpticalFlow> flow = OpticalFlow::Load(method);
    if (absl::IsUnimplemented(flow.status())) continue;
    ASSERT_THAT(flow, IsOk());
    FlowField alone;
    ASSERT_THAT(flow->Compute(Texture(0, 0), Texture(2, 1), &alone), IsOk());
    EXPECT_THAT(
        InParallel(/*threads=*/4, /*count=*/200,
                   [&](int64_t) -> absl::Status {
                     FlowField field;
                     OP3D_RETURN_IF_ERROR(flow->Compute(Texture(0, 0), Texture(2, 1), &field));
                     return field.moves == alone.moves
                                ? absl::OkStatus()
                                : absl::InternalError("another flow than alone");
                   }),
        IsOk());
  }
}

TEST(OpticalFlowTest, PicturesHoldTheMovesWithinTheBound) {
  const FlowField field = {3, 1, {0, -20, 20, 10, 35, -99}};
  GreyImage x, y;
  EncodeFlow(field, 20, &x, &y);
  EXPECT_THAT(x.pixels, testing::ElementsAre(128, 255, 255));
  EXPECT_THAT(y.pixels, testing::ElementsAre(0, 191, 0));
}

TEST(OpticalFlowTest, GreyIsTheBrightness) {
  const RgbImage image = {2, 1, {255, 255, 255, 255, 0, 0}};
  EXPECT_THAT(GreyOf(image).pixels, testing::ElementsAre(255, 76));
}

}  // namespace
}  // namespace op3d::data
