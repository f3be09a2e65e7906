#include "op3d/gpu/convolution_choice.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::gpu {
namespace {

ConvolutionShape Shape(int64_t frames) {
  ConvolutionShape shape;
  shape.input = {8, frames, 56, 56, 64};
  shape.out_channels = 64;
  shape.kernel = {1, 3, 3};
  shape.stride = {1, 1, 1};
  shape.padding = {0, 1, 1};
  shape.type = "bf16";
  return shape;
}

// Clips are faster from 16 frames on; counts the measurements.
struct Measure {
  int64_t frames;
  int* count;
  double operator()(ConvolutionForm form) const {
    ++*count;
    return (form == ConvolutionForm::kClips) == (frames >= 16) ? 1 : 2;
  }
};

TEST(ConvolutionChoicesTest, MeasuresOnceAndKeepsTheFaster) {
  const std::string path = testing::TempDir() + "/choices/one.json";
  int count = 0;
  {
    ConvolutionChoices choices("GPU", path);
    for (int again = 0; again < 2; ++again) {
      EXPECT_EQ(choices.Choose(Shape(4), Measure{4, &count}), ConvolutionForm::kImages);
      EXPECT_EQ(choices.Choose(Shape(16), Measure{16, &count}), ConvolutionForm::kClips);
    }
    EXPECT_EQ(count, 4);
  }
  ConvolutionChoices again("GPU", path);
  EXPECT_EQ(again.Choose(Shape(16), Measure{16, &count}), ConvolutionForm::kClips);
  EXPECT_EQ(count, 4);
  // Another device does not use them.
  ConvolutionChoices other("another GPU", path);
  EXPECT_EQ(other.Choose(Shape(16), Measure{4, &count}), ConvolutionForm::kImages);
  EXPECT_EQ(count, 6);
}

TEST(ConvolutionChoicesTest, DeterministicMeasuresNothing) {
  ConvolutionChoices choices("GPU", "");
  choices.SetDeterministic(true);
  int count = 0;
  EXPECT_EQ(choices.Choose(Shape(16), Measure{16, &count}), ConvolutionForm::kImages);
  EXPECT_EQ(count, 0);
}

TEST(ConvolutionChoicesTest, AFormThatCannotRunIsNotChosen) {
  ConvolutionChoices choices("GPU", "");
  const auto seconds = [](ConvolutionForm form) {
    return form == ConvolutionForm::kImages ? std::numeric_limits<double>::infinity() : 5.0;
  };
  EXPECT_EQ(choices.Choose(Shape(4), seconds), ConvolutionForm::kClips);
}

// One form found no memory, which says nothing about other runs.
TEST(ConvolutionChoicesTest, WhatIsNotKnownIsNotKept) {
  const std::string path = testing::TempDir() + "/choices_unknown.json";
  ConvolutionChoices choices("GPU", path);
  int count = 0;
  const auto unknown = [&count](ConvolutionForm form) {
    ++count;
    return form == ConvolutionForm::kImages ? 5.0 : std::nan("");
  };
  EXPECT_EQ(choices.Choose(Shape(16), unknown), ConvolutionForm::kImages);
  EXPECT_EQ(choices.Choose(Shape(16), unknown), ConvolutionForm::kImages);
  EXPECT_EQ(count, 2);
  EXPECT_EQ(choices.Choose(Shape(4), Measure{4, &count}), ConvolutionForm::kImages);
  ConvolutionChoices later("GPU", path);
  EXPECT_EQ(later.Choose(Shape(16), Measure{16, &count}), ConvolutionForm::kClips);
  EXPECT_EQ(count, 6);
}

TEST(ConvolutionChoicesTest, ADamagedFileIsLikeNone) {
  const std::string path = testing::TempDir() + "/choices_damaged.json";
  for (const char* text : {"", "{", "[1]", R"({"device": "GPU", "shapes": {"a": 1}})",
                           R"({"device": "GPU", "shapes": 3})"}) {
    ASSERT_THAT(WriteFileAtomically(path, text), IsOk());
    ConvolutionChoices choices("GPU", path);
    int count = 0;
    EXPECT_EQ(choices.Choose(Shape(16), Measure{16, &count}), ConvolutionForm::kClips);
    EXPECT_EQ(count, 2);
  }
}

TEST(ConvolutionChoicesPathTest, IsInTheCachesFolder) {
  setenv("OP3D_GPU_CACHE", "/cache", 1);
  EXPECT_EQ(ConvolutionChoicesPath("NVIDIA H200"), "/cache/convolutions_NVIDIA_H200.json");
  unsetenv("OP3D_GPU_CACHE");
  setenv("XDG_CACHE_HOME", "/x", 1);
  EXPECT_EQ(ConvolutionChoicesPath("a/b"), "/x/op3d/convolutions_a_b.json");
}

}  // namespace
}  // namespace op3d::gpu
