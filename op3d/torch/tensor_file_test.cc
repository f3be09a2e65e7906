#include "op3d/torch/tensor_file.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(TensorFileTest, WhatIsWrittenIsRead) {
  const std::string path = TestFolder("tensor_file") + "/a.safetensors";
  const at::Tensor grid = at::arange(6, at::kFloat).view({2, 3});
  const NamedTensors tensors = {
      {"transposed", grid.t()},         {"learning", grid.clone().set_requires_grad(true)},
      {"half", grid.to(at::kBFloat16)}, {"count", at::scalar_tensor(7, at::kLong)},
      {"mask", grid.to(at::kBool)},     {"none", at::zeros({0, 4})}};
  ASSERT_THAT(WriteTensors(path, tensors, {{"epoch", "3"}}), IsOk());
  ASSERT_OK_AND_ASSIGN(const TensorFile file, ReadTensors(path));
  EXPECT_THAT(file.metadata, ElementsAre(Pair("epoch", "3")));
  ASSERT_EQ(file.tensors.size(), tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    for (const auto& [written_name, written] : tensors) {
      if (name != written_name) continue;
      EXPECT_EQ(tensor.scalar_type(), written.scalar_type()) << name;
      EXPECT_TRUE(at::equal(tensor, written)) << name;
      EXPECT_FALSE(tensor.requires_grad());
    }
  }
}

TEST(TensorFileTest, ErrorsNameFileAndTensor) {
  const std::string folder = TestFolder("tensor_file_errors");
  EXPECT_THAT(ReadTensors(folder + "/none.safetensors"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.safetensors")));
  ASSERT_THAT(WriteFileAtomically(folder + "/cut.safetensors", "1234"), IsOk());
  EXPECT_THAT(ReadTensors(folder + "/cut.safetensors"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut.safetensors")));
  EXPECT_THAT(WriteTensors(folder + "/x", {{"z", at::zeros({2}, at::kComplexFloat)}}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'z' has element type")));
  EXPECT_FALSE(FileExists(folder + "/x"));
}

}  // namespace
}  // namespace op3d
