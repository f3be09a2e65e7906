#include "op3d/base/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kLoss = absl::StatusCode::kDataLoss;

// A file with this header, padded or not, and `data_bytes` zeros.
std::string File(const std::string& header, size_t data_bytes) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(header.size() >> (8 * i) & 0xff));
  return bytes + header + std::string(data_bytes, '\0');
}

absl::Status ParseStatus(const std::string& header, size_t data_bytes) {
  return Safetensors::Parse(File(header, data_bytes), "x.safetensors").status();
}

std::string Entry(const std::string& name, int64_t begin, int64_t end) {
  return absl::StrCat("\"", name, "\":{\"dtype\":\"F32\",\"shape\":[", (end - begin) / 4,
                      "],\"data_offsets\":[", begin, ",", end, "]}");
}

TEST(SafetensorsTest, ReadsAFileOfTheFormatsOwnWriter) {
  ASSERT_OK_AND_ASSIGN(const std::string path, RunfilePath("op3d/base/testdata/tiny.safetensors"));
  ASSERT_OK_AND_ASSIGN(const Safetensors file, Safetensors::Read(path));
  EXPECT_THAT(file.tensors(), SizeIs(21));
  const TensorView* weight = file.Find("conv1.weight");
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(weight->dtype, DType::kF32);
  EXPECT_THAT(weight->shape, ElementsAre(2, 3, 2, 3, 3));
  const TensorView* numbers = file.Find("int64");
  ASSERT_NE(numbers, nullptr);
  int64_t values[4];
  ASSERT_EQ(numbers->data.size(), sizeof(values));
  std::memcpy(values, numbers->data.data(), sizeof(values));
  EXPECT_THAT(values,
              ElementsAre(-4611686018427387904, -2305843009213693951, 2, 2305843009213693955));
  EXPECT_EQ(file.Find("no such"), nullptr);
}

TEST(SafetensorsTest, WhatIsWrittenIsRead) {
  const float weight[] = {1, -2, 3};
  const int64_t count = 7;
  const TensorView first{
      "weight", DType::kF32, {3, 1}, {reinterpret_cast<const char*>(weight), sizeof(weight)}};
  const TensorView second{
      "count", DType::kI64, {}, {reinterpret_cast<const char*>(&count), sizeof(count)}};
  const TensorView empty{"none", DType::kU8, {0, 4}, {}};
  ASSERT_OK_AND_ASSIGN(const std::string bytes,
                       SerializeSafetensors({first, second, empty}, {{"epoch", "3 \"é\""}}));
  ASSERT_OK_AND_ASSIGN(Safetensors parsed, Safetensors::Parse(bytes, "memory"));
  // Moving the file leaves its views alive.
  const Safetensors file = std::move(parsed);
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("epoch", "3 \"é\"")));
  ASSERT_THAT(file.tensors(), SizeIs(3));
  EXPECT_EQ(file.Find("weight")->data, first.data);
  EXPECT_THAT(file.Find("weight")->shape, ElementsAre(3, 1));
  EXPECT_EQ(file.Find("count")->data, second.data);
  EXPECT_THAT(file.Find("count")->shape, SizeIs(0));
  EXPECT_EQ(file.Find("none")->data, "");
}

TEST(SafetensorsTest, WritesDeterministicAlignedBytes) {
  const std::string four(4, 'a'), eight(8, 'b');
  const std::vector<TensorView> tensors = {{"a", DType::kF32, {1}, four},
                                           {"b", DType::kF64, {1}, eight}};
  ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeSafetensors(tensors, {}));
  ASSERT_OK_AND_ASSIGN(const std::string again, SerializeSafetensors(tensors, {}));
  EXPECT_EQ(bytes, again);
  const size_t header = static_cast<unsigned char>(bytes[0]);
  EXPECT_EQ(header % 8, 0);
  // The doubles come first, so both are aligned.
  EXPECT_EQ(bytes.substr(8 + header), eight + four);
}

TEST(SafetensorsTest, EveryTruncationIsAnError) {
  const std::string whole = File("{" + Entry("a", 0, 8) + "," + Entry("b", 8, 24) + "}", 24);
  ASSERT_THAT(Safetensors::Parse(whole, "x"), IsOk());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(Safetensors::Parse(whole.substr(0, size), "x"), StatusIs(kLoss, HasSubstr("x: ")))
        << size;
  }
}

