// What several programs' flags have in common: one help text a flag, one way to read it.
//
//   ABSL_FLAG(std::string, device, "auto", op3d::kDeviceHelp);
//   ABSL_FLAG(int, threads, 0, op3d::kJobsHelp);
//   OP3D_ASSIGN_OR_RETURN(options.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
//
// A program defines the flags that it takes itself, so that any other stays an unknown flag.
#ifndef OP3D_BASE_PROGRAM_COMMON_FLAGS_H_
#define OP3D_BASE_PROGRAM_COMMON_FLAGS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// --device, with the default "auto".
inline constexpr char kDeviceHelp[] = "cpu, cuda or auto";
// --index, with the default "".
inline constexpr char kIndexHelp[] =
    "file for the result of scanning the videos; default: in the dataset's folder, or in the "
    "user's cache if that folder cannot be written to";
// --threads of whole runs, with the default 0.
inline constexpr char kJobsHelp[] =
    "jobs and loader threads; 0 = all cores.  No result depends on it";

// Of programs that train: --set, --output_dir, --network, --precision, --arithmetic, --seed (default
// -1) and --dry_run.
inline constexpr char kSetHelp[] =
    "path.to.field=value overrides a setting; may be given several times";
inline constexpr char kRunFolderHelp[] =
    "everything the run writes; an existing run is resumed (default: "
    "results/runs/<name>-<date> in the workspace)";
inline constexpr char kNetworkHelp[] = "network to train, e.g. dg_p3d_resnet50";
inline constexpr char kTrainingPrecisionHelp[] =
    "arithmetic of the network: fp32, bf16, tf32 or fp16 (on a GPU), or auto, the faster of fp32 "
    "and bf16; empty = the settings' own, by default fp32";
inline constexpr char kTrainingArithmeticHelp[] =
    "portable: only AVX2, the same bits on every processor; native: the fastest here; empty = the "
    "settings' own, by default portable";
inline constexpr char kSettingsSeedHelp[] = "seed of all random numbers; -1 = the settings' own";
inline constexpr char kDryRunHelp[] =
    "print what would be done and what it costs; write nothing but the "
    "index of the videos";

// Of programs that read weights: --weights, --network, --frames, --stride, --short_side, --crop and
// --arithmetic, with an empty default each.
inline constexpr char kWeightsHelp[] =
    "file of the network's weights: safetensors, .pth or TorchScript; may also be the first word";
inline constexpr char kWeightsNetworkHelp[] =
    "which network the weights belong to; default: as their file says, else dg_p3d_resnet50";
inline constexpr char kFramesHelp[] =
    "consecutive frames of a segment; default: the file's, else 16";
inline constexpr char kStrideHelp[] = "distance of two frames; default: the file's, else 1";
inline constexpr char kShortSideHelp[] =
    "short side of the frames, in pixels; default: the file's, else 256";
inline constexpr char kCropHelp[] = "side of the crops, in pixels; default: the file's, else 256";
inline constexpr char kArithmeticHelp[] =
    "portable: only AVX2, the same bits on every processor; native: the fastest here; default: as "
    "the weights were trained, else portable";

// The number of threads that --threads asks for, at least 1; 0 = the cores of this machine, divided
// by the number of `processes` that share it.  InvalidArgument outside [0, 1024].
absl::StatusOr<int> ThreadsOf(int threads, int processes = 1);

// --split as a number; none where it is empty.  InvalidArgument for anything but a number ("all" is
// the caller's).
absl::StatusOr<std::optional<int>> SplitOf(const std::string& split);

// The folder of a run that is given none: results/runs/`name`-<date> in the workspace.
std::string DefaultRunFolder(absl::string_view name);

// `status` of the run in `folder`, with how to go on from what is saved there: the same command with
// --output_dir=`output_dir`.  As it is when the same command would only fail again (wrong use, bad
// input) or nothing is saved.
absl::Status SayHowToGoOn(const absl::Status& status, const std::string& folder,
                          const std::string& output_dir);

}  // namespace op3d

#endif  // OP3D_BASE_PROGRAM_COMMON_FLAGS_H_
