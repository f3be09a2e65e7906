#include "op3d/network/weights/inflation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/testing/golden_filling.h"

namespace op3d {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

const nlohmann::json& Golden() {
  static const auto* const golden = new nlohmann::json(nlohmann::json::parse(
      ReadFile(RunfilePath("op3d/network/weights/testdata/inflated.json").value()).value(), nullptr,
      false));
  return *golden;
}

// A 2-D ResNet-50 with the golden filling.
class ImageNetwork {
 public:
  ImageNetwork() {
    for (const nlohmann::json& entry : Golden()["source"]) {
      TensorView view;
      view.name = entry["name"];
      view.shape = entry["shape"].get<std::vector<int64_t>>();
      if (absl::EndsWith(view.name, "num_batches_tracked")) {
        view.dtype = DType::kI64;
        data_.push_back(std::string(8, '\0'));
      } else {
        const std::vector<float> values = GoldenFilling(view.name, view.shape, "2d." + view.name);
        data_.push_back(std::string(reinterpret_cast<const char*>(values.data()),
                                    values.size() * sizeof(float)));
      }
      view.data = data_.back();
      weights.push_back(view);
    }
  }
  std::vector<TensorView> weights;

 private:
  std::deque<std::string> data_;
};

const ImageNetwork& Source() {
  static const auto* const source = new ImageNetwork();
  return *source;
}

NetworkDefinition Define(const std::string& name) {
  return DefineNetwork(FindArchitecture(name).value(), 400);
}

class FamilyTest : public testing::TestWithParam<std::string> {};

TEST_P(FamilyTest, EqualsTheGoldenChecksums) {
  ASSERT_OK_AND_ASSIGN(const Inflation inflation, Inflate(Define(GetParam()), Source().weights));
  std::map<std::string, uint32_t> given;
  for (const InflatedTensor& tensor : inflation.tensors) given[tensor.name] = Crc32(tensor.data);
  const nlohmann::json& expected = Golden()["crc32"][GetParam()];
  EXPECT_GT(expected.size(), 50);
  for (const auto& [name, crc] : expected.items()) {
    ASSERT_EQ(given.count(name), 1) << name;
    EXPECT_EQ(given[name], crc.get<uint32_t>()) << name;
  }
  EXPECT_THAT(inflation.ignored, testing::ElementsAre("fc.bias", "fc.weight"));
  EXPECT_THAT(inflation.missing, AllOf(Contains("fc.weight"), testing::Each(HasSubstr("fc"))));
}

INSTANTIATE_TEST_SUITE_P(Cases, FamilyTest,
                         testing::Values("c2d_resnet50", "dg_p3d_resnet50", "i3d_resnet50",
                                         "lgd_p3d_resnet50", "p3d_resnet50", "p3da_resnet50",
                                         "p3dc_resnet50", "r2p1d_resnet50"));

TEST(InflationTest, DoesNotDependOnTheOrderOfTheFile) {
  std::vector<TensorView> sorted = Source().weights;
  std::sort(sorted.begin(), sorted.end(),
            [](const TensorView& a, const TensorView& b) { return a.name > b.name; });
  const Inflation other = Inflate(Define("p3d_resnet50"), sorted).value();
  const Inflation usual = Inflate(Define("p3d_resnet50"), Source().weights).value();
  ASSERT_EQ(other.tensors.size(), usual.tensors.size());
  for (size_t i = 0; i < usual.tensors.size(); ++i) {
    EXPECT_EQ(other.tensors[i].name, usual.tensors[i].name);
    EXPECT_TRUE(other.tensors[i].data == usual.tensors[i].data) << usual.tensors[i].name;
  }
}

TEST(InflationTest, GroupsPassOnTheirOwnChannels) {
  // 32 groups of 4: the kernel of output n picks input n % 4 of its group.
  const NetworkDefinition network = Define("dg_p3d_resnext50_32x4d");
  TensorView view;
  view.name = "layer1.0.conv2.weight";
  view.shape = {128, 4, 3, 3};
  const std::string data(128 * 4 * 9 * sizeof(float), '\0');
  view.data = data;
  ASSERT_OK_AND_ASSIGN(const Inflation inflation, Inflate(network, {view}));
  ASSERT_EQ(inflation.tensors.size(), 2);
  EXPECT_EQ(inflation.tensors[1].name, "layer1.0.conv2_t.weight");
  EXPECT_EQ(inflation.tensors[1].origin, InflatedTensor::Origin::kMade);
  const auto* kernel = reinterpret_cast<const float*>(inflation.tensors[1].data.data());
  for (int n = 0; n < 128; ++n) {
    for (int i = 0; i < 4; ++i) {
      for (int t = 0; t < 3; ++t) {
        EXPECT_EQ(kernel[(n * 4 + i) * 3 + t], i == n % 4 && t == 1 ? 1.0f : 0.0f);
      }
    }
  }
}

TEST(InflationTest, MisfitsAreRefusedWithBothShapes) {
  EXPECT_THAT(Inflate(Define("p3d_resnet18"), Source().weights),
              StatusIs(kInvalid, AllOf(HasSubstr("layer1.0.conv1.weight is [64, 64, 1, 1]"),
                                       HasSubstr("[64, 64, 1, 3, 3]"))));
  EXPECT_THAT(Inflate(Define("dg_p3d_wide_resnet50_2"), Source().weights),
              StatusIs(kInvalid, HasSubstr("does not fit")));
  EXPECT_THAT(Inflate(Define("s3dg"), Source().weights),
              StatusIs(kInvalid, HasSubstr("S3D starts from scratch")));
  EXPECT_THAT(Inflate(Define("p3d_resnet50"), {}), StatusIs(kInvalid, HasSubstr("not a 2-D ResNet")));
}

TEST(InflationTest, TellsImageNetworksFromVideoNetworks) {
  EXPECT_TRUE(IsImageNetwork(Source().weights));
  TensorView view;
  view.name = "conv1.weight";
  view.shape = {64, 3, 4, 7, 7};
  EXPECT_FALSE(IsImageNetwork({view}));
  EXPECT_FALSE(IsImageNetwork({}));
}

}  // namespace
}  // namespace op3d
