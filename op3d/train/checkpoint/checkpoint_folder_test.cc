#include "op3d/train/checkpoint/checkpoint_folder.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kNumbers = "abcdefgh";
const std::vector<TensorView> kTensors = {{"w", DType::kF32, {2}, kNumbers}};

std::string FileOf(const std::string& folder, int epochs, int step) {
  return JoinPath(folder, absl::StrCat("checkpoint_", absl::Dec(epochs, absl::kZeroPad5), "_",
                                       absl::Dec(step, absl::kZeroPad7), ".safetensors"));
}

void WriteEpochs(const std::string& folder, int epochs, const CheckpointOptions& options = {}) {
  CheckpointFolder checkpoints(folder, options);
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    ASSERT_THAT(checkpoints.Write({epoch, 0}, kTensors, {{"epochs", absl::StrCat(epoch)}}), IsOk());
  }
  ASSERT_THAT(checkpoints.Flush(), IsOk());
}

std::string Newest(const std::string& folder) {
  CheckpointFolder checkpoints(folder, {});
  const auto newest = checkpoints.ReadNewest();
  EXPECT_THAT(newest, IsOk());
  return newest.ok() && newest->has_value() ? (*newest)->metadata().at("epochs") : "none";
}

TEST(CheckpointFolderTest, TheNewestComesBackAndTheOldestGo) {
  const std::string folder = TestFolder("newest");
  EXPECT_EQ(Newest(folder), "none");
  WriteEpochs(folder, 5);
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder));
  EXPECT_THAT(names, ElementsAre("checkpoint_00004_0000000.safetensors",
                                 "checkpoint_00005_0000000.safetensors"));
  CheckpointFolder checkpoints(folder, {});
  ASSERT_OK_AND_ASSIGN(const auto newest, checkpoints.ReadNewest());
  EXPECT_EQ(newest->metadata().at("epochs"), "5");
  EXPECT_EQ(newest->Find("w")->data, kNumbers);
  // A position inside the next epoch is newer than its beginning.
  ASSERT_THAT(checkpoints.Write({5, 12}, kTensors, {{"epochs", "5 and more"}}), IsOk());
  ASSERT_THAT(checkpoints.Flush(), IsOk());
  EXPECT_EQ(Newest(folder), "5 and more");
  ASSERT_THAT(checkpoints.RemoveAll(), IsOk());
  EXPECT_THAT(*ListFolder(folder), IsEmpty());
}

// A loss that diverges in a long epoch goes back to the epoch's beginning.
TEST(CheckpointFolderTest, TheNewestEndOfAnEpochStays) {
  const std::string folder = TestFolder("inside");
  WriteEpochs(folder, 3);
  CheckpointFolder checkpoints(folder, {});
  for (const int64_t micro_batches : {10, 20, 30}) {
    ASSERT_THAT(checkpoints.Write({3, micro_batches}, kTensors, {{"epochs", "3 and more"}}),
                IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto back, checkpoints.Rollback(3));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->metadata().at("epochs"), "3");
}

TEST(CheckpointFolderTest, AnchorsStay) {
  const std::string folder = TestFolder("anchors");
  WriteEpochs(folder, 7, {/*kept=*/1, /*anchor_epochs=*/3});
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder));
  EXPECT_EQ(names.size(), 3);
  CheckpointFolder checkpoints(folder, {});
  ASSERT_OK_AND_ASSIGN(const auto anchor, checkpoints.Rollback(5));
  EXPECT_EQ(anchor->metadata().at("epochs"), "3");
  EXPECT_EQ(Newest(folder), "3");  // 6 and 7 are gone
  ASSERT_OK_AND_ASSIGN(const auto none, checkpoints.Rollback(2));
  EXPECT_FALSE(none.has_value());
}

TEST(CheckpointFolderTest, OneDamagedByteIsNoticedWhereverItIs) {
  ASSERT_OK_AND_ASSIGN(const std::string whole, SerializeSealed(kTensors, {{"epochs", "3"}}));
  ASSERT_THAT(ParseSealed(whole, "file"), IsOk());
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] ^= 1;
    EXPECT_THAT(ParseSealed(damaged, "file").status(), testing::Not(IsOk())) << i;
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(ParseSealed(whole.substr(0, size), "file").status(), testing::Not(IsOk())) << size;
  }
  ASSERT_OK_AND_ASSIGN(const std::string plain, SerializeSafetensors(kTensors, {}));
  EXPECT_THAT(ParseSealed(plain, "file"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no checksum")));
}

TEST(CheckpointFolderTest, ADamagedOneGivesWayToTheOneBefore) {
  const std::string folder = TestFolder("damaged");
  WriteEpochs(folder, 2);
  const std::string path = FileOf(folder, 2, 0);
  ASSERT_OK_AND_ASSIGN(std::string bytes, ReadFile(path));
  bytes.back() ^= 1;
  ASSERT_THAT(WriteFileAtomically(path, bytes), IsOk());
  EXPECT_EQ(Newest(folder), "1");
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder));
  EXPECT_THAT(names, ElementsAre("checkpoint_00001_0000000.safetensors", "damaged.safetensors"));

  ASSERT_THAT(WriteFileAtomically(FileOf(folder, 1, 0), "torn"), IsOk());
  CheckpointFolder checkpoints(folder, {});
  EXPECT_THAT(checkpoints.ReadNewest().status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no checkpoint before it is left")));
}

TEST(CheckpointFolderTest, AnErrorOfTheThreadComesWithTheNextCall) {
  CheckpointFolder checkpoints("/no/such/folder", {});
  ASSERT_THAT(checkpoints.Write({1, 0}, kTensors, {}), IsOk());
  EXPECT_THAT(checkpoints.Flush(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such")));
  EXPECT_THAT(checkpoints.Write({2, 0}, kTensors, {}), testing::Not(IsOk()));
}

}  // namespace
}  // namespace op3d
