#include "data/command/folder_list.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/annotation/held_out.h"
#include "data/annotation/text/list_text.h"
#include "data/datasets/dataset.pb.h"
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
  std::vector<Video> videos;
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(options.folder));
  for (const std::string& name : names) {
    if (IsHidden(name)) continue;
    if (!FolderExists(JoinPath(options.folder, name))) {
      report.passed_over.push_back(absl::StrCat(name, ": is not in a class folder"));
      continue;
    }
    OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> found,
                          VideosBelow(options.folder, name, &report.passed_over));
    if (found.empty()) {
      report.passed_over.push_back(absl::StrCat(name, ": a folder without a video"));
      continue;
    }
    for (const std::string& path : found) {
      Video video;
      video.name = path;
      video.label = static_cast<int64_t>(report.classes.size());
      videos.push_back(std::move(video));
    }
    report.classes.push_back(name);
  }
  if (report.classes.size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.folder, " has ", report.classes.size(),
        " folders with videos in them; put the videos into a folder a class, at least two (",
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
