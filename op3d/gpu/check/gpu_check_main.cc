// Checks this build on a GPU and measures it there; tools/gpu_bundle.sh packs it.
//
//   gpu_check --miniature=miniature.safetensors --output=gpu_check.json
//
// Exit codes: 0 all checks passed, 1 some failed, 2 a wrong flag or an error, 3 no GPU here.
#include <ATen/Context.h>

#include <chrono>
#include <ctime>
#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"
#include "op3d/gpu/check/check_report.h"
#include "op3d/gpu/check/figures.h"
#include "op3d/gpu/check/kernel_checks.h"
#include "op3d/gpu/check/network_checks.h"
#include "op3d/gpu/gpu_probe.h"
#include "op3d/torch/torch_status.h"

ABSL_FLAG(std::string, device, "cuda", "cuda, or cpu to try this program with small networks");
ABSL_FLAG(std::string, miniature, "", "the file of clips to train on; empty: no such training");
ABSL_FLAG(std::string, output, "", "the JSON record to write; empty: none");
ABSL_FLAG(bool, figures, true, "measure speed and memory after the checks");
ABSL_FLAG(double, figure_seconds, 200, "no new figure begins after this many seconds");

namespace op3d::gpu {
namespace {

constexpr int kFailed = 1, kError = 2, kNoGpu = 3;

void Keep(const std::string& what, const absl::Status& status, CheckReport* report) {
  if (!status.ok()) report->Expect(what, false, std::string(status.message()));
}

int Main() {
  const auto start = std::chrono::steady_clock::now();
  const std::string device = absl::GetFlag(FLAGS_device);
  if (device != "cuda" && device != "cpu") {
    std::cerr << "--device=" << device << " is none of: cuda, cpu\n";
    return kError;
  }
  const bool gpu = device == "cuda";
  const GpuFacts facts = ProbeGpu();
  if (const absl::Status usable = CheckGpu(facts); gpu && !usable.ok()) {
    std::cerr << "no GPU here: " << usable.message() << "\n";
    return kNoGpu;
  }
  if (gpu && !at::hasCUDA()) {
    std::cerr << "no GPU here: this program's kernels see '" << facts.name
              << "', LibTorch does not; see LD_LIBRARY_PATH for another LibTorch\n";
    return kNoGpu;
  }
  CheckReport report;
  report.Note("device", gpu ? facts.name : "cpu");
  report.Note("compute_capability", absl::StrCat(facts.major, ".", facts.minor));
  report.Note("memory_bytes", facts.total_bytes);
  report.Note("driver", facts.driver);
  report.Note("runtime", facts.runtime);
  report.Note("unix_time", static_cast<int64_t>(std::time(nullptr)));
  Keep("kernels", CatchTorch([&] {
         CheckKernels(device, &report);
         return absl::OkStatus();
       }),
       &report);
  for (const char* name : {"dg_p3d_resnet18", "dg_p3d_resnet50"}) {
    NetworkCheckOptions options;
    options.device = device;
    options.network = gpu ? name : "dg_p3d_miniature";
    if (!gpu) options.side = 32;
    Keep(options.network, CheckNetwork(options, &report), &report);
    if (!gpu) break;
  }
  if (const std::string file = absl::GetFlag(FLAGS_miniature); !file.empty()) {
    Keep("miniature", CheckMiniature(device, file, &report), &report);
  }
  if (absl::GetFlag(FLAGS_figures)) {
    FigureOptions options;
    options.device = device;
    options.seconds = absl::GetFlag(FLAGS_figure_seconds);
    if (!gpu) {
      options.networks = {"dg_p3d_miniature"};
      options.frames = {16};
      options.side = 32;
      options.clips = 2;
      options.matrix = 128;
    }
    Keep("figures", MeasureFigures(options, &report), &report);
  }
  report.Note("seconds",
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  if (const std::string path = absl::GetFlag(FLAGS_output); !path.empty()) {
    const absl::Status written = WriteFileAtomically(path, report.ToJson().dump(2) + "\n");
    if (!written.ok()) {
      std::cerr << written.message() << "\n";
      return kError;
    }
  }
  std::cout << (report.failed() == 0 ? "all checks passed"
                                     : absl::StrCat(report.failed(), " checks FAILED"))
            << std::endl;
  return report.failed() == 0 ? 0 : kFailed;
}

}  // namespace
}  // namespace op3d::gpu

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return op3d::gpu::Main();
}
