// Makes a miniature, as a folder to look at:
//
//   ./bazelw run //data/synthetic:synthesize -- --dataset=kinetics400 --output_dir=/tmp/kinetics400
#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "data/synthetic/synthesizer.h"
#include "op3d/base/bazel.h"
#include "op3d/base/program/common_flags.h"
#include "op3d/base/program/program.h"
#include "op3d/base/program/renamed_flag.h"
#include "op3d/base/status_macros.h"

ABSL_FLAG(std::string, dataset, "kinetics400",
          "the data set to make a miniature of: a name of data/synthetic/miniatures");
ABSL_FLAG(std::string, output_dir, "",
          "folder to write to; a new one, or one begun with the same flags");
ABSL_FLAG(op3d::RenamedFlag, out, {"--output_dir"}, "");
ABSL_FLAG(uint64_t, seed, 1, "another seed gives other videos");
ABSL_FLAG(bool, tiny, false, "two or three videos a class, as tests use");
ABSL_FLAG(int, threads, 0, "videos made at the same time; 0 = as many as there are cores");

namespace op3d::data {
namespace {

constexpr char kUsage[] =
    "makes a miniature: a small synthetic data set in a real one's layout.\n\n"
    "  ./bazelw run //data/synthetic:synthesize -- --dataset=kinetics400 \\\n"
    "      --output_dir=/tmp/kinetics400\n\n"
    "Equal flags give equal files, whatever --threads says.  After a stop the same command\n"
    "resumes.";

absl::Status Run(absl::Span<const std::string> words) {
  if (!words.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", words.front(), "\" is not a flag; see --help"));
  }
  SynthesisOptions options;
  options.dataset = absl::GetFlag(FLAGS_dataset);
  options.folder = UserPath(absl::GetFlag(FLAGS_output_dir));
  options.seed = absl::GetFlag(FLAGS_seed);
  if (absl::GetFlag(FLAGS_tiny)) {
    OP3D_ASSIGN_OR_RETURN(const Miniature miniature, FindMiniature(options.dataset));
    options.size = miniature.tiny_size;
  }
  OP3D_ASSIGN_OR_RETURN(options.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  if (options.folder.empty())
    return absl::InvalidArgumentError("give --output_dir=DIR; see --help");
  const absl::Status status = Synthesize(options);
  if (absl::IsCancelled(status)) {
    return Annotate(status, "not finished; the same command resumes it");
  }
  OP3D_RETURN_IF_ERROR(status);
  std::printf("%s\n", options.folder.c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace op3d::data

int main(int argc, char** argv) {
  return op3d::RunProgram(argc, argv, op3d::data::kUsage, op3d::data::Run);
}
