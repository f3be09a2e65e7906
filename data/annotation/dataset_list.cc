#include "data/annotation/dataset_list.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "data/annotation/format/class_list.h"
#include "data/annotation/group_list.h"
#include "data/annotation/list_rows.h"
#include "data/video/remote/remote_files.h"
#include "data/video/remote/remote_url.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr size_t kShownNames = 10;
constexpr int64_t kMaxClasses = 100'000;

// "kinetics-400_val.csv, labels.txt": files that the user may have meant.
std::string TextFilesIn(const std::string& folder) {
  const absl::StatusOr<std::vector<std::string>> names = ListFolder(folder);
  std::vector<std::string> found;
  if (names.ok()) {
    for (const std::string& name : *names) {
      if (absl::EndsWith(name, ".csv") || absl::EndsWith(name, ".txt") ||
          absl::EndsWith(name, ".json")) {
        found.push_back(name);
      }
    }
  }
  if (found.empty()) {
    return "there is no .csv, .txt or .json file in that folder (for videos in a folder a class, "
           "`dataset list` makes the lists)";
  }
  if (found.size() > kShownNames) found.resize(kShownNames);
  return absl::StrCat("that folder has ", absl::StrJoin(found, ", "));
}

bool ListExists(const std::string& path) {
  return FileExists(path) || !ExpandPattern(path).empty();
}

// The first of `names` that exists below `root`; empty if none does.
template <typename Names>
std::string FirstThere(const std::string& root, const std::string& first, const Names& others,
                       bool (*there)(const std::string&)) {
  if (there(JoinPath(root, first))) return JoinPath(root, first);
  for (const std::string& name : others) {
    if (there(JoinPath(root, name))) return JoinPath(root, name);
  }
  return "";
}

template <typename Names>
std::string OrOthers(const Names& others) {
  return others.empty() ? "" : absl::StrCat(" (or ", absl::StrJoin(others, ", "), ")");
}

// `split` with "{split}" replaced.
DatasetSettings::Split FillIn(const DatasetSettings& dataset, DatasetSettings::Split split) {
  const std::string number = absl::StrCat(std::max(dataset.split(), 1));
  split.set_list(absl::StrReplaceAll(split.list(), {{"{split}", number}}));
  for (std::string& name : *split.mutable_other_lists()) {
    name = absl::StrReplaceAll(name, {{"{split}", number}});
  }
  return split;
}

// A text file of the dataset: below its root, or a URL.
struct TextFile {
  // What messages call it.
  std::string name;
  // Where it is; of a URL the cached copy.
  CachedFile local;
};

// `path` below the root, or the URL `name`.
absl::StatusOr<TextFile> OpenText(const std::string& name, const std::string& path,
                                  const DatasetSettings& dataset) {
  if (!IsUrl(name)) return TextFile{path, {path, nullptr}};
  OP3D_ASSIGN_OR_RETURN(const auto remote, RemoteFiles::Make(dataset.remote()));
  OP3D_ASSIGN_OR_RETURN(CachedFile copy, FetchRemote(remote.get(), name));
  return TextFile{name, std::move(copy)};
}

// The rows of a list, which name the list itself as their file.
absl::StatusOr<std::vector<ListRow>> ReadRows(DatasetSettings::Format format,
                                              const TextFile& list) {
  absl::StatusOr<std::vector<ListRow>> rows = ReadListRows(format, list.local.path);
  if (list.name == list.local.path) return rows;
  if (!rows.ok()) {
    return absl::Status(rows.status().code(), absl::StrReplaceAll(rows.status().message(),
                                                                  {{list.local.path, list.name}}));
  }
  for (ListRow& row : *rows) row.file = list.name;
  return rows;
}

