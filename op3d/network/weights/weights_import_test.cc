#include "op3d/network/weights/weights_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "absl/strings/match.h"
#include "op3d/base/status_matchers.h"
#include "op3d/network/state_entries.h"

namespace op3d {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

NetworkDefinition Miniature(int64_t classes) {
  return DefineNetwork(FindArchitecture("dg_p3d_miniature").value(), classes);
}

// A safetensors file of the definition's entries, but those that `keep` does not want; names with
// `prefix`.
template <typename Keep>
Checkpoint File(const NetworkDefinition& network, const std::string& prefix, Keep keep) {
  std::deque<std::string> data;
  std::vector<TensorView> views;
  for (const StateEntry& entry : StateEntries(network)) {
    if (!keep(entry.name)) continue;
    const DType dtype = entry.kind == EntryKind::kBatchCounter ? DType::kI64 : DType::kF32;
    data.push_back(std::string(static_cast<size_t>(ElementCount(entry) * DTypeSize(dtype)), '\0'));
    views.push_back({prefix + entry.name, dtype, entry.shape, data.back()});
  }
  return Checkpoint::Parse(SerializeSafetensors(views, {}).value(), "test").value();
}

bool All(const std::string&) { return true; }

TEST(WeightsImportTest, ItsOwnWeightsAreMappedWhole) {
  for (const char* prefix : {"", "module."}) {
    const Checkpoint file = File(Miniature(5), prefix, All);
    ASSERT_OK_AND_ASSIGN(const ImportedWeights weights, ImportWeights(Miniature(5), file));
    EXPECT_EQ(weights.report.mapped.size(), StateEntries(Miniature(5)).size());
    EXPECT_THAT(weights.report.missing, IsEmpty());
    EXPECT_THAT(weights.report.ignored, IsEmpty());
    EXPECT_EQ(CountClasses(file.Weights()), 5);
  }
}

TEST(WeightsImportTest, ClassifiersForOtherClassesAreLeft) {
  const Checkpoint file = File(Miniature(7), "", All);
  ASSERT_OK_AND_ASSIGN(const ImportedWeights weights, ImportWeights(Miniature(5), file));
  EXPECT_THAT(weights.report.missing,
              ElementsAre("fc.weight", "fc.bias", "fc_dual.weight", "fc_dual.bias"));
  EXPECT_EQ(weights.report.ignored.size(), 4);
  EXPECT_THAT(CheckStart(Miniature(5), weights.report), IsOk());
}

TEST(WeightsImportTest, ALackingConvolutionIsNoStart) {
  const Checkpoint file = File(Miniature(5), "", [](const std::string& name) {
    return name != "layer2.0.conv2.weight" && !absl::EndsWith(name, "num_batches_tracked");
  });
  ASSERT_OK_AND_ASSIGN(const ImportedWeights weights, ImportWeights(Miniature(5), file));
  EXPECT_THAT(CheckStart(Miniature(5), weights.report),
              StatusIs(kInvalid, HasSubstr("the file lacks layer2.0.conv2.weight;")));
}

TEST(WeightsImportTest, AnotherNetworkIsRefusedWithBothShapes) {
  Architecture wider = FindArchitecture("dg_p3d_miniature").value();
  wider.width = 16;
  const Checkpoint file = File(DefineNetwork(wider, 5), "", All);
  EXPECT_THAT(ImportWeights(Miniature(5), file).status(),
              StatusIs(kInvalid, testing::AllOf(HasSubstr("conv1.weight is [16, 3, 4, 7, 7]"),
                                                HasSubstr("the network has [8, 3, 4, 7, 7]"))));
  const NetworkDefinition s3d = DefineNetwork(FindArchitecture("s3d").value(), 5);
  const Checkpoint trunk = File(s3d, "", [](const std::string& name) { return name[0] != 'f'; });
  EXPECT_THAT(ImportWeights(Miniature(5), trunk).status(),
              StatusIs(kInvalid, HasSubstr("none of the file's")));
}

TEST(WeightsImportTest, EitherOfTwoNamesIsEnough) {
  const NetworkDefinition s3d = DefineNetwork(FindArchitecture("s3d").value(), 5);
  const Checkpoint file =
      File(s3d, "", [](const std::string& name) { return name[0] == 'b' || name[0] == 'f'; });
  ASSERT_OK_AND_ASSIGN(const ImportedWeights weights, ImportWeights(s3d, file));
  EXPECT_THAT(weights.report.missing, IsEmpty());
}

}  // namespace
}  // namespace op3d
