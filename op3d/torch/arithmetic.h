// The choice of the processor's instructions with which the network is computed.
//
//   OP3D_ASSIGN_OR_RETURN(std::string note, UseArithmetic(Arithmetic::kPortable));
//   if (!note.empty()) Progress::Print(note);
//
//   portable  only AVX2 and FMA, on every processor: the kernels of LibTorch, oneDNN and MKL then
//             round in the same order everywhere, and equal runs have equal bits
//   native    the fastest kernels; equal runs have equal bits on processors of one kind
//
// The choice applies to the whole process and its CPU; a GPU's results depend on the GPU.
#ifndef OP3D_TORCH_ARITHMETIC_H_
#define OP3D_TORCH_ARITHMETIC_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/base/processor.h"

namespace op3d {

enum class Arithmetic { kPortable, kNative };

// "portable", "native".
std::string ArithmeticName(Arithmetic arithmetic);

// The arithmetic with that name, in any case.  InvalidArgument for another word.
absl::StatusOr<Arithmetic> ParseArithmetic(absl::string_view name);

// Chooses for this process.  Call it at the start of a program, after parsing flags and before any
// computation with tensors, because the libraries choose their kernels once.  Returns a sentence
// for the user, or an empty string.
//
// Portable: FailedPrecondition if the processor has no AVX2 or FMA.  InvalidArgument if an
// environment variable asks one of the libraries for something else.  Internal if tensors
// were used before.  Native: does not change the environment and never fails.
absl::StatusOr<std::string> UseArithmetic(Arithmetic arithmetic);

// What was chosen; kNative if nothing was.
Arithmetic ChosenArithmetic();

// This process's arithmetic, for a record: "portable (AVX2)", "native (AVX512)"; with the
// environment variables that change it.
std::string ArithmeticInUse();

// For tests: what kPortable sets on `processor`, if the environment has the variables that
// `variable` returns.  Errors as above.
struct PortableArithmetic {
  // Name and value.
  std::vector<std::pair<std::string, std::string>> variables;
  std::string note;
};
absl::StatusOr<PortableArithmetic> PlanPortableArithmetic(
    const Processor& processor,
    const std::function<std::optional<std::string>(const std::string&)>& variable);

}  // namespace op3d

#endif  // OP3D_TORCH_ARITHMETIC_H_
