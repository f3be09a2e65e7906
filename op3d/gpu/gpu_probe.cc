#include "op3d/gpu/gpu_probe.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#ifdef OP3D_CUDA
#include "op3d/gpu/kernels/device_facts.h"
#endif

namespace op3d::gpu {
namespace {

constexpr char kUseCpu[] = ", or use --device=cpu";

// tools/cuda.bzl has code for 7.5, 8.0 and 9.0, and a form that the driver compiles for newer ones.
constexpr int kLeastMajor = 7, kLeastMinor = 5;
constexpr char kArchitectures[] = "7.5 (T4), 8.0 (A100), 9.0 (H100, H200) and newer";

std::string Version(int number) { return absl::StrCat(number / 1000, ".", number % 1000 / 10); }

std::mutex loss_mutex;

// The last loss of a GPU that was explained.
absl::Status& Loss() {
  static auto* const loss = new absl::Status;
  return *loss;
}

absl::Status Refuse(absl::string_view reason, absl::string_view remedy) {
  return absl::FailedPreconditionError(
      absl::StrCat("device 'cuda': ", reason, "; ", remedy, kUseCpu));
}

}  // namespace

GpuFacts ProbeGpu() {
  GpuFacts facts;
  if (const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES"); visible != nullptr) {
    facts.visible_devices = visible;
  }
#ifdef OP3D_CUDA
  const DeviceFacts found = ReadDeviceFacts();
  facts.built_with_cuda = true;
  facts.driver = found.driver;
  facts.runtime = found.runtime;
  facts.devices = found.devices;
  facts.error = found.error_text;
  facts.name = found.name;
  facts.major = found.major;
  facts.minor = found.minor;
  facts.total_bytes = found.total_bytes;
#endif
  return facts;
}

absl::Status CheckGpu(const GpuFacts& facts) {
  if (!facts.built_with_cuda) {
    return Refuse("this program was built without --config=cuda", "build it with --config=cuda");
  }
  if (facts.driver == 0) {
    return Refuse("no NVIDIA driver was found, so this machine has no GPU that can be used",
                  "install the driver");
  }
  if (facts.driver / 1000 < facts.runtime / 1000) {
    return Refuse(absl::StrCat("the driver supports CUDA ", Version(facts.driver),
                               ", this program needs ", Version(facts.runtime)),
                  "install a newer driver (CUDA 13 needs 580)");
  }
  if (facts.devices == 0 && facts.visible_devices.has_value()) {
    const std::string visible(absl::StripAsciiWhitespace(*facts.visible_devices));
    if (visible.empty() || absl::StartsWith(visible, "-")) {
      return Refuse(absl::StrCat("CUDA_VISIBLE_DEVICES is '", visible, "', which hides every GPU"),
                    "unset it or name a GPU, as in CUDA_VISIBLE_DEVICES=0");
    }
    return Refuse(absl::StrCat("no GPU is among CUDA_VISIBLE_DEVICES='", visible, "'"),
                  "see nvidia-smi -L for the numbers of this machine's GPUs");
  }
  if (facts.devices == 0) {
    return Refuse(absl::StrCat("the driver shows no GPU",
                               facts.error.empty() ? "" : absl::StrCat(" (", facts.error, ")")),
                  "see nvidia-smi");
  }
  if (facts.major < kLeastMajor || (facts.major == kLeastMajor && facts.minor < kLeastMinor)) {
    return Refuse(
        absl::StrCat("this program has no code for '", facts.name, "' of compute capability ",
                     facts.major, ".", facts.minor, ", only for ", kArchitectures),
        "add it in tools/cuda.bzl and build again");
  }
  return absl::OkStatus();
}

absl::StatusOr<int> GpuOfRank(int local_rank, int gpus) {
  // The launcher has given each process a GPU of its own.
  if (gpus == 1) return 0;
  if (local_rank < gpus) return local_rank;
  return absl::FailedPreconditionError(absl::StrCat("this process is number ", local_rank,
                                                    " on its machine, which shows it ", gpus,
                                                    " GPUs; start at most one process per GPU"));
}

int GpuNumber(absl::string_view device) {
  int gpu = 0;
  return absl::ConsumePrefix(&device, "cuda:") && absl::SimpleAtoi(device, &gpu) ? gpu : 0;
}

absl::Status LostGpu() {
  const std::lock_guard<std::mutex> lock(loss_mutex);
  return Loss();
}

absl::Status ExplainGpuError(absl::string_view message) {
  if (absl::StrContains(message, "Duplicate GPU")) {
    return absl::FailedPreconditionError(
        "two processes use the same GPU, which NCCL refuses; start at most one process per GPU");
  }
  // The lines after it are LibTorch's advice, with words of other errors.
  message = message.substr(0, message.find('\n'));
  const auto says = [message](std::initializer_list<absl::string_view> words) {
    return std::any_of(words.begin(), words.end(), [message](absl::string_view word) {
      return absl::StrContains(message, word);
    });
  };
  // cuDNN finds no algorithm if each of them lacks memory; LibTorch does not say which it was.
  const bool no_algorithm = says({"unable to find an engine"});
  if (!no_algorithm && !says({"CUDA", "cuDNN", "CUDNN", "CUBLAS", "NCCL"})) {
    return absl::OkStatus();
  }
  if (no_algorithm || says({"out of memory", "ALLOC_FAILED", "ALLOCATION_FAILED"})) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the GPU is out of memory: ", message,
                     "; lower batch_size and raise accumulation by as much (`train` does it with "
                     "training.fit_memory: true), "
                     "or see nvidia-smi for another process on it"));
  }
  if (says({"exclusive", "busy or unavailable"})) {
    return absl::UnavailableError(
        absl::StrCat("the GPU is in use by another process: ", message,
                     "; end that one, or choose another GPU by CUDA_VISIBLE_DEVICES"));
  }
  // Words of cudaGetErrorString() and of cuBLAS and cuDNN for errors after which no call works.
  if (says({"launch failure", "launch timed out", "illegal memory access", "misaligned address",
            "illegal instruction", "invalid program counter", "invalid address space",
            "device-side assert", "is lost", "ECC", "unknown error", "fallen off", "hardware",
            "NVLink", "NVLINK", "EXECUTION_FAILED", "cudaErrorContained"})) {
    const absl::Status lost = absl::UnavailableError(absl::StrCat(
        "the GPU stopped in the middle: ", message,
        "; journal and checkpoints are complete: start the same command again to resume, and see "
        "dmesg for 'NVRM: Xid' if it happens twice"));
    const std::lock_guard<std::mutex> lock(loss_mutex);
    return Loss() = lost;
  }
  return absl::OkStatus();
}

}  // namespace op3d::gpu
