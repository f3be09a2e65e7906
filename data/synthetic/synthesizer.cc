#include "data/synthetic/synthesizer.h"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/synthetic/layout/activitynet_layout.h"
#include "data/synthetic/layout/dataset_layout.h"
#include "data/synthetic/layout/hmdb51_layout.h"
#include "data/synthetic/layout/kinetics_layout.h"
#include "data/synthetic/layout/something_something_layout.h"
#include "data/synthetic/layout/ucf101_layout.h"
#include "data/video/image/jpeg.h"
#include "data/video/writer/video_writer.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/parallel.h"

namespace op3d::data {
namespace {

absl::Status CheckOptions(const SynthesisOptions& options, const MiniatureSize& size) {
  if (options.folder.empty()) return absl::InvalidArgumentError("no folder to write to is given");
  for (const int count :
       {size.train, size.validation, size.test, size.groups, size.videos_per_group}) {
    if (count < 0 || count > 1'000'000) {
      return absl::InvalidArgumentError(
          absl::StrCat(count, " videos cannot be made: give 0 to 1000000 a list"));
    }
  }
  if (options.threads < 1 || options.threads > 1024) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.threads, " threads are not possible: give 1 to 1024"));
  }
  return absl::OkStatus();
}

std::string NoteText(const SynthesisOptions& options, const MiniatureSize& size) {
  std::string text = absl::StrCat(
      "Synthetic videos made by op3d to stand in for a real data set; no person is in them.\n",
      "dataset ", options.dataset, "\nseed ", options.seed, "\n");
  if (size.groups > 0) {
    absl::StrAppend(&text, "groups ", size.groups, "\nvideos_per_group ", size.videos_per_group,
                    "\n");
  } else {
    absl::StrAppend(&text, "train ", size.train, "\nval ", size.validation, "\ntest ", size.test,
                    "\n");
  }
  return text;
}

// Checks that the folder is new, empty, or was started with the same options.
absl::Status ClaimFolder(const SynthesisOptions& options, const MiniatureSize& size) {
  OP3D_RETURN_IF_ERROR(MakeFolders(options.folder));
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(options.folder));
  const std::string note = JoinPath(options.folder, kMiniatureNote);
  if (names.empty()) return WriteFileAtomically(note, NoteText(options, size));
  if (!FileExists(note)) {
    return absl::FailedPreconditionError(absl::StrCat(options.folder, " is not empty and holds no ",
                                                      kMiniatureNote, " (it holds ", names.front(),
                                                      "); name a new folder"));
  }
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(note));
  if (text == NoteText(options, size)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(options.folder,
                                                    " was made with other options, see its ",
                                                    kMiniatureNote, "; name a new folder"));
}

absl::StatusOr<DatasetLayout> LayOut(const Miniature& miniature, const MiniatureSize& size,
                                     uint64_t seed) {
  switch (miniature.format) {
    case DatasetSettings::KINETICS_CSV:
      return LayOutKinetics(miniature, size, seed);
    case DatasetSettings::SOMETHING_SOMETHING_V1_CSV:
    case DatasetSettings::SOMETHING_SOMETHING_V2_JSON:
      return LayOutSomethingSomething(miniature, size, seed);
    case DatasetSettings::UCF101_LIST:
      return LayOutUcf101(miniature, size);
    case DatasetSettings::HMDB51_LISTS:
      return LayOutHmdb51(miniature, size);
    case DatasetSettings::ACTIVITYNET_JSON:
      return LayOutActivityNet(miniature, size, seed);
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("the miniature ", miniature.name, " has the format ",
                       DatasetSettings::Format_Name(miniature.format),
                       ", which nothing lays out; add a layout to data/synthetic"));
  }
}

// Writes `folder`/00001.jpg and so on; the folder gets its name when it is complete.  Syncing each
// of 40,000 frames to the disk would take longer than rendering them, and a miniature can be made
// again.
absl::Status WriteFrames(const Rendering& rendering, int quality, const std::string& folder) {
  if (FolderExists(folder)) return absl::OkStatus();
  const std::string partial = folder + ".partial";
  OP3D_RETURN_IF_ERROR(MakeFolders(partial));
  int number = 0;
  OP3D_RETURN_IF_ERROR(rendering.Render([&](const RgbImage& image) -> absl::Status {
    OP3D_ASSIGN_OR_RETURN(const std::string bytes, EncodeJpeg(image, quality));
    const std::string path = JoinPath(partial, absl::StrFormat("%05d.jpg", ++number));
    std::ofstream file(path, std::ios::binary);
    file << bytes;
    file.close();
    return file ? absl::OkStatus() : ErrnoStatus(errno, "cannot write", path);
  }));
  if (std::rename(partial.c_str(), folder.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot rename to", folder);
  }
  return absl::OkStatus();
}

absl::Status MakeVideo(const SynthesisOptions& options, const Miniature& miniature,
                       const DatasetLayout::PlacedVideo& video) {
  const std::string path = JoinPath(options.folder, video.path);
  if (FileExists(path)) return absl::OkStatus();
  const Rendering rendering = RenderingOf(miniature, video.split, video.index, options.seed);
  const Miniature::Encoding& encoding = EncodingOf(miniature, video.index);
  if (encoding.ending.empty()) return WriteFrames(rendering, encoding.jpeg_quality, path);
  OP3D_ASSIGN_OR_RETURN(const std::string bytes, EncodeRendering(rendering, encoding));
  return WriteFileAtomically(path, bytes);
}

absl::Status MakeParents(const std::string& root, const std::set<std::string>& paths) {
  std::set<std::string> folders;
  for (const std::string& path : paths) {
    const size_t slash = path.rfind('/');
    if (slash != std::string::npos) folders.insert(path.substr(0, slash));
  }
  for (const std::string& folder : folders) {
    OP3D_RETURN_IF_ERROR(MakeFolders(JoinPath(root, folder)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> EncodeRendering(const Rendering& rendering,
                                            const Miniature::Encoding& encoding) {
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<VideoWriter> writer,
                        VideoWriter::Make(encoding.writer));
  OP3D_RETURN_IF_ERROR(rendering.Render([&](const RgbImage& image) { return writer->Add(image); }));
  return writer->Finish();
}

absl::Status Synthesize(const SynthesisOptions& options) {
  OP3D_ASSIGN_OR_RETURN(const Miniature miniature, FindMiniature(options.dataset));
  const MiniatureSize size = options.size.value_or(miniature.size);
  OP3D_RETURN_IF_ERROR(CheckOptions(options, size));
  OP3D_ASSIGN_OR_RETURN(const DatasetLayout layout, LayOut(miniature, size, options.seed));
  OP3D_RETURN_IF_ERROR(ClaimFolder(options, size));
  std::set<std::string> paths;
  for (const DatasetLayout::PlacedVideo& video : layout.videos) paths.insert(video.path);
  for (const DatasetLayout::TextFile& file : layout.texts) paths.insert(file.path);
  OP3D_RETURN_IF_ERROR(MakeParents(options.folder, paths));
  {
    const int64_t videos = static_cast<int64_t>(layout.videos.size());
    Progress progress("render", videos, "videos");
    OP3D_RETURN_IF_ERROR(InParallel(options.threads, videos, [&](int64_t i) {
      const absl::Status made = MakeVideo(options, miniature, layout.videos[i]);
      progress.Add(1);
      return made;
    }));
  }
  for (const DatasetLayout::TextFile& file : layout.texts) {
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(JoinPath(options.folder, file.path), file.text));
  }
  return absl::OkStatus();
}

}  // namespace op3d::data