// Finds the paths of list and media.
absl::Status FindPlaces(const DatasetSettings& dataset, const DatasetSettings::Split& split,
                        const std::string& root, DatasetList* list) {
  if (root.empty() || !FolderExists(root)) {
    return absl::NotFoundError(absl::StrCat(
        "no folder '", root, "', which should hold the dataset ", dataset.name(), " (",
        split.list(), " and the videos in ", split.media(), "); give the folder of your copy"));
  }
  if (split.list().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the dataset ", dataset.name(), " names no list for this split; set one with ",
        "dataset.train.list or dataset.evaluation.list in the dataset's textproto or with --set"));
  }
  list->list_path = IsUrl(split.list())
                        ? split.list()
                        : FirstThere(root, split.list(), split.other_lists(), ListExists);
  if (list->list_path.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no list ", JoinPath(root, split.list()), OrOthers(split.other_lists()),
        " for the dataset ", dataset.name(), ", and ", TextFilesIn(root),
        "; put the official list there, or name yours with ",
        "dataset.train.list or dataset.evaluation.list in the dataset's textproto or with --set"));
  }
  const bool flow = dataset.stream() == DatasetSettings::FLOW && !split.flow().empty();
  const std::string& asked = flow ? split.flow() : split.media();
  if (IsUrl(asked)) {
    list->media_path = asked;
    return absl::OkStatus();
  }
  list->media_path = flow ? FirstThere(root, split.flow(), std::vector<std::string>(), FolderExists)
                          : FirstThere(root, split.media(), split.other_media(), FolderExists);
  if (list->media_path.empty()) {
    const std::string field = flow ? "flow" : "media";
    return absl::NotFoundError(absl::StrCat(
        "no folder ", JoinPath(root, flow ? split.flow() : split.media()),
        flow ? "" : OrOthers(split.other_media()), " with the ", flow ? "flow" : "videos", " of ",
        split.list(), "; put them there, in class folders or not, or name yours with ",
        "dataset.train.", field, " or dataset.evaluation.", field,
        " in the dataset's textproto or with --set"));
  }
  return absl::OkStatus();
}

// "list:12: ".
std::string At(const ListRow& row) { return absl::StrCat(row.file, ":", row.video.line, ": "); }

// The rows of `part`; all rows if it is empty.
absl::StatusOr<std::vector<ListRow>> OfPart(std::vector<ListRow> rows, const std::string& part,
                                            const std::string& path) {
  if (part.empty()) return rows;
  std::set<std::string> parts;
  std::vector<ListRow> wanted;
  for (ListRow& row : rows) {
    parts.insert(row.part);
    if (row.part == part) wanted.push_back(std::move(row));
  }
  if (!wanted.empty()) return wanted;
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": none of its ", rows.size(), " rows is of the part '", part, "'; it has the parts '",
      absl::StrJoin(parts, "', '"), "'; set dataset.train.part or dataset.evaluation.part"));
}

absl::StatusOr<std::vector<std::string>> ReadLabelMap(const DatasetSettings& dataset,
                                                      const std::string& root, std::string* path) {
  if (IsUrl(dataset.label_map())) {
    OP3D_ASSIGN_OR_RETURN(const TextFile file, OpenText(dataset.label_map(), "", dataset));
    OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(file.local.path));
    *path = file.name;
    return ParseClassList(text, *path);
  }
  *path = FirstThere(root, dataset.label_map(), dataset.other_label_maps(), FileExists);
  if (path->empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no label map ", JoinPath(root, dataset.label_map()), OrOthers(dataset.other_label_maps()),
        " of the dataset ", dataset.name(), ", and ", TextFilesIn(root),
        "; put it there, name yours as dataset.label_map in the dataset's textproto or with --set, "
        "or leave that empty to take the list's own labels in alphabetical order"));
  }
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(*path));
  return ParseClassList(text, *path);
}

// The class names in the rows, whatever their part.
std::set<std::string> NamesOf(const std::vector<ListRow>& rows) {
  std::set<std::string> names;
  for (const ListRow& row : rows) {
    if (!row.label.empty()) names.insert(row.label);
  }
  return names;
}

// Adds the names of the dataset's other list: `list` may lack some classes.
void AddNamesOfOtherList(const DatasetSettings& dataset, const std::string& root,
                         const std::string& list, std::set<std::string>* names) {
  for (const DatasetSettings::Split* asked : {&dataset.train(), &dataset.evaluation()}) {
    const DatasetSettings::Split split = FillIn(dataset, *asked);
    const std::string path = split.list().empty() || IsUrl(split.list())
                                 ? split.list()
                                 : FirstThere(root, split.list(), split.other_lists(), ListExists);
    if (path.empty() || path == list) continue;
    // If that list cannot be read, the error is reported when it is needed.
    const absl::StatusOr<TextFile> file = OpenText(split.list(), path, dataset);
    if (!file.ok()) continue;
    const absl::StatusOr<std::vector<ListRow>> rows = ReadRows(dataset.format(), *file);
    if (rows.ok()) names->merge(NamesOf(*rows));
  }
}

