#include "results/compare/scores_comparison.h"

#include <limits>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

template <typename T>
absl::string_view Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class ScoresComparisonTest : public testing::Test {
 protected:
  // Writes `a` and `b` as tensors and compares the files.
  absl::StatusOr<ScoresComparison> Compare(const std::vector<TensorView>& a,
                                           const std::vector<TensorView>& b, bool exact = false,
                                           const std::string& metadata = "x") {
    const std::string folder = TestFolder("scores");
    const std::string path_a = JoinPath(folder, "a.safetensors");
    const std::string path_b = JoinPath(folder, "b.safetensors");
    EXPECT_THAT(WriteFileAtomically(path_a, *SerializeSafetensors(a, {{"m", "x"}})), IsOk());
    EXPECT_THAT(WriteFileAtomically(path_b, *SerializeSafetensors(b, {{"m", metadata}})), IsOk());
    ComparisonOptions options;
    options.exact = exact;
    return CompareScores(path_a, path_b, options);
  }

  std::vector<float> values_ = {1, 2, 3, 4, 5, 6};
  std::vector<float> others_ = values_;
  TensorView a_ = {"planned.scores", DType::kF32, {2, 3}, Bytes(values_)};
  TensorView b_ = {"planned.scores", DType::kF32, {2, 3}, Bytes(others_)};
};

TEST_F(ScoresComparisonTest, EqualFiles) {
  ASSERT_OK_AND_ASSIGN(const ScoresComparison comparison, Compare({a_}, {b_}, /*exact=*/true));
  EXPECT_THAT(comparison.differences, IsEmpty());
  EXPECT_EQ(comparison.numbers, 6);
}

TEST_F(ScoresComparisonTest, NumbersWithinAndBeyondTheTolerance) {
  others_[1] += 0.04f;
  ASSERT_OK_AND_ASSIGN(ScoresComparison comparison, Compare({a_}, {b_}));
  EXPECT_THAT(comparison.differences, IsEmpty());
  others_[5] -= 0.5f;
  ASSERT_OK_AND_ASSIGN(comparison, Compare({a_}, {b_}));
  ASSERT_EQ(comparison.differences.size(), 1u);
  EXPECT_EQ(comparison.differences[0].place, "a.safetensors > tensor 'planned.scores'");
  EXPECT_EQ(comparison.differences[0].a, "6");
  EXPECT_EQ(comparison.differences[0].b, "5.5");
  EXPECT_EQ(comparison.differences[0].note,
            "at [1, 2]; 1 of 6 numbers differ by up to 0.5, allowed 0.05");
  ASSERT_OK_AND_ASSIGN(comparison, Compare({a_}, {b_}, /*exact=*/true));
  ASSERT_EQ(comparison.differences.size(), 1u);
  EXPECT_THAT(comparison.differences[0].note, HasSubstr("2 of 6 numbers differ"));
}

TEST_F(ScoresComparisonTest, NotANumberIsADifference) {
  others_[0] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_OK_AND_ASSIGN(const ScoresComparison comparison, Compare({a_}, {b_}));
  ASSERT_EQ(comparison.differences.size(), 1u);
  EXPECT_EQ(comparison.differences[0].b, "nan");
}

TEST_F(ScoresComparisonTest, NamesTypesAndShapes) {
  b_.name = "other";
  ASSERT_OK_AND_ASSIGN(ScoresComparison comparison, Compare({a_}, {b_}));
  ASSERT_EQ(comparison.differences.size(), 2u);
  EXPECT_EQ(comparison.differences[0].note, "only in A");
  EXPECT_EQ(comparison.differences[1].note, "only in B");
  b_.name = a_.name;
  b_.shape = {3, 2};
  ASSERT_OK_AND_ASSIGN(comparison, Compare({a_}, {b_}));
  ASSERT_EQ(comparison.differences.size(), 1u);
  EXPECT_EQ(comparison.differences[0].b, "F32 [3, 2]");
}

TEST_F(ScoresComparisonTest, WholeNumbersMustBeEqual) {
  const std::vector<int64_t> labels = {7, 8}, changed = {7, 9};
  const TensorView a = {"labels", DType::kI64, {2}, Bytes(labels)};
  const TensorView b = {"labels", DType::kI64, {2}, Bytes(changed)};
  ASSERT_OK_AND_ASSIGN(const ScoresComparison comparison, Compare({a}, {b}));
  ASSERT_EQ(comparison.differences.size(), 1u);
  EXPECT_EQ(comparison.differences[0].a, "8");
  EXPECT_EQ(comparison.differences[0].b, "9");
  EXPECT_EQ(comparison.differences[0].note, "at [1]; 1 of 2 numbers differ");
}

TEST_F(ScoresComparisonTest, HalfPrecisionIsReadRight) {
  // 1, -2, the smallest subnormal, infinity.
  const std::vector<uint16_t> halves = {0x3C00, 0xC000, 0x0001, 0x7C00}, zeros(4, 0);
  const TensorView a = {"h", DType::kF16, {4}, Bytes(halves)};
  const TensorView b = {"h", DType::kF16, {4}, Bytes(zeros)};
  ASSERT_OK_AND_ASSIGN(const ScoresComparison comparison, Compare({a}, {b}));
  ASSERT_EQ(comparison.differences.size(), 1u);
  EXPECT_THAT(comparison.differences[0].note, HasSubstr("at [3]; 3 of 4 numbers differ"));
  // 1 and -2 in bfloat16.
  const std::vector<uint16_t> brains = {0x3F80, 0xC000}, nothing(2, 0);
  const TensorView c = {"b", DType::kBF16, {2}, Bytes(brains)};
  const TensorView d = {"b", DType::kBF16, {2}, Bytes(nothing)};
  ASSERT_OK_AND_ASSIGN(const ScoresComparison brain, Compare({c}, {d}));
  EXPECT_EQ(brain.differences[0].a, "-2");
}

TEST_F(ScoresComparisonTest, ExactSeesMetadata) {
  ASSERT_OK_AND_ASSIGN(ScoresComparison comparison, Compare({a_}, {b_}, true, "y"));
  ASSERT_EQ(comparison.differences.size(), 1u);
  EXPECT_THAT(comparison.differences[0].note, HasSubstr("other bytes"));
  ASSERT_OK_AND_ASSIGN(comparison, Compare({a_}, {b_}, false, "y"));
  EXPECT_THAT(comparison.differences, IsEmpty());
}

TEST_F(ScoresComparisonTest, UnreadableFilesAreNamed) {
  const std::string path = JoinPath(TestFolder("broken"), "broken.safetensors");
  EXPECT_THAT(CompareScores(path, path, {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("broken.safetensors")));
  ASSERT_THAT(WriteFileAtomically(path, "abc"), IsOk());
  const absl::Status status = CompareScores(path, path, {}).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("broken.safetensors"));
}

}  // namespace
}  // namespace op3d::results
