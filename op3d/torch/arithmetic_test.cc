// Tests the choice itself, and the bits that portable arithmetic guarantees.
#include "op3d/torch/arithmetic.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "op3d/base/file.h"
#include "op3d/base/sha256.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/testing/golden_filling.h"

namespace op3d {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Processor Amd() {
  Processor processor;
  processor.vendor = "AuthenticAMD";
  processor.flags = {"sse4_2", "fma", "avx2", "avx512f"};
  return processor;
}

absl::StatusOr<PortableArithmetic> Plan(const Processor& processor,
                                        const std::map<std::string, std::string>& variables = {}) {
  return PlanPortableArithmetic(processor, [&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  });
}

TEST(ArithmeticTest, KnowsItsWords) {
  for (const Arithmetic arithmetic : {Arithmetic::kPortable, Arithmetic::kNative}) {
    EXPECT_EQ(*ParseArithmetic(ArithmeticName(arithmetic)), arithmetic);
  }
  EXPECT_EQ(*ParseArithmetic("NATIVE"), Arithmetic::kNative);
  EXPECT_THAT(ParseArithmetic("fast"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                HasSubstr("'fast' is none of: portable, native")));
}

TEST(ArithmeticTest, PortablePinsThreeLibraries) {
  ASSERT_OK_AND_ASSIGN(const PortableArithmetic portable, Plan(Amd()));
  EXPECT_THAT(portable.variables,
              ElementsAre(Pair("ATEN_CPU_CAPABILITY", "avx2"), Pair("ONEDNN_MAX_CPU_ISA", "AVX2"),
                          Pair("MKL_CBWR", "AVX2")));
  EXPECT_EQ(portable.note, "");
}

TEST(ArithmeticTest, AnUntriedProcessorIsSaid) {
  Processor processor = Amd();
  processor.vendor = "GenuineIntel";
  processor.model_name = "Xeon";
  ASSERT_OK_AND_ASSIGN(const PortableArithmetic portable, Plan(processor));
  EXPECT_THAT(portable.note, HasSubstr("tried only on AMD processors; Xeon (GenuineIntel)"));
}

TEST(ArithmeticTest, AProcessorWithoutAvx2IsRefused) {
  Processor processor = Amd();
  processor.flags = {"sse4_2", "fma"};
  EXPECT_THAT(Plan(processor), StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("has no AVX2; native arithmetic runs here")));
  // Not an x86 processor at all.
  EXPECT_THAT(Plan(Processor()), StatusIs(absl::StatusCode::kFailedPrecondition,
                                          HasSubstr("and this processor has no AVX2")));
}

TEST(ArithmeticTest, TheUsersVariablesMustAgree) {
  EXPECT_THAT(Plan(Amd(), {{"ATEN_CPU_CAPABILITY", "avx2"}, {"ONEDNN_MAX_CPU_ISA", "avx2"}}),
              IsOk());
  EXPECT_THAT(Plan(Amd(), {{"MKL_CBWR", ""}}), IsOk());
  EXPECT_THAT(Plan(Amd(), {{"ATEN_CPU_CAPABILITY", "avx512"}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("ATEN_CPU_CAPABILITY=avx512, and portable arithmetic needs avx2; "
                                 "unset the variable, or choose native arithmetic")));
  for (const char* name : {"MKL_CBWR", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA",
                           "ONEDNN_DEFAULT_FPMATH_MODE", "MKL_ENABLE_INSTRUCTIONS"}) {
    EXPECT_THAT(Plan(Amd(), {{name, "BF16"}}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(name)));
  }
}

at::Tensor Values(const std::string& name, const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return at::tensor(GoldenUniform(name, count)).to(at::kFloat).reshape(shape).requires_grad_();
}

// Every operation of a network whose rounding may depend on the order of its sums: convolutions and
// their gradients, matrix products, statistics, exponentials.
std::string BitsOfATrainingStep() {
  const at::Tensor clips = Values("clips", {2, 3, 8, 20, 20});
  const at::Tensor kernel = Values("kernel", {24, 3, 3, 3, 3});
  const at::Tensor plane = Values("plane", {40, 24, 3, 3});
  const at::Tensor scale = Values("scale", {40}), shift = Values("shift", {40});
  const at::Tensor classes = Values("classes", {40 * 49, 11});
  at::Tensor x = at::conv3d(clips, kernel, {}, /*stride=*/1, /*padding=*/1).relu();
  x = x.transpose(1, 2).reshape({16, 24, 20, 20}).contiguous(at::MemoryFormat::ChannelsLast);
  x = at::conv2d(x, plane, {}, /*stride=*/3, /*padding=*/1);
  x = at::batch_norm(x, scale, shift, {}, {}, /*training=*/true, 0.1, 1e-5, false).tanh();
  x = at::mm(x.reshape({16, 40 * 49}), classes);
  const at::Tensor loss = at::log_softmax(x, 1).select(1, 3).mean();
  loss.backward();
  std::string bytes;
  for (const at::Tensor& tensor : {x.detach(), loss.detach(), clips.grad(), kernel.grad(),
                                   plane.grad(), scale.grad(), shift.grad(), classes.grad()}) {
    const at::Tensor plain = tensor.contiguous();
    bytes.append(static_cast<const char*>(plain.data_ptr()), plain.nbytes());
  }
  return Sha256(bytes);
}

// For LibTorch 2.11.0.  Another release may round differently on all processors: write down the new
// value once two kinds of processors agree on it.
TEST(ArithmeticTest, PortableBitsAreTheSameEverywhere) {
  const Processor processor = ParseCpuinfo(ReadFile("/proc/cpuinfo").value_or(""));
  const absl::StatusOr<std::string> note = UseArithmetic(Arithmetic::kPortable);
  if (!note.ok() && !processor.Has("avx2")) GTEST_SKIP() << note.status();
  ASSERT_THAT(note, IsOk());
  EXPECT_EQ(ArithmeticInUse(), "portable (AVX2)");
  EXPECT_STREQ(std::getenv("MKL_CBWR"), "AVX2");
  const std::string bits = BitsOfATrainingStep();
  EXPECT_EQ(bits, BitsOfATrainingStep());
  if (!note->empty()) GTEST_SKIP() << *note << "; the bits are " << bits;
  EXPECT_EQ(bits, "5a22f40e8725577f674ab8f4376793ab63a52908362920f9e5088e7082d9ed99");
}

// For inspection: what this processor computes with native arithmetic.
TEST(ArithmeticTest, DISABLED_NativeBits) {
  ASSERT_THAT(UseArithmetic(Arithmetic::kNative), IsOk());
  std::printf("%s\n%s\n", ArithmeticInUse().c_str(), BitsOfATrainingStep().c_str());
}

}  // namespace
}  // namespace op3d
