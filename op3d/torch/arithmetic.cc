#include "op3d/torch/arithmetic.h"

#include <ATen/Version.h>

#include <cstdlib>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

struct Variable {
  const char* name;
  // The value that portable arithmetic needs.
  const char* value;
  // This process sets it; the others must have the value or be absent.
  bool set;
};

constexpr Variable kVariables[] = {
    {"ATEN_CPU_CAPABILITY", "avx2", true},
    {"ONEDNN_MAX_CPU_ISA", "AVX2", true},
    {"MKL_CBWR", "AVX2", true},
    // Older names, and the variable that lets oneDNN round operands of single precision.
    {"DNNL_MAX_CPU_ISA", "AVX2", false},
    {"ONEDNN_DEFAULT_FPMATH_MODE", "STRICT", false},
    {"DNNL_DEFAULT_FPMATH_MODE", "STRICT", false},
    {"MKL_ENABLE_INSTRUCTIONS", "AVX2", false},
};

// The vendor on whose processors equal bits were seen.
constexpr char kTriedVendor[] = "AuthenticAMD";

constexpr char kKernels[] = "AVX2";

// op3d's own code is compiled for every x86 processor, except under --config=opt.
#ifdef __AVX__
constexpr bool kBuiltForThisProcessor = true;
#else
constexpr bool kBuiltForThisProcessor = false;
#endif

Arithmetic& InUse() {
  static Arithmetic arithmetic = Arithmetic::kNative;
  return arithmetic;
}

std::optional<std::string> ProcessVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

std::string ArithmeticName(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::kPortable ? "portable" : "native";
}

absl::StatusOr<Arithmetic> ParseArithmetic(absl::string_view name) {
  for (const Arithmetic arithmetic : {Arithmetic::kPortable, Arithmetic::kNative}) {
    if (absl::EqualsIgnoreCase(name, ArithmeticName(arithmetic))) return arithmetic;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("arithmetic '", name, "' is none of: portable, native"));
}

absl::StatusOr<PortableArithmetic> PlanPortableArithmetic(
    const Processor& processor,
    const std::function<std::optional<std::string>(const std::string&)>& variable) {
  const std::string description = processor.Description();
  const std::string name = description.empty() ? "this processor" : description;
  for (const char* flag : {"avx2", "fma"}) {
    if (processor.Has(flag)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "portable arithmetic needs a processor with AVX2 and FMA, and ", name, " has no ",
        absl::AsciiStrToUpper(flag),
        "; native arithmetic runs here, and its results hold for this kind of processor alone"));
  }
  PortableArithmetic portable;
  for (const Variable& one : kVariables) {
    const std::optional<std::string> there = variable(one.name);
    if (there.has_value() && !there->empty() && !absl::EqualsIgnoreCase(*there, one.value)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the environment has ", one.name, "=", *there, ", and portable arithmetic needs ",
          one.value, "; unset the variable, or choose native arithmetic"));
    }
    if (one.set) portable.variables.emplace_back(one.name, one.value);
  }
  if (processor.vendor != kTriedVendor) {
    portable.note =
        absl::StrCat("arithmetic: portable, which was tried only on AMD processors; ", name,
                     " may round differently in MKL and oneDNN, so compare with a recorded run");
  }
  return portable;
}

absl::StatusOr<std::string> UseArithmetic(Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::kNative) {
    InUse() = arithmetic;
    return std::string();
  }
  const Processor processor = ParseCpuinfo(ReadFile("/proc/cpuinfo").value_or(""));
  OP3D_ASSIGN_OR_RETURN(const PortableArithmetic portable,
                        PlanPortableArithmetic(processor, ProcessVariable));
  for (const auto& [name, value] : portable.variables) {
    ::setenv(name.c_str(), value.c_str(), /*overwrite=*/1);
  }
  // LibTorch fixes the answer at the first request, so this detects a choice that came too late.
  const std::string kernels = at::get_cpu_capability();
  if (kernels != kKernels) {
    return absl::InternalError(absl::StrCat("LibTorch has chosen its ", kernels,
                                            " kernels before portable arithmetic was set; start "
                                            "the program with ATEN_CPU_CAPABILITY=avx2 "
                                            "ONEDNN_MAX_CPU_ISA=AVX2 MKL_CBWR=AVX2"));
  }
  InUse() = arithmetic;
  if (kBuiltForThisProcessor && portable.note.empty()) {
    return std::string(
        "arithmetic: portable, but op3d itself is built for this processor (--config=opt): its "
        "results hold for this kind alone");
  }
  return portable.note;
}

Arithmetic ChosenArithmetic() { return InUse(); }

std::string ArithmeticInUse() {
  std::vector<std::string> parts = {at::get_cpu_capability()};
  if (kBuiltForThisProcessor) parts.push_back("op3d built for this processor");
  if (InUse() == Arithmetic::kNative) {
    for (const Variable& one : kVariables) {
      const std::optional<std::string> value = ProcessVariable(one.name);
      if (value.has_value()) parts.push_back(absl::StrCat(one.name, "=", *value));
    }
  }
  return absl::StrCat(ArithmeticName(InUse()), " (", absl::StrJoin(parts, ", "), ")");
}

}  // namespace op3d
