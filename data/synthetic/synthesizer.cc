#include "data/synthetic/synthesizer.h"

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/synthetic/kinetics_layout.h"
#include "data/video/video_writer.h"
#include "op3d/base/file.h"
#include "op3d/base/parallel.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

// Says what the folder is: to people, and to the next call.
constexpr char kNote[] = "synthetic.txt";

struct Split {
  std::string name;
  std::vector<KineticsVideo> videos;
};

struct Task {
  const Split* split;
  int index;
};

// Each split has a seed of its own, so that nothing tried on one tells about another.
uint64_t SplitSeed(uint64_t seed, const Miniature& miniature, absl::string_view split) {
  return RandomStream(seed, absl::StrCat(miniature.name, ".", split, ".seed"), {})();
}

absl::Status CheckOptions(const SynthesisOptions& options) {
  if (options.folder.empty()) return absl::InvalidArgumentError("no folder to write to is given");
  for (const int count : {options.train, options.val, options.test}) {
    if (count < 0 || count > 1'000'000) {
      return absl::InvalidArgumentError(
          absl::StrCat(count, " videos cannot be made: give 0 to 1000000 a split"));
    }
  }
  if (options.threads < 1 || options.threads > 1024) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.threads, " threads are not possible: give 1 to 1024"));
  }
  return absl::OkStatus();
}

std::string NoteText(const SynthesisOptions& options) {
  return absl::StrCat(
      "Synthetic videos made by op3d to stand in for a real data set; no person is in them.\n",
      "dataset ", options.dataset, "\nseed ", options.seed, "\ntrain ", options.train, "\nval ",
      options.val, "\ntest ", options.test, "\n");
}

// The folder is new, empty, or was begun with the same options.
absl::Status ClaimFolder(const SynthesisOptions& options) {
  OP3D_RETURN_IF_ERROR(MakeFolders(options.folder));
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(options.folder));
  const std::string note = JoinPath(options.folder, kNote);
  if (names.empty()) return WriteFileAtomically(note, NoteText(options));
  if (!FileExists(note)) {
    return absl::FailedPreconditionError(absl::StrCat(options.folder, " is not empty and holds no ",
                                                      kNote, " (it holds ", names.front(),
                                                      "); name a new folder"));
  }
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(note));
  if (text == NoteText(options)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      options.folder, " was made with other options, see its ", kNote, "; name a new folder"));
}

absl::Status MakeVideo(const SynthesisOptions& options, const Miniature& miniature,
                       const Split& split, int index) {
  const std::string path =
      JoinPath(options.folder, KineticsPath(miniature, split.name, split.videos[index]));
  if (FileExists(path)) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const std::string bytes,
                        EncodeRendering(RenderingOf(miniature, split.name, index, options.seed),
                                        miniature.frame_rate));
  return WriteFileAtomically(path, bytes);
}

absl::Status MakeVideos(const SynthesisOptions& options, const Miniature& miniature,
                        const std::vector<Split>& splits) {
  std::vector<Task> tasks;
  std::set<std::string> folders;
  for (const Split& split : splits) {
    for (int i = 0; i < static_cast<int>(split.videos.size()); ++i) {
      tasks.push_back({&split, i});
      const std::string path = KineticsPath(miniature, split.name, split.videos[i]);
      folders.insert(path.substr(0, path.rfind('/')));
    }
  }
  for (const std::string& folder : folders) {
    OP3D_RETURN_IF_ERROR(MakeFolders(JoinPath(options.folder, folder)));
  }
  Progress progress("render", static_cast<int64_t>(tasks.size()), "videos");
  return InParallel(options.threads, static_cast<int64_t>(tasks.size()), [&](int64_t i) {
    const absl::Status made = MakeVideo(options, miniature, *tasks[i].split, tasks[i].index);
    progress.Add(1);
    return made;
  });
}

absl::Status WriteLists(const SynthesisOptions& options, const Miniature& miniature,
                        const std::vector<Split>& splits) {
  for (const Split& split : splits) {
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(
        JoinPath(options.folder, absl::StrCat("kinetics-400_", split.name, ".csv")),
        KineticsCsv(miniature, split.name, split.videos)));
  }
  OP3D_RETURN_IF_ERROR(
      WriteFileAtomically(JoinPath(options.folder, "label_map.txt"), KineticsLabelMap(miniature)));
  return WriteFileAtomically(JoinPath(options.folder, "groups.csv"), GroupsCsv(miniature));
}

}  // namespace

Rendering RenderingOf(const Miniature& miniature, absl::string_view split, int index,
                      uint64_t seed) {
  const int video_class = index % static_cast<int>(miniature.classes.size());
  return Rendering(miniature.classes[video_class], miniature.shape,
                   RandomStream(SplitSeed(seed, miniature, split),
                                absl::StrCat(miniature.name, ".", split, ".video"), {index}));
}

absl::StatusOr<std::string> EncodeRendering(const Rendering& rendering, int frame_rate) {
  VideoWriterOptions options;
  options.width = rendering.shape().width;
  options.height = rendering.shape().height;
  options.frame_rate = frame_rate;
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<VideoWriter> writer, VideoWriter::Make(options));
  OP3D_RETURN_IF_ERROR(rendering.Render([&](const RgbImage& image) { return writer->Add(image); }));
  return writer->Finish();
}

absl::Status Synthesize(const SynthesisOptions& options) {
  OP3D_RETURN_IF_ERROR(CheckOptions(options));
  OP3D_ASSIGN_OR_RETURN(const Miniature miniature, FindMiniature(options.dataset));
  OP3D_RETURN_IF_ERROR(ClaimFolder(options));
  std::vector<Split> splits = {{"train", {}}, {"val", {}}, {"test", {}}};
  const int counts[] = {options.train, options.val, options.test};
  for (int i = 0; i < 3; ++i) {
    splits[i].videos = NameKineticsVideos(miniature, splits[i].name, counts[i],
                                          SplitSeed(options.seed, miniature, splits[i].name));
  }
  OP3D_RETURN_IF_ERROR(MakeVideos(options, miniature, splits));
  return WriteLists(options, miniature, splits);
}

}  // namespace op3d
