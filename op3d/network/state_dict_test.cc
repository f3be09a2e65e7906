#include "op3d/network/state_dict.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/network.h"

namespace op3d {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

std::unique_ptr<Network> Miniature(uint64_t seed = 1) {
  return Network::Make({"dg_p3d_miniature", 5}, seed).value();
}

TEST(StateDictTest, EitherNameOfATensorIsEnough) {
  auto network = Network::Make({"s3dg", 5}, 1).value();
  const auto other = Network::Make({"s3dg", 5}, 2).value();
  NamedTensors second_names;
  for (const auto& [name, tensor] : other->StateDict()) {
    if (name.rfind("block", 0) == 0 || name.rfind("fc", 0) == 0) {
      second_names.emplace_back(name, tensor);
    }
  }
  ASSERT_THAT(network->LoadStateDict(second_names), IsOk());
  const auto loaded = StateDictByName(network->StateDict());
  for (const auto& [name, tensor] : other->StateDict()) {
    EXPECT_TRUE(at::equal(tensor, loaded.at(name))) << name;
  }
  second_names.erase(second_names.begin());
  EXPECT_THAT(network->LoadStateDict(second_names),
              StatusIs(kInvalid, HasSubstr("missing: Conv_1a.conv1.weight")));
}

TEST(StateDictTest, AForeignStateDictIsRefusedWhole) {
  const auto network = Miniature();
  NamedTensors tensors = network->StateDict();
  const at::Tensor before = tensors[0].second.detach().clone();
  tensors[0].second = at::zeros({8, 3, 4, 5, 5});
  tensors[1].first = "bn7.weight";
  EXPECT_THAT(
      network->LoadStateDict(tensors),
      StatusIs(kInvalid,
               AllOf(HasSubstr("conv1.weight is [8, 3, 4, 5, 5] where the network has "
                               "[8, 3, 4, 7, 7]"),
                     HasSubstr("missing: bn1.weight"), HasSubstr("unexpected: bn7.weight"))));
  EXPECT_TRUE(at::equal(network->Parameters()[0].second, before));
  EXPECT_THAT(network->LoadStateDict({}), StatusIs(kInvalid, HasSubstr("and 129 more")));
}

TEST(StateDictTest, TakesTheNamesOfDataParallelTrainingAndOfFrozenLayers) {
  const auto network = Miniature();
  NamedTensors tensors;
  for (const auto& [name, tensor] : Miniature(5)->StateDict()) {
    if (absl::EndsWith(name, "num_batches_tracked")) continue;
    tensors.emplace_back(absl::StrCat("module.", name), tensor);
  }
  ASSERT_THAT(network->LoadStateDict(tensors), IsOk());
  EXPECT_TRUE(at::equal(network->Parameters()[0].second, tensors[0].second));
}

}  // namespace
}  // namespace op3d