// "0", "1", ... for rows that only have numbers; empty for a list without labels.
std::vector<std::string> NumbersOf(const std::vector<ListRow>& rows, int64_t least) {
  int64_t last = -1;
  for (const ListRow& row : rows) last = std::max(last, row.number);
  std::vector<std::string> classes;
  const int64_t count = last < 0 ? 0 : std::min(std::max(last + 1, least), kMaxClasses);
  for (int64_t i = 0; i < count; ++i) classes.push_back(absl::StrCat(i));
  return classes;
}

// Sets the classes in the order of their labels; none for a list without labels.  If their number
// is not the dataset's, that is only a note: a miniature or a subset has fewer.
absl::Status FindClasses(const DatasetSettings& dataset, const std::string& root,
                         const std::vector<ListRow>& rows, DatasetList* list) {
  const bool mapped = !dataset.label_map().empty();
  std::string source = list->list_path;
  std::set<std::string> names;
  if (mapped) {
    OP3D_ASSIGN_OR_RETURN(list->classes, ReadLabelMap(dataset, root, &source));
  } else {
    names = NamesOf(rows);
    if (!names.empty() && static_cast<int>(names.size()) != dataset.classes()) {
      AddNamesOfOtherList(dataset, root, list->list_path, &names);
    }
    list->classes = names.empty() ? NumbersOf(rows, dataset.classes())
                                  : std::vector<std::string>(names.begin(), names.end());
  }
  const int64_t count = static_cast<int64_t>(list->classes.size());
  if (dataset.classes() <= 0 || count == 0 || count == dataset.classes()) return absl::OkStatus();
  const std::string found = absl::StrCat(source, " has ", count, " classes, but ", dataset.name(),
                                         " has ", dataset.classes());
  if (!mapped && names.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        found, ": a label is too large, or `classes` of the dataset's textproto is too small"));
  }
  list->notes.push_back(absl::StrCat(
      found, ": the labels are numbers among these ", count,
      mapped ? ""
             : "; for weights that know other classes, name a label map (one class a line, all of "
               "them) with --labels, or as dataset.label_map with --set"));
  return absl::OkStatus();
}

// Sets the rows' labels to indices of `classes`.
absl::Status FindLabels(const std::vector<std::string>& classes, std::vector<ListRow>* rows) {
  absl::flat_hash_map<std::string, int64_t> index;
  for (size_t i = 0; i < classes.size(); ++i) index[classes[i]] = static_cast<int64_t>(i);
  for (ListRow& row : *rows) {
    row.video.label = row.number;
    if (!row.label.empty()) {
      const auto found = index.find(row.label);
      if (found == index.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat(At(row), row.video.name, " is of the class '", row.label,
                         "', which is not one of the ", classes.size(), " of the label map"));
      }
      row.video.label = found->second;
    }
    const int64_t count = static_cast<int64_t>(classes.size());
    if (row.number >= count) {
      return absl::InvalidArgumentError(absl::StrCat(At(row), row.video.name, " has the label ",
                                                     row.number, "; the ", count,
                                                     " classes have labels below ", count));
    }
    if (row.number >= 0 && row.number != row.video.label) {
      return absl::InvalidArgumentError(absl::StrCat(At(row), row.video.name,
                                                     " has the number of '", classes[row.number],
                                                     "', but its class is '", row.label, "'"));
    }
  }
  return absl::OkStatus();
}

// "a//b/./c.mp4" as "a/b/c.mp4".
std::string PlainPath(const std::string& path) {
  if (!absl::StrContains(path, "./") && !absl::StrContains(path, "//")) return path;
  return std::filesystem::path(path).lexically_normal().string();
}

