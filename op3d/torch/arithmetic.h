// Which of the processor's instructions the network is computed with.
//
//   OP3D_ASSIGN_OR_RETURN(std::string note, UseArithmetic(Arithmetic::kPortable));
//   if (!note.empty()) Progress::Print(note);
//
//   portable  AVX2 and FMA alone, on every processor: the kernels of LibTorch, oneDNN and MKL then
//             round in the same order everywhere, and equal runs have equal bits
//   native    whatever is fastest here; equal runs have equal bits on processors of one kind
//
// The choice is for the whole process and for its CPU; what a GPU computes depends on the GPU.
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

// The one of that name, in capitals or not.  InvalidArgument for another word.
absl::StatusOr<Arithmetic> ParseArithmetic(absl::string_view name);

// Chooses for this process; call it at the start of a program, after its flags and before anything
// is computed with tensors: the libraries choose their kernels once.  Returns a sentence that the
// user should read, empty when there is none.
//
// Portable: FailedPrecondition when the processor has no AVX2 or FMA.  InvalidArgument when a
// variable of the environment asks one of the libraries for something else.  Internal when tensors
// were computed with before.  Native: takes the environment as it is, never an error.
absl::StatusOr<std::string> UseArithmetic(Arithmetic arithmetic);

// What this process computes with, for a record: "portable (AVX2)", "native (AVX512)"; with the
// variables of the environment that change it.
std::string ArithmeticInUse();

// For tests: what kPortable sets on `processor`, where the environment has the variables that
// `variable` knows.  Errors as above.
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
