#include "op3d/base/processor.h"

#include <gmock/gmock.h>

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kTwoProcessors[] =
    "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n"
    "model name\t: Fast: CPU 3000\nstepping\t: 1\n"
    "flags\t\t: fpu sse4_2 fma avx avx2 avx512f avx512_bf16 amx_tile rdrand\n\n"
    "processor\t: 1\nvendor_id\t: Other\nmodel name\t: other\n";

TEST(ProcessorTest, TheFirstOfTheFileIsTaken) {
  const Processor processor = ParseCpuinfo(kTwoProcessors);
  EXPECT_EQ(processor.vendor, "AuthenticAMD");
  EXPECT_EQ(processor.model_name, "Fast: CPU 3000");
  EXPECT_EQ(processor.family, 25);
  EXPECT_EQ(processor.model, 17);
  EXPECT_EQ(processor.stepping, 1);
  EXPECT_TRUE(processor.Has("avx2"));
  EXPECT_FALSE(processor.Has("avx5"));
  EXPECT_EQ(processor.Description(),
            "Fast: CPU 3000 (AuthenticAMD, family 25, model 17, stepping 1)");
  EXPECT_THAT(processor.ArithmeticFlags(),
              ElementsAre("sse4_2", "fma", "avx", "avx2", "avx512f", "avx512_bf16", "amx_tile"));
}

TEST(ProcessorTest, WhatIsNotThereIsUnknown) {
  const Processor processor = ParseCpuinfo("processor : 0\nmodel : seven\nno colon\n");
  EXPECT_EQ(processor.Description(), "");
  EXPECT_EQ(processor.model, -1);
  EXPECT_THAT(processor.flags, IsEmpty());
  EXPECT_EQ(ParseCpuinfo("model name : X\n").Description(), "X");
  EXPECT_EQ(ParseCpuinfo("model : 3\n").Description(), "model 3");
}

}  // namespace
}  // namespace op3d
