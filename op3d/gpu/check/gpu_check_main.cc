// Checks this build on a GPU and measures it there; tools/gpu_bundle.sh packs it.
//
//   gpu_check --miniature=miniature.safetensors --output=gpu_check.json
//   gpu_check --checks=false --networks=dg_p3d_resnet101 --frames=32,64 --output=rest.json
//
// The record is written after every check and figure, "complete": false until the end.
//
// Exit codes: 0 all checks passed, 1 some failed, 2 a wrong flag or an error, 3 no GPU here.
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/version.h>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "op3d/base/status_macros.h"
#include "op3d/gpu/check/check_report.h"
#include "op3d/gpu/check/figures.h"
#include "op3d/gpu/check/kernel_checks.h"
#include "op3d/gpu/check/network_checks.h"
#include "op3d/gpu/gpu_probe.h"
#include "op3d/network/network.h"
#include "op3d/torch/device.h"
#include "op3d/torch/precision.h"
#include "op3d/torch/torch_status.h"

ABSL_FLAG(std::string, device, "cuda", "cuda, or cpu to try this program with small networks");
ABSL_FLAG(std::string, miniature, "", "the file of clips to train on; empty: no such training");
ABSL_FLAG(std::string, output, "", "the JSON record to write; empty: none");
ABSL_FLAG(bool, checks, true, "check kernels, networks and the miniature before the figures");
ABSL_FLAG(bool, figures, true, "measure speed and memory after the checks");
ABSL_FLAG(double, figure_seconds, 240, "no new figure begins after this many seconds of figures");
ABSL_FLAG(double, seconds, 300, "no new figure begins after this many seconds of the whole run");
ABSL_FLAG(std::vector<std::string>, networks, {}, "those to measure; empty: R50, R18, R101");
ABSL_FLAG(std::vector<std::string>, frames, {}, "lengths to measure; empty: 16,32,64");
ABSL_FLAG(std::string, precision, "",
          "bf16 or fp16, of the figures; empty: bf16, fp16 below compute capability 8.0");
ABSL_FLAG(std::string, notes, "{}", "a JSON object whose members the record gets");

namespace op3d::gpu {
namespace {

constexpr int kFailed = 1, kError = 2, kNoGpu = 3;

absl::StatusOr<Precision> FigurePrecision(bool gpu, const GpuFacts& facts) {
  const std::string name = absl::GetFlag(FLAGS_precision);
  // cuDNN has no convolutions in bf16 below 8.0.
  if (name.empty()) return gpu && facts.major < 8 ? Precision::kFloat16 : Precision::kBfloat16;
  if (name == "bf16" || name == "fp16") return ParsePrecision(name);
  return absl::InvalidArgumentError(absl::StrCat("--precision=", name, " is none of: bf16, fp16"));
}

absl::StatusOr<FigureOptions> ToFigureOptions(bool gpu, const GpuFacts& facts) {
  FigureOptions options;
  options.device = absl::GetFlag(FLAGS_device);
  OP3D_ASSIGN_OR_RETURN(options.precision, FigurePrecision(gpu, facts));
  if (!gpu) {
    options.networks = {"dg_p3d_miniature"};
    options.frames = {16};
    options.side = 32;
    options.clips = 2;
    options.matrix = 128;
  }
  if (const auto names = absl::GetFlag(FLAGS_networks); !names.empty()) options.networks = names;
  if (const auto lengths = absl::GetFlag(FLAGS_frames); !lengths.empty()) options.frames.clear();
  for (const std::string& length : absl::GetFlag(FLAGS_frames)) {
    int frames = 0;
    if (!absl::SimpleAtoi(length, &frames) || frames < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("--frames=", length, " is no positive number; give for example 16,32"));
    }
    options.frames.push_back(frames);
  }
  for (const std::string& name : options.networks) {
    OP3D_ASSIGN_OR_RETURN(const NetworkDefinition definition, Define({name, /*classes=*/400}));
    for (const int frames : options.frames) {
      OP3D_RETURN_IF_ERROR(CheckClipSize(definition, {frames, options.side, options.side}));
    }
  }
  return options;
}

absl::Status NoteFlag(CheckReport* report) {
  const nlohmann::json notes =
      nlohmann::json::parse(absl::GetFlag(FLAGS_notes), nullptr, /*allow_exceptions=*/false);
  if (!notes.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--notes=", absl::GetFlag(FLAGS_notes), " is no JSON object"));
  }
  for (const auto& [name, value] : notes.items()) report->Note(name, value);
  return absl::OkStatus();
}

void NoteMachine(bool gpu, const GpuFacts& facts, CheckReport* report) {
  report->Note("device", gpu ? facts.name : "cpu");
  report->Note("compute_capability", absl::StrCat(facts.major, ".", facts.minor));
  report->Note("memory_bytes", facts.total_bytes);
  report->Note("driver", facts.driver);
  report->Note("runtime", facts.runtime);
  report->Note("torch_headers", TORCH_VERSION);
  report->Note("unix_time", static_cast<int64_t>(std::time(nullptr)));
  if (!gpu) return;
  // Throws without cuDNN: the checks go on and say so.
  CatchTorch([&] {
    report->Note("cudnn", at::detail::getCUDAHooks().versionRuntimeCuDNN());
    report->Note("cudnn_headers", at::detail::getCUDAHooks().versionCuDNN());
    return absl::OkStatus();
  }).IgnoreError();
}

void RunChecks(bool gpu, CheckReport* report) {
  const std::string device = absl::GetFlag(FLAGS_device);
  report->Part("kernels");
  CheckKernels(device, report);
  std::vector<std::string> names = {"dg_p3d_resnet18", "dg_p3d_resnet50"};
  if (!gpu) names = {"dg_p3d_miniature"};
  for (const std::string& name : names) {
    report->Part(name);
    NetworkCheckOptions options;
    options.device = device;
    options.network = name;
    if (!gpu) options.side = 32;
    report->Keep(name, CheckNetwork(options, report));
  }
  if (const std::string file = absl::GetFlag(FLAGS_miniature); !file.empty()) {
    report->Part("miniature");
    report->Keep("miniature", CheckMiniature(device, file, report));
  }
}

int Refuse(const absl::Status& status) {
  std::cerr << status.message() << "\n";
  return kError;
}

int Main() {
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
  absl::StatusOr<FigureOptions> figures = ToFigureOptions(gpu, facts);
  if (!figures.ok()) return Refuse(figures.status());
  ExplainUncaughtErrors();
  CheckReport report;
  if (const absl::Status noted = NoteFlag(&report); !noted.ok()) return Refuse(noted);
  if (const std::string path = absl::GetFlag(FLAGS_output); !path.empty()) {
    if (!report.RecordTo(path).ok()) return kError;  // which it printed
  }
  NoteMachine(gpu, facts, &report);
  if (absl::GetFlag(FLAGS_checks)) RunChecks(gpu, &report);
  if (absl::GetFlag(FLAGS_figures)) {
    report.Part("figures");
    figures->seconds = std::min(absl::GetFlag(FLAGS_figure_seconds),
                                absl::GetFlag(FLAGS_seconds) - report.seconds());
    report.Keep("figures", MeasureFigures(*figures, &report));
  }
  if (!report.Complete().ok()) return kError;
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