TEST(SafetensorsTest, AnAbsurdHeaderLengthIsAnError) {
  EXPECT_THAT(Safetensors::Parse(std::string(64, '\xff'), "x.safetensors"),
              StatusIs(kInvalid, AllOf(HasSubstr("x.safetensors: claims a header of 1844674407370"),
                                       HasSubstr("not a safetensors file"))));
  std::string ninety_million = File("{}", 0);
  ninety_million[3] = 5;
  EXPECT_THAT(Safetensors::Parse(ninety_million, "x"),
              StatusIs(kLoss, HasSubstr("header of 83886082 bytes and has only 2 left")));
}

TEST(SafetensorsTest, OffsetsMustTileTheData) {
  EXPECT_THAT(ParseStatus("{" + Entry("a", 0, 8) + "," + Entry("b", 4, 12) + "}", 12),
              StatusIs(kInvalid, HasSubstr("tensor 'b' starts at byte 4 and overlaps tensor 'a', "
                                           "which ends at byte 8")));
  EXPECT_THAT(ParseStatus("{" + Entry("a", 0, 8) + "," + Entry("b", 12, 16) + "}", 16),
              StatusIs(kInvalid, HasSubstr("'b' starts at byte 12 and leaves a gap after")));
  EXPECT_THAT(ParseStatus("{" + Entry("a", 0, 8) + "}", 12),
              StatusIs(kInvalid, HasSubstr("take 8 bytes; the file holds 12")));
  EXPECT_THAT(ParseStatus("{" + Entry("a", 0, 1 << 30) + "}", 12),
              StatusIs(kLoss, HasSubstr("'a' ends at byte 1073741824 of a data section of 12")));
}

TEST(SafetensorsTest, ADescriptionMustFitItsBytes) {
  const auto status = [](const std::string& entry) {
    return ParseStatus("{\"a\":" + entry + "}", 8);
  };
  EXPECT_THAT(status(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"),
              StatusIs(kInvalid, HasSubstr("tensor 'a' has 8 bytes; F32 [3] needs 12")));
  EXPECT_THAT(status(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})"),
              StatusIs(kInvalid, HasSubstr("more bytes than fit in 64 bits")));
  EXPECT_THAT(status(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"),
              StatusIs(kInvalid, HasSubstr("'shape' that is not a list of whole numbers")));
  EXPECT_THAT(status(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"),
              StatusIs(kInvalid, HasSubstr("data_offsets [8, 0]")));
  EXPECT_THAT(status(R"({"dtype":"C64","shape":[1],"data_offsets":[0,8]})"),
              StatusIs(kInvalid, HasSubstr("dtype 'C64'; op3d reads")));
  EXPECT_THAT(status("7"), StatusIs(kInvalid, HasSubstr("not described by an object")));
}

TEST(SafetensorsTest, TheHeaderMustBeOneFlatObject) {
  EXPECT_THAT(ParseStatus("[1]", 0), StatusIs(kInvalid, HasSubstr("not a JSON object")));
  EXPECT_THAT(ParseStatus("{\"a\":", 0), StatusIs(kInvalid, HasSubstr("not a JSON object")));
  EXPECT_THAT(ParseStatus("{" + Entry("a", 0, 8) + "," + Entry("a", 0, 8) + "}", 8),
              StatusIs(kInvalid, HasSubstr("tensor 'a' comes twice")));
  EXPECT_THAT(ParseStatus(R"({"__metadata__":{"a":1}})", 0),
              StatusIs(kInvalid, HasSubstr("'a', which is not a string")));
  const std::string deep(100000, '[');
  EXPECT_EQ(ParseStatus("{\"a\":" + deep + "}", 0).code(), kInvalid);
}

TEST(SafetensorsTest, WhatCannotBeReadBackIsNotWritten) {
  const TensorView tensor{"a", DType::kU8, {2}, "ab"};
  EXPECT_THAT(SerializeSafetensors({tensor, tensor}, {}),
              StatusIs(kInvalid, HasSubstr("'a': the name is taken")));
  EXPECT_THAT(SerializeSafetensors({{"a", DType::kF32, {2}, "ab"}}, {}),
              StatusIs(kInvalid, HasSubstr("F32 [2] needs 8 bytes, its data has 2")));
  EXPECT_THAT(SerializeSafetensors({{"\xff", DType::kU8, {2}, "ab"}}, {}),
              StatusIs(kInvalid, HasSubstr("not UTF-8")));
}

TEST(SafetensorsTest, AMissingFileIsNotFound) {
  EXPECT_THAT(Safetensors::Read("no/such.safetensors"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no/such.safetensors")));
}

}  // namespace
}  // namespace op3d
