// Looks at videos and prepares datasets.
//
//   ./bazelw run //data:dataset -- list /data/phone
//   ./bazelw run //data:dataset -- index /data/hmdb51 --dataset=hmdb51 --split=2
//   ./bazelw run //data:dataset -- check /data/hmdb51 --dataset=hmdb51
//   ./bazelw run //data:dataset -- transcode /data/hmdb51 --dataset=hmdb51 --output_dir=/fast/hm
//   ./bazelw run //data:dataset -- pack /data/hmdb51 --dataset=hmdb51 --short_side=64 --out=/fast/p
//   ./bazelw run //data:dataset -- flow /data/hmdb51 --dataset=hmdb51 --output_dir=/fast/flow
//   ./bazelw run //data:dataset -- inspect clip.mp4 --json
//   ./bazelw run //data:dataset -- clip clip.mp4 --frames=16 --crop=three --output=c.safetensors
//   ./bazelw run //data:dataset -- frames clip.mp4 --indices=0,7,12 --output_dir=/tmp/frames
//   ./bazelw run //data:dataset -- synthesize --dataset=kinetics400 --output_dir=/tmp/k400
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "data/annotation/video_list.h"
#include "data/command/clip_export.h"
#include "data/command/dataset_check.h"
#include "data/command/dataset_index.h"
#include "data/command/folder_list.h"
#include "data/command/frame_export.h"
#include "data/command/inspection.h"
#include "data/command/optical_flow.h"
#include "data/command/transcode.h"
#include "data/command/video_copy.h"
#include "data/datasets/dataset.pb.h"
#include "data/datasets/dataset_settings.h"
#include "data/index/scan_record.h"
#include "data/synthetic/synthesizer.h"
#include "data/video/media.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/common_flags.h"
#include "op3d/base/program/program.h"
#include "op3d/base/status_macros.h"

ABSL_FLAG(bool, json, false, "one JSON object per line on stdout instead of text");
ABSL_FLAG(
    std::string, dataset, "kinetics400",
    "index, check, transcode, pack, flow: a name of data/datasets/, or a textproto of your own; "
    "synthesize: a miniature's name");
ABSL_FLAG(
    int, split, 0,
    "index, check, transcode, pack, flow: which of the official splits, from 1; 0 = the first");
ABSL_FLAG(
    std::string, index, "",
    "index, check, transcode, pack, flow: the index's file; default: in the dataset's folder, or "
    "in the user's cache if that folder cannot be written to");
ABSL_FLAG(bool, rescan, false, "index: scan unchanged files too");
ABSL_FLAG(int, shortest, 16, "index: videos with fewer frames are listed as short");
ABSL_FLAG(int, threads, 0,
          "index, check, transcode, pack, flow, synthesize: videos at the same time; 0 = as many "
          "as there "
          "are cores");
ABSL_FLAG(
    std::string, form, "",
    "transcode: to video files (the default), folders of JPEG frames or lmdb of them, or packed "
    "(what pack does); flow: frames (the default) or lmdb");
ABSL_FLAG(int, short_side, 0,
          "transcode, pack, flow: in pixels; smaller videos keep their size; 0 = 256, but a pack "
          "needs a number");
ABSL_FLAG(int, key_frame_distance, 16,
          "transcode: distance of key frames in video files, in frames");
ABSL_FLAG(int, crf, 20, "transcode: quality of files, 0 (best) to 51");
ABSL_FLAG(int, jpeg_quality, 90, "transcode, flow: quality of JPEG frames, 1 to 100 (best)");
ABSL_FLAG(
    std::string, method, "dis",
    "flow: dis (dense inverse search) or farneback, as OpenCV computes them; TV-L1 would need 70 "
    "more packages");
ABSL_FLAG(double, bound, 20, "flow: in pixels; larger moves between two frames are cut to it");
ABSL_FLAG(
    std::string, stream, "",
    "index, check, transcode, pack, inspect, frames, clip: pictures, or flow that is stored as x "
    "and y pictures; empty = the dataset's own, by default pictures");
