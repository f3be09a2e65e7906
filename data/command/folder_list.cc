#include "data/command/folder_list.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/annotation/held_out.h"
#include "data/annotation/text/list_text.h"
#include "data/datasets/dataset.pb.h"
#include "data/video/tar/media_path.h"
#include "data/video/tar/tar_shard.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d::data {
namespace {

namespace fs = std::filesystem;

constexpr char kDataset[] = "dataset.textproto";
constexpr char kTrain[] = "train.txt";
constexpr char kTest[] = "test.txt";
constexpr char kClasses[] = "classes.txt";
constexpr size_t kShown = 10;
// Of a member .cls, in bytes.
constexpr int64_t kLongestClass = 4096;
constexpr int64_t kMostClasses = 100'000;

bool IsHidden(const std::string& name) { return name.empty() || name[0] == '.'; }

// The videos below a class's folder, by their paths below `root`, sorted.
absl::StatusOr<std::vector<std::string>> VideosBelow(const std::string& root,
                                                     const std::string& below,
                                                     std::vector<std::string>* passed_over) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(JoinPath(root, below)));
  std::vector<std::string> videos;
  for (const std::string& name : names) {
    if (IsHidden(name)) continue;
    const std::string path = JoinPath(below, name);
    const bool video = WithoutVideoEndings(name).size() < name.size();
    if (name.find('\n') != std::string::npos) {
      passed_over->push_back(
          absl::StrCat(path, ": a list cannot contain a name with a line break"));
    } else if (FolderExists(JoinPath(root, path))) {
      OP3D_ASSIGN_OR_RETURN(std::vector<std::string> inner, VideosBelow(root, path, passed_over));
      videos.insert(videos.end(), inner.begin(), inner.end());
    } else if (video) {
      videos.push_back(path);
    } else {
      passed_over->push_back(absl::StrCat(path, ": its name does not end like a video's"));
    }
  }
  return videos;
}

// By class, the paths of its videos.
using Classes = std::map<std::string, std::vector<std::string>>;

// The name that the members of one sample share in WebDataset: up to the first dot.
absl::string_view KeyOf(absl::string_view member) {
  const size_t name = member.rfind('/') == absl::string_view::npos ? 0 : member.rfind('/') + 1;
  return member.substr(0, member.find('.', name));
}

// Adds the videos of the tar `name` below `root`.
absl::Status AddShard(const std::string& root, const std::string& name, Classes* classes,
                      std::vector<std::string>* passed_over) {
  const std::string path = JoinPath(root, name);
  const absl::StatusOr<std::shared_ptr<const TarShard>> opened = TarShard::Open(path);
  if (!opened.ok()) {
    passed_over->push_back(absl::StrCat(name, ": ", std::string(opened.status().message())));
    return absl::OkStatus();
  }
  const TarShard& shard = **opened;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return ErrnoStatus(errno, "cannot open", path);
  const absl::Cleanup close = [file] { ::close(file); };
  for (const std::string& member : shard.Names()) {
    if (WithoutVideoEndings(member).size() == member.size()) continue;
    const std::string video = JoinPath(name, member);
    std::string label =
        member.substr(0, member.find('/') == std::string::npos ? 0 : member.find('/'));
    const std::string cls = absl::StrCat(KeyOf(member), ".cls");
    const absl::StatusOr<TarMember> found = shard.Find(cls);
    if (found.ok()) {
      OP3D_RETURN_IF_ERROR(ReadTarMember(file, *found, kLongestClass, JoinPath(path, cls), &label));
      absl::StripAsciiWhitespace(&label);
    }
    if (label.empty() || label.find('\n') != std::string::npos ||
        video.find('\n') != std::string::npos) {
      passed_over->push_back(absl::StrCat(absl::CHexEscape(video), ": has no class: no member ",
                                          absl::CHexEscape(cls),
                                          " with a name or number, and no folder in the tar"));
      continue;
    }
    (*classes)[label].push_back(video);
  }
  if (!shard.damage().ok()) {
    passed_over->push_back(absl::StrCat(name, ": ", std::string(shard.damage().message())));
  }
  return absl::OkStatus();
}

// The classes by their labels: the numbers themselves if all are whole numbers.
std::vector<std::string> OrderOf(const Classes& classes) {
  int64_t last = -1;
  std::vector<std::string> names;
  for (const auto& [name, videos] : classes) {
    names.push_back(name);
    int32_t number = -1;
    const bool whole = absl::SimpleAtoi(name, &number) && absl::StrCat(number) == name &&
                       number >= 0 && number < kMostClasses;
    if (!whole) last = INT64_MAX;
    last = std::max<int64_t>(last, number);
  }
  if (last == INT64_MAX) return names;
  names.clear();
  for (int64_t i = 0; i <= last; ++i) names.push_back(absl::StrCat(i));
  return names;
}

std::string ListText(const std::vector<Video>& videos) {
  std::string text;
  for (const Video& video : videos) absl::StrAppend(&text, video.name, " ", video.label, "\n");
  return text;
}

