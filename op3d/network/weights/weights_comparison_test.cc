#include "op3d/network/weights/weights_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace op3d {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename T>
std::string Bytes(std::initializer_list<T> numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.begin()), numbers.size() * sizeof(T));
}

TensorView View(const std::string& name, DType dtype, const std::string& data) {
  return {name, dtype, {static_cast<int64_t>(data.size()) / DTypeSize(dtype)}, data};
}

TEST(WeightsComparisonTest, EqualBytesAreEqual) {
  const std::string data = Bytes<float>({1, 2, std::numeric_limits<float>::quiet_NaN()});
  const WeightsComparison same =
      CompareWeights({View("a", DType::kF32, data)}, {View("a", DType::kF32, data)}, 0);
  EXPECT_EQ(same.compared, 1);
  EXPECT_THAT(same.differences, IsEmpty());
}

TEST(WeightsComparisonTest, NamesTheLargestDifference) {
  const std::string a = Bytes<float>({1, 2, 3}), b = Bytes<float>({1, 2.25, 2});
  const auto compare = [&](double tolerance) {
    return CompareWeights({View("a", DType::kF32, a)}, {View("a", DType::kF32, b)}, tolerance)
        .differences;
  };
  EXPECT_THAT(compare(0), ElementsAre(Field(&TensorDifference::text,
                                            "largest difference 1 at element 2: 3 and 2")));
  EXPECT_THAT(compare(0.99), testing::SizeIs(1));
  EXPECT_THAT(compare(1), IsEmpty());
}

TEST(WeightsComparisonTest, KnowsEveryType) {
  const auto text = [](DType dtype, const std::string& a, const std::string& b) {
    return CompareWeights({View("a", dtype, a)}, {View("a", dtype, b)}, 0).differences[0].text;
  };
  EXPECT_THAT(text(DType::kF16, Bytes<uint16_t>({0x3c00}), Bytes<uint16_t>({0xbe00})),
              HasSubstr("difference 2.5 at element 0: 1 and -1.5"));
  EXPECT_THAT(text(DType::kF16, Bytes<uint16_t>({1}), Bytes<uint16_t>({0})),
              HasSubstr("5.96046e-08"));
  EXPECT_THAT(text(DType::kBF16, Bytes<uint16_t>({0x3f80}), Bytes<uint16_t>({0x4000})),
              HasSubstr("1 and 2"));
  EXPECT_THAT(text(DType::kF64, Bytes<double>({0.5}), Bytes<double>({0.25})), HasSubstr("0.25"));
  EXPECT_THAT(text(DType::kI64, Bytes<int64_t>({-5}), Bytes<int64_t>({5})),
              HasSubstr("difference 10"));
  EXPECT_THAT(text(DType::kI32, Bytes<int32_t>({1}), Bytes<int32_t>({0})), HasSubstr("1 and 0"));
  EXPECT_THAT(text(DType::kU8, Bytes<uint8_t>({200}), Bytes<uint8_t>({0})), HasSubstr("200 and 0"));
  EXPECT_THAT(text(DType::kF32, Bytes<float>({0.0f}), Bytes<float>({-0.0f})),
              HasSubstr("other bits"));
  EXPECT_THAT(
      text(DType::kF32, Bytes<float>({std::numeric_limits<float>::quiet_NaN()}), Bytes<float>({1})),
      HasSubstr("inf"));
}

TEST(WeightsComparisonTest, NamesTypesAndShapesCount) {
  const std::string data = Bytes<float>({1, 2});
  const WeightsComparison comparison = CompareWeights({View("a", DType::kF32, data),
                                                       View("b", DType::kF32, data),
                                                       {"c", DType::kF32, {1, 2}, data}},
                                                      {View("b", DType::kF64, data),
                                                       {"c", DType::kF32, {2, 1}, data},
                                                       View("d", DType::kF32, data)},
                                                      9);
  EXPECT_EQ(comparison.compared, 4);
  EXPECT_THAT(comparison.differences,
              ElementsAre(Field(&TensorDifference::text, "only in the first"),
                          Field(&TensorDifference::text, "F32 [2] and F64 [1]"),
                          Field(&TensorDifference::text, "F32 [1, 2] and F32 [2, 1]"),
                          Field(&TensorDifference::text, "only in the second")));
}

}  // namespace
}  // namespace op3d