ABSL_FLAG(int, frames, 16, "clip: frames");
ABSL_FLAG(int, length, 0, "clip: another name of --frames; 0 = not given");
ABSL_FLAG(int, stride, 1, "clip: distance of two frames");
ABSL_FLAG(int64_t, start, 0, "clip: number of the first frame");
ABSL_FLAG(std::string, crop, "center",
          "clip: center, three (as in a test) or random (as in training)");
ABSL_FLAG(
    uint64_t, seed, 1,
    "clip: for the random crop; list: for the choice of test videos; synthesize: another seed "
    "gives other videos");
ABSL_FLAG(std::vector<std::string>, indices, {}, "frames: their numbers, from 0, with commas");
ABSL_FLAG(double, test_share, 0.25, "list: the share of each class's videos for the test");
ABSL_FLAG(
    std::string, output_dir, "",
    "frames, transcode, pack, flow, synthesize: the folder to write to; list: where the lists go, "
    "default: into the folder itself");
ABSL_FLAG(std::string, output, "", "clip: the safetensors file to write");
ABSL_FLAG(std::string, out, "",
          "list, frames, transcode, pack, flow, clip, synthesize: another name of --output_dir and "
          "--output");
ABSL_FLAG(
    int, size, 0,
    "frames: short side in pixels; 0 = the video's own size.  clip: side of the crop; 0 = 224");

namespace op3d::data {
namespace {

constexpr char kUsage[] =
    "looks at videos and prepares datasets.\n\n"
    "  list FOLDER      makes lists, and the file for --dataset, for videos in class folders\n"
    "  index ROOT       finds a dataset's lists and media, scans what is new, says what is "
    "missing\n"
    "  check ROOT       decodes every frame of every listed video\n"
    "  transcode ROOT   makes a small copy with the same lists and frame numbers in\n"
    "                   --output_dir\n"
    "  pack ROOT        makes such a copy of decoded pictures with --short_side: nothing is left\n"
    "                   to decode, for sets of a few GiB\n"
    "  flow ROOT        makes such a copy of the videos' optical flow, for --stream=flow\n"
    "  transcode, pack, flow FILE...   the same for videos without lists\n"
    "  inspect FILE...  prints all properties of videos\n"
    "  frames FILE      frames as PNG files\n"
    "  clip FILE        a clip as the network gets it, as safetensors\n"
    "  synthesize       a miniature of --dataset, as a folder in the dataset's own layout\n\n"
    "  ./bazelw run //data:dataset -- index /data/ucf101 --dataset=ucf101 --split=2\n\n"
    "Exit 0 = all done; 1 = a list could not be used, or an existing video could not be checked\n"
    "or copied (broken videos are no error of index: it lists them); 2 = wrong use, or no input\n"
    "can be used.";

// The value of --stream; pictures if it is not given.
absl::StatusOr<data::FrameContent> Content() {
  DatasetSettings dataset;
  OP3D_RETURN_IF_ERROR(data::SetStream(absl::GetFlag(FLAGS_stream), &dataset));
  return data::ContentOf(dataset);
}

// The dataset and split that the flags name.
absl::StatusOr<DatasetSettings> Dataset() {
  OP3D_ASSIGN_OR_RETURN(DatasetSettings dataset, data::FindDataset(absl::GetFlag(FLAGS_dataset)));
  if (absl::GetFlag(FLAGS_split) != 0) {
    OP3D_RETURN_IF_ERROR(data::ChooseSplit(absl::GetFlag(FLAGS_split), &dataset));
  }
  OP3D_RETURN_IF_ERROR(data::SetStream(absl::GetFlag(FLAGS_stream), &dataset));
  return dataset;
}

// The output folder or file of the command: from its own flag, or --out.
absl::StatusOr<std::string> OutputOf(absl::string_view command, bool folder) {
  const std::string own = absl::GetFlag(folder ? FLAGS_output_dir : FLAGS_output);
  const std::string other = absl::GetFlag(FLAGS_out);
  if (own.empty() && other.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(command, folder ? " writes a folder: give it as --output_dir=DIR"
                                     : " writes a file: give it as --output=F.safetensors"));
  }
  if (!own.empty() && !other.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(command, ": --out is another name of ",
                                                   folder ? "--output_dir" : "--output",
                                                   "; give one of them"));
  }
  return UserPath(own.empty() ? other : own);
}