DatasetSettings Dataset(const FolderListOptions& options, const FolderListReport& report) {
  DatasetSettings dataset;
  dataset.set_name(std::string(FileName(options.folder)));
  dataset.set_classes(static_cast<int32_t>(report.classes.size()));
  dataset.set_format(DatasetSettings::PATH_LABEL);
  const std::string media =
      options.out.empty() || options.out == options.folder ? "." : options.folder;
  for (const auto& [split, list] : {std::make_pair(dataset.mutable_train(), kTrain),
                                    std::make_pair(dataset.mutable_evaluation(), kTest)}) {
    split->set_list(list);
    split->set_media(media);
  }
  dataset.set_label_map(kClasses);
  dataset.set_source(absl::StrCat("lists made from the class folders of ", options.folder));
  return dataset;
}

}  // namespace

absl::StatusOr<FolderListReport> ListClassFolders(const FolderListOptions& asked) {
  FolderListOptions options = asked;
  for (std::string* path : {&options.folder, &options.out}) {
    std::error_code error;
    // Without "." and a trailing slash, because the folder's name becomes the dataset's.
    const std::string whole = fs::weakly_canonical(*path, error).string();
    if (!error && !path->empty()) *path = whole;
  }
  if (!(options.test_share > 0 && options.test_share < 1)) {
    return absl::InvalidArgumentError(absl::StrCat("a test share of ", options.test_share,
                                                   " is not possible: it is between 0 and 1"));
  }
  const std::string out = options.out.empty() ? options.folder : options.out;
  for (const char* name : {kDataset, kTrain, kTest, kClasses}) {
    if (!FileExists(JoinPath(out, name))) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(JoinPath(out, name),
                     " is there already; remove it, or name another folder "
                     "for the lists with --output_dir"));
  }
  FolderListReport report;
  Classes classes;
  bool shards = false;
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(options.folder));
  for (const std::string& name : names) {
    if (IsHidden(name)) continue;
    const std::string path = JoinPath(options.folder, name);
    if (IsTarName(name) && FileExists(path)) {
      shards = true;
      OP3D_RETURN_IF_ERROR(AddShard(options.folder, name, &classes, &report.passed_over));
      continue;
    }
    if (!FolderExists(path)) {
      report.passed_over.push_back(absl::StrCat(name, ": is not in a class folder"));
      continue;
    }
    OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> found,
                          VideosBelow(options.folder, name, &report.passed_over));
    if (found.empty()) {
      report.passed_over.push_back(absl::StrCat(name, ": a folder without a video"));
      continue;
    }
    std::vector<std::string>& videos = classes[name];
    videos.insert(videos.end(), found.begin(), found.end());
  }
  for (const auto& [name, unused] : classes) report.classes.push_back(name);
  if (shards) report.classes = OrderOf(classes);
  std::vector<Video> videos;
  for (size_t label = 0; label < report.classes.size(); ++label) {
    for (const std::string& path : classes[report.classes[label]]) {
      Video video;
      video.name = path;
      video.label = static_cast<int64_t>(label);
      videos.push_back(std::move(video));
    }
  }
  if (report.classes.size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.folder, " has ", report.classes.size(),
        shards ? " classes with videos" : " folders with videos in them",
        "; put the videos into a folder a class, at least two (",
        report.passed_over.empty() ? "it is empty"
                                   : absl::StrCat("first of the rest: ", report.passed_over[0]),
        ")"));
  }
  const auto [train, test] = SplitHeldOut(videos, options.test_share, options.seed);
  if (test.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("none of the ", videos.size(), " videos of ", options.folder,
                     " is left to test on: every class needs at least two, or --test_share of ",
                     options.test_share, " is too small"));
  }
  report.train = static_cast<int64_t>(train.size());
  report.test = static_cast<int64_t>(test.size());
  report.dataset = JoinPath(out, kDataset);
  OP3D_RETURN_IF_ERROR(MakeFolders(out));
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(JoinPath(out, kTrain), ListText(train)));
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(JoinPath(out, kTest), ListText(test)));
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(
      JoinPath(out, kClasses), absl::StrCat(absl::StrJoin(report.classes, "\n"), "\n")));
  // Written last, because it completes the dataset.
  OP3D_RETURN_IF_ERROR(WriteTextproto(report.dataset, Dataset(options, report)));
  return report;
}

std::string FolderListText(const FolderListReport& report) {
  std::string text =
      absl::StrCat(report.dataset, "\n", report.classes.size(), " classes, ", report.train,
                   " videos to train on, ", report.test, " to test on");
  for (size_t i = 0; i < report.passed_over.size() && i < kShown; ++i) {
    absl::StrAppend(&text, "\n  passed over: ", report.passed_over[i]);
  }
  if (report.passed_over.size() > kShown) {
    absl::StrAppend(&text, "\n  passed over: ", report.passed_over.size() - kShown,
                    " more; --json lists all");
  }
  return text;
}

std::string FolderListJson(const FolderListReport& report) {
  const nlohmann::ordered_json json = {{"dataset", report.dataset},
                                       {"classes", report.classes},
                                       {"train", report.train},
                                       {"test", report.test},
                                       {"passed_over", report.passed_over}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace op3d::data