// One path, one label.
absl::Status RefuseTwoLabels(const std::vector<ListRow>& rows) {
  absl::flat_hash_map<std::string, const ListRow*> firsts;
  for (const ListRow& row : rows) {
    if (row.video.path.empty()) continue;
    const ListRow& first = *firsts.emplace(PlainPath(row.video.path), &row).first->second;
    if (first.video.label == row.video.label) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        At(row), row.video.name, " has the label ", row.video.label, ", but in line ",
        first.video.line, " the label ", first.video.label, "; a video has one label"));
  }
  return absl::OkStatus();
}

// Sets the rows' groups from the dataset's group file.
absl::Status FindGroups(const DatasetSettings& dataset, const std::string& root,
                        std::vector<ListRow>* rows) {
  if (dataset.video_groups().empty()) return absl::OkStatus();
  const std::string path = IsUrl(dataset.video_groups()) ? dataset.video_groups()
                                                         : JoinPath(root, dataset.video_groups());
  if (!IsUrl(path) && !FileExists(path)) {
    return absl::NotFoundError(absl::StrCat("no file ", path, " with the groups of the videos of ",
                                            dataset.name(), ", and ", TextFilesIn(root),
                                            "; put it there, or leave dataset.video_groups empty"));
  }
  OP3D_ASSIGN_OR_RETURN(const TextFile file, OpenText(dataset.video_groups(), path, dataset));
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(file.local.path));
  OP3D_ASSIGN_OR_RETURN(const GroupList groups, GroupList::Parse(text, path));
  for (ListRow& row : *rows) {
    const std::string& name = row.video.path.empty() ? row.video.name : row.video.path;
    const std::string* group = groups.Find(name);
    if (group == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          At(row), name, " has no group: ", path,
          " has no line for it, or several with different groups; add '", name, " GROUP'"));
    }
    row.video.group = *group;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DatasetList> ReadDatasetList(const DatasetSettings& dataset,
                                            const DatasetSettings::Split& asked,
                                            const std::string& root) {
  const DatasetSettings::Split split = FillIn(dataset, asked);
  DatasetList list;
  OP3D_RETURN_IF_ERROR(FindPlaces(dataset, split, root, &list));
  OP3D_ASSIGN_OR_RETURN(const TextFile file, OpenText(split.list(), list.list_path, dataset));
  OP3D_ASSIGN_OR_RETURN(std::vector<ListRow> rows, ReadRows(dataset.format(), file));
  OP3D_RETURN_IF_ERROR(FindClasses(dataset, root, rows, &list));
  OP3D_ASSIGN_OR_RETURN(rows, OfPart(std::move(rows), split.part(), list.list_path));
  OP3D_RETURN_IF_ERROR(FindLabels(list.classes, &rows));
  OP3D_RETURN_IF_ERROR(FindGroups(dataset, root, &rows));
  OP3D_RETURN_IF_ERROR(RefuseTwoLabels(rows));
  const bool labelled = std::any_of(rows.begin(), rows.end(),
                                    [](const ListRow& row) { return row.video.label >= 0; });
  list.videos.reserve(rows.size());
  for (ListRow& row : rows) {
    if (list.files.empty() || list.files.back() != row.file) {
      list.files.push_back(std::move(row.file));
    }
    row.video.file = static_cast<int32_t>(list.files.size()) - 1;
    const bool left_out = labelled && row.video.label < 0;
    (left_out ? list.unlabelled : list.videos).push_back(std::move(row.video));
  }
  return list;
}

std::string DatasetList::Place(const ListedVideo& video) const {
  return absl::StrCat(files[video.file], ":", video.line);
}

absl::StatusOr<int> CountSplits(DatasetSettings dataset, const std::string& root) {
  if (!absl::StrContains(dataset.evaluation().list(), "{split}")) {
    return absl::InvalidArgumentError(
        absl::StrCat("--split=all: ", dataset.name(),
                     " has only one split, so there is no mean over splits; leave the flag out"));
  }
  // Without this limit a pattern that always matches would loop for ever.
  constexpr int kMostSplits = 100;
  for (int split = 1; split <= kMostSplits; ++split) {
    dataset.set_split(split);
    const absl::Status status = ReadDatasetList(dataset, dataset.evaluation(), root).status();
    const bool official = split <= dataset.official_evaluation_size();
    if (split > 1 && !official && absl::IsNotFound(status)) return split - 1;
    OP3D_RETURN_IF_ERROR(status);
  }
  return kMostSplits;
}

}  // namespace op3d::data
