#include "op3d/network/testing/golden_filling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

TEST(GoldenFillingTest, GivesTheBitsOfTheReference) {
  ASSERT_OK_AND_ASSIGN(const std::string path,
                       RunfilePath("op3d/network/testdata/generator_check.json"));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(path));
  const nlohmann::json check = nlohmann::json::parse(text, nullptr, false);
  ASSERT_EQ(check["rows"].size(), 11);
  for (const nlohmann::json& row : check["rows"]) {
    const std::string name = row["name"];
    SCOPED_TRACE(name);
    EXPECT_EQ(absl::StrFormat("%016x", Fnv1a64(name)), row["fnv1a64"].get<std::string>());
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(absl::StrFormat("%016x", GoldenWord(name, i)), row["words"][i].get<std::string>());
    }
    EXPECT_EQ(GoldenUniform(name, 4), row["u"].get<std::vector<double>>());
    const std::vector<int64_t> shape = row["shape"];
    const std::vector<float> values =
        name == "input" ? GoldenClip({shape[0], shape[1], shape[2], shape[3], shape[4]}, name)
                        : GoldenFilling(std::string(absl::StripPrefix(name, "2d.")), shape, name);
    EXPECT_EQ(values.back(), row["last_value"].get<float>());
    EXPECT_EQ(Crc32({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)}),
              row["crc32"].get<uint32_t>());
  }
}

}  // namespace
}  // namespace op3d