absl::StatusOr<std::string> RootOf(absl::string_view command, absl::Span<const std::string> words) {
  if (words.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(command, ": name one folder, the dataset's root"));
  }
  return UserPath(words[0]);
}

// Makes a dataset from a folder without lists.
absl::Status List(absl::Span<const std::string> words) {
  data::FolderListOptions options;
  OP3D_ASSIGN_OR_RETURN(options.folder, RootOf("list", words));
  if (!absl::GetFlag(FLAGS_output_dir).empty() || !absl::GetFlag(FLAGS_out).empty()) {
    OP3D_ASSIGN_OR_RETURN(options.out, OutputOf("list", /*folder=*/true));
  }
  options.test_share = absl::GetFlag(FLAGS_test_share);
  options.seed = absl::GetFlag(FLAGS_seed);
  OP3D_ASSIGN_OR_RETURN(const data::FolderListReport report, data::ListClassFolders(options));
  std::printf("%s\n", (absl::GetFlag(FLAGS_json) ? data::FolderListJson(report)
                                                 : data::FolderListText(report))
                          .c_str());
  return absl::OkStatus();
}

absl::Status Index(absl::Span<const std::string> words) {
  data::DatasetIndexOptions options;
  OP3D_ASSIGN_OR_RETURN(options.root, RootOf("index", words));
  OP3D_ASSIGN_OR_RETURN(const DatasetSettings dataset, Dataset());
  options.index = UserPath(absl::GetFlag(FLAGS_index));
  OP3D_ASSIGN_OR_RETURN(options.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  options.rescan = absl::GetFlag(FLAGS_rescan);
  options.shortest = absl::GetFlag(FLAGS_shortest);
  OP3D_ASSIGN_OR_RETURN(const data::DatasetIndexReport report,
                        data::IndexDataset(dataset, options));
  std::printf("%s\n", (absl::GetFlag(FLAGS_json) ? data::DatasetReportJson(report)
                                                 : data::DatasetReportText(report))
                          .c_str());
  return data::UsableLists(report);
}

// The videos of both lists; a video in both comes once.
struct ListedVideos {
  std::vector<data::Video> usable;
  std::vector<data::LeftOutVideo> broken;
  // The error of a list that cannot be used.
  absl::Status status;
};

absl::StatusOr<ListedVideos> FindListedVideos(const std::string& root) {
  OP3D_ASSIGN_OR_RETURN(const DatasetSettings dataset, Dataset());
  data::DatasetIndexOptions options;
  options.root = root;
  options.index = UserPath(absl::GetFlag(FLAGS_index));
  OP3D_ASSIGN_OR_RETURN(options.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  OP3D_ASSIGN_OR_RETURN(const data::DatasetIndexReport report,
                        data::IndexDataset(dataset, options));
  ListedVideos videos;
  std::set<std::string> paths;
  int64_t missing = 0;
  for (const data::SplitReport& split : report.splits) {
    for (const data::Video& video : split.list.videos) {
      if (paths.insert(video.path).second) videos.usable.push_back(video);
    }
    for (const data::LeftOutVideo& video : split.list.left_out) {
      if (!video.path.empty() && paths.insert(video.path).second) videos.broken.push_back(video);
    }
    missing += split.list.missing;
  }
  if (missing > 0) {
    std::fprintf(stderr, "%d listed videos are not there; `index` names them\n",
                 static_cast<int>(missing));
  }
  videos.status = data::UsableLists(report);
  return videos;
}

// Copies videos that are named on the command line, keeping their names, into options.out.
absl::Status CopyFiles(const data::TranscodeOptions& options, absl::Span<const std::string> words) {
  OP3D_RETURN_IF_ERROR(data::CheckVideoCopyOptions(options.copy));
  OP3D_RETURN_IF_ERROR(MakeFolders(options.out));
  const auto copy = [&options](const std::string& path, const std::string& target) -> absl::Status {
    OP3D_ASSIGN_OR_RETURN(const data::VideoScan scan, data::ScanMedia(path));
    return data::CopyVideo({path, path, -1, scan.info.frames, data::EncodeScan(scan)}, options.copy,
                           target);
  };
  std::map<std::string, std::string> sources;
  absl::Status failure;
  int64_t failed = 0;
  for (const std::string& word : words) {
    const std::string path = UserPath(word);
    const std::string name = data::CopyPath(std::filesystem::path(path).filename().string(),
                                            /*is_folder=*/false, options.copy.form);
    const std::string target = JoinPath(options.out, name);
    const auto [other, first] = sources.emplace(target, word);
    absl::Status status;
    if (!first) {
      status = absl::InvalidArgumentError(absl::StrCat(
          word, " would get the name of ", other->second, ", ", target, "; copy it elsewhere"));
    } else if (FileExists(target) || FolderExists(target)) {
      status = absl::FailedPreconditionError(absl::StrCat(target, " is there already"));
    } else {
      status = copy(path, target);
    }
    if (absl::IsCancelled(status)) return status;
    if (status.ok()) {
      std::printf("%s\n", target.c_str());
      continue;
    }
    if (words.size() > 1) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    failure = status;
    ++failed;
  }
  return PartlyDone(failed, static_cast<int64_t>(words.size()), failure, "videos were not copied");
}

bool AreFiles(absl::Span<const std::string> words) {
  return !words.empty() && std::all_of(words.begin(), words.end(), [](const std::string& word) {
    return FileExists(UserPath(word));
  });
}

// Copies the listed videos of a dataset, or named videos; or their flow if `flow` is given.
absl::Status Copy(absl::string_view command, const data::OpticalFlow* flow,
                  absl::Span<const std::string> words) {
  data::TranscodeOptions options;
  const bool files = AreFiles(words);
  if (!files) {
    OP3D_ASSIGN_OR_RETURN(options.root, RootOf(command, words));
  }
  OP3D_ASSIGN_OR_RETURN(options.out, OutputOf(command, /*folder=*/true));
  const std::string form = absl::GetFlag(FLAGS_form);
  options.copy.flow = flow;
  options.copy.flow_bound = absl::GetFlag(FLAGS_bound);
  options.copy.form = flow == nullptr ? data::VideoForm::kFile : data::VideoForm::kFrames;
  if (!form.empty()) {
    OP3D_ASSIGN_OR_RETURN(options.copy.form, data::ParseVideoForm(form));
  }
  if (command == "pack") options.copy.form = data::VideoForm::kPacked;
  if (absl::GetFlag(FLAGS_short_side) != 0) {
    options.copy.short_side = absl::GetFlag(FLAGS_short_side);
  } else if (options.copy.form == data::VideoForm::kPacked) {
    return absl::InvalidArgumentError(
        "a pack has pictures of one size: give --short_side=N, the largest short side that its "
        "trainings and tests use (transform.search_short_side and test_short_side of the "
        "settings)");
  }
  options.copy.key_frame_distance = absl::GetFlag(FLAGS_key_frame_distance);
  options.copy.crf = absl::GetFlag(FLAGS_crf);
  options.copy.jpeg_quality = absl::GetFlag(FLAGS_jpeg_quality);
  OP3D_ASSIGN_OR_RETURN(options.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  if (files) return CopyFiles(options, words);
  OP3D_ASSIGN_OR_RETURN(const ListedVideos videos, FindListedVideos(options.root));
  absl::StatusOr<data::TranscodeReport> report = data::TranscodeVideos(videos.usable, options);
  if (absl::IsCancelled(report.status())) {
    return absl::CancelledError(
        absl::StrCat(report.status().message(), "; the same command resumes it"));
  }
  OP3D_RETURN_IF_ERROR(report.status());
  report->failed.insert(report->failed.end(), videos.broken.begin(), videos.broken.end());
  std::printf("%s\n", (absl::GetFlag(FLAGS_json) ? data::TranscodeReportJson(*report)
                                                 : data::TranscodeReportText(*report))
                          .c_str());
  OP3D_RETURN_IF_ERROR(videos.status);
  if (report->failed.empty()) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(report->failed.size(), " of ",
                                         videos.usable.size() + videos.broken.size(),
                                         " videos were not copied; see the errors above"));
}

absl::Status Transcode(absl::Span<const std::string> words) {
  return Copy("transcode", nullptr, words);
}

absl::Status Pack(absl::Span<const std::string> words) { return Copy("pack", nullptr, words); }

absl::Status Flow(absl::Span<const std::string> words) {
  OP3D_ASSIGN_OR_RETURN(const data::OpticalFlow flow,
                        data::OpticalFlow::Load(absl::GetFlag(FLAGS_method)));
  return Copy("flow", &flow, words);
}

absl::Status Check(absl::Span<const std::string> words) {
  OP3D_ASSIGN_OR_RETURN(const std::string root, RootOf("check", words));
  OP3D_ASSIGN_OR_RETURN(const ListedVideos videos, FindListedVideos(root));
  OP3D_ASSIGN_OR_RETURN(const int threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  OP3D_ASSIGN_OR_RETURN(data::CheckReport check, data::CheckVideos(videos.usable, threads));
  for (const data::LeftOutVideo& video : videos.broken) {
    ++check.videos;
    check.damaged.push_back({video.name, video.path, video.reason});
  }
  std::printf("%s\n", (absl::GetFlag(FLAGS_json) ? data::CheckReportJson(check)
                                                 : data::CheckReportText(check))
                          .c_str());
  OP3D_RETURN_IF_ERROR(videos.status);
  if (check.damaged.empty()) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat(check.damaged.size(), " of ", check.videos, " videos have errors; see above"));
}

absl::Status Clip(absl::Span<const std::string> words) {
  if (words.size() != 1) return absl::InvalidArgumentError("clip: name one file");
  OP3D_ASSIGN_OR_RETURN(const std::string out, OutputOf("clip", /*folder=*/false));
  data::ClipRequest request;
  request.length =
      absl::GetFlag(FLAGS_length) != 0 ? absl::GetFlag(FLAGS_length) : absl::GetFlag(FLAGS_frames);
  request.stride = absl::GetFlag(FLAGS_stride);
  request.start = absl::GetFlag(FLAGS_start);
  request.seed = absl::GetFlag(FLAGS_seed);
  if (absl::GetFlag(FLAGS_size) != 0) request.size = absl::GetFlag(FLAGS_size);
  OP3D_ASSIGN_OR_RETURN(request.crop, data::ParseCrop(absl::GetFlag(FLAGS_crop)));
  OP3D_ASSIGN_OR_RETURN(request.content, Content());
  OP3D_ASSIGN_OR_RETURN(const data::ClipFile clip, data::MakeClipFile(UserPath(words[0]), request));
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(out, clip.bytes));
  if (clip.held > 0) {
    std::fprintf(stderr, "the video ends before the clip: its last frame is repeated %d times\n",
                 clip.held);
  }
  std::printf("%s\n",
              (absl::GetFlag(FLAGS_json) ? data::ClipFileJson(clip, UserPath(words[0]), out) : out)
                  .c_str());
  return absl::OkStatus();
}

// Writes a folder to look at, which can also be used for training like any copy of the dataset.
absl::Status MakeMiniature(absl::Span<const std::string> words) {
  OP3D_RETURN_IF_ERROR(RefuseWords(words));
  data::SynthesisOptions options;
  options.dataset = absl::GetFlag(FLAGS_dataset);
  OP3D_ASSIGN_OR_RETURN(options.folder, OutputOf("synthesize", /*folder=*/true));
  options.seed = absl::GetFlag(FLAGS_seed);
  OP3D_ASSIGN_OR_RETURN(options.threads, ThreadsOf(absl::GetFlag(FLAGS_threads)));
  const absl::Status status = data::Synthesize(options);
  if (absl::IsCancelled(status)) {
    return absl::CancelledError(absl::StrCat(status.message(), "; the same command resumes it"));
  }
  OP3D_RETURN_IF_ERROR(status);
  const nlohmann::ordered_json json = {{"dataset", options.dataset}, {"folder", options.folder}};
  std::printf("%s\n", absl::GetFlag(FLAGS_json) ? json.dump().c_str() : options.folder.c_str());
  return absl::OkStatus();
}

absl::Status Inspect(absl::Span<const std::string> files) {
  if (files.empty()) return absl::InvalidArgumentError("inspect: name at least one file");
  data::MediaOptions media;
  OP3D_ASSIGN_OR_RETURN(media.content, Content());
  absl::Status failure;
  int64_t failures = 0;
  for (const std::string& file : files) {
    const absl::StatusOr<data::Inspection> inspection = data::InspectVideo(UserPath(file), media);
    if (absl::IsCancelled(inspection.status())) return inspection.status();
    if (inspection.ok()) {
      std::printf("%s\n", (absl::GetFlag(FLAGS_json) ? data::InspectionJson(*inspection)
                                                     : data::InspectionText(*inspection))
                              .c_str());
      continue;
    }
    failure = inspection.status();
    ++failures;
    if (files.size() > 1) std::fprintf(stderr, "%s\n", std::string(failure.message()).c_str());
  }
  return PartlyDone(failures, static_cast<int64_t>(files.size()), failure, "files cannot be read");
}

absl::Status Frames(absl::Span<const std::string> files) {
  if (files.size() != 1) return absl::InvalidArgumentError("frames: name one file");
  OP3D_ASSIGN_OR_RETURN(const std::string out, OutputOf("frames", /*folder=*/true));
  std::vector<int64_t> indices;
  for (const std::string& text : absl::GetFlag(FLAGS_indices)) {
    int64_t index = 0;
    if (!absl::SimpleAtoi(text, &index)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--indices: '", text, "' is not a frame's number"));
    }
    indices.push_back(index);
  }
  data::MediaOptions media;
  OP3D_ASSIGN_OR_RETURN(media.content, Content());
  OP3D_ASSIGN_OR_RETURN(
      const std::vector<data::ExportedFrame> frames,
      data::ExportFrames(UserPath(files[0]), indices, absl::GetFlag(FLAGS_size), out, media));
  for (const data::ExportedFrame& frame : frames) {
    std::printf("%s\n",
                (absl::GetFlag(FLAGS_json) ? data::ExportedFrameJson(frame) : frame.path).c_str());
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace op3d::data

int main(int argc, char** argv) {
  return op3d::RunCommands(argc, argv, op3d::data::kUsage,
                           {{"list", op3d::data::List},
                            {"index", op3d::data::Index},
                            {"check", op3d::data::Check},
                            {"transcode", op3d::data::Transcode},
                            {"pack", op3d::data::Pack},
                            {"flow", op3d::data::Flow},
                            {"inspect", op3d::data::Inspect},
                            {"frames", op3d::data::Frames},
                            {"clip", op3d::data::Clip},
                            {"synthesize", op3d::data::MakeMiniature}});
}
