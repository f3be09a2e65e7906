#include "op3d/gpu/clip_copier.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

namespace op3d::gpu {
namespace {

TEST(ClipCopierTest, GivesTheClipsInOrderFromTwoBuffers) {
  ClipCopier copier(at::kCPU);
  at::Tensor clips = at::full({2, 3}, 1.0f);
  copier.Start(clips);
  clips.fill_(2);  // may change after Start
  copier.Start(clips);
  const at::Tensor first = copier.Take(), second = copier.Take();
  EXPECT_TRUE(first.equal(at::full({2, 3}, 1.0f)));
  EXPECT_TRUE(second.equal(at::full({2, 3}, 2.0f)));
  clips.fill_(3);
  copier.Start(clips);
  EXPECT_EQ(copier.Take().data_ptr(), first.data_ptr());
  EXPECT_TRUE(first.equal(at::full({2, 3}, 3.0f)));
  // The last batch of an epoch may be smaller.
  copier.Start(at::full({1, 3}, 4.0f));
  EXPECT_TRUE(copier.Take().equal(at::full({1, 3}, 4.0f)));
}

TEST(ClipCopierTest, WrongOrderIsAnError) {
  ClipCopier copier(at::kCPU);
  EXPECT_ANY_THROW(copier.Take());
  copier.Start(at::full({1}, 1.0f));
  copier.Start(at::full({1}, 1.0f));
  EXPECT_ANY_THROW(copier.Start(at::full({1}, 1.0f)));
}

}  // namespace
}  // namespace op3d::gpu
