#include "data/command/croissant/croissant.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/annotation/dataset_list.h"
#include "data/synthetic/miniatures/miniature_note.h"
#include "op3d/base/file.h"
#include "op3d/base/io/csv.h"
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

using Json = nlohmann::ordered_json;

// The standard context of Croissant 1.0.
Json Context() {
  return {{"@language", "en"},
          {"@vocab", "https://schema.org/"},
          {"citeAs", "cr:citeAs"},
          {"column", "cr:column"},
          {"conformsTo", "dct:conformsTo"},
          {"cr", "http://mlcommons.org/croissant/"},
          {"data", {{"@id", "cr:data"}, {"@type", "@json"}}},
          {"dataType", {{"@id", "cr:dataType"}, {"@type", "@vocab"}}},
          {"dct", "http://purl.org/dc/terms/"},
          {"equivalentProperty", "cr:equivalentProperty"},
          {"examples", {{"@id", "cr:examples"}, {"@type", "@json"}}},
          {"extract", "cr:extract"},
          {"field", "cr:field"},
          {"fileObject", "cr:fileObject"},
          {"fileProperty", "cr:fileProperty"},
          {"fileSet", "cr:fileSet"},
          {"format", "cr:format"},
          {"includes", "cr:includes"},
          {"isLiveDataset", "cr:isLiveDataset"},
          {"jsonPath", "cr:jsonPath"},
          {"key", "cr:key"},
          {"md5", "cr:md5"},
          {"parentField", "cr:parentField"},
          {"path", "cr:path"},
          {"rai", "http://mlcommons.org/croissant/RAI/"},
          {"recordSet", "cr:recordSet"},
          {"references", "cr:references"},
          {"regex", "cr:regex"},
          {"repeated", "cr:repeated"},
          {"replace", "cr:replace"},
          {"samplingRate", "cr:samplingRate"},
          {"sc", "https://schema.org/"},
          {"separator", "cr:separator"},
          {"source", "cr:source"},
          {"subField", "cr:subField"},
          {"transform", "cr:transform"}};
}

// `path` below `root`; another path as its file name, because it means nothing elsewhere.
std::string Relative(const std::string& path, const std::string& root) {
  const std::filesystem::path relative =
      std::filesystem::path(path).lexically_normal().lexically_relative(
          std::filesystem::path(root).lexically_normal());
  if (relative.empty() || *relative.begin() == "..") {
    return std::filesystem::path(path).filename().string();
  }
  return relative.generic_string();
}

// A name as an identifier: letters, digits, '-' and '_'.
std::string Identifier(const std::string& name) {
  std::string text;
  for (const char c : name) {
    text += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ? c : '_';
  }
  return text;
}

std::string MediaType(const std::string& path) {
  if (absl::EndsWithIgnoreCase(path, ".json")) return "application/json";
  return absl::EndsWithIgnoreCase(path, ".csv") ? "text/csv" : "text/plain";
}

Json FileObject(const std::string& id, const std::string& description, const std::string& url,
                const std::string& type, const std::string& content) {
  return {{"@type", "cr:FileObject"},
          {"@id", id},
          {"name", id},
          {"description", description},
          {"contentUrl", url},
          {"contentSize", absl::StrCat(content.size(), " B")},
          {"encodingFormat", type},
          {"sha256", Sha256(content)}};
}

struct Column {
  const char* name;
  const char* type;
  const char* description;
};
constexpr Column kColumns[] = {
    {"list", "sc:Text", "The list of the dataset: train or evaluation."},
    {"name", "sc:Text", "The name in the list."},
    {"path", "sc:Text", "The file or the folder of frames, relative to the dataset's root."},
    {"label", "sc:Text", "The number of the class, from 0; empty without labels."},
    {"class", "sc:Text", "The name of the class."},
    {"frames", "sc:Integer", "How many frames decode."},
    {"group", "sc:Text", "Videos of one group were cut from the same recording."},
};

// `labelled`: all videos have a label.
Json VideoFields(const std::string& table, bool labelled) {
  Json fields = Json::array();
  for (const Column& column : kColumns) {
    Json field = {
        {"@type", "cr:Field"},
        {"@id", absl::StrCat("videos/", column.name)},
        {"name", absl::StrCat("videos/", column.name)},
        {"description", column.description},
        {"dataType", column.type},
        {"source", {{"fileObject", {{"@id", table}}}, {"extract", {{"column", column.name}}}}}};
    if (labelled && absl::string_view(column.name) == "label") field["dataType"] = "sc:Integer";
    if (absl::string_view(column.name) == "class") {
      field["references"] = {{"field", {{"@id", "classes/name"}}}};
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

// The classes and their labels, in the order of the labels.
Json Classes(const std::vector<std::string>& names) {
  const auto field = [](const char* id, const char* description, const char* type) {
    return Json{{"@type", "cr:Field"},
                {"@id", id},
                {"name", id},
                {"description", description},
                {"dataType", type}};
  };
  Json data = Json::array();
  for (size_t label = 0; label < names.size(); ++label) {
    data.push_back({{"classes/name", names[label]}, {"classes/label", label}});
  }
  return {{"@type", "cr:RecordSet"},
          {"@id", "classes"},
          {"name", "classes"},
          {"description", "The classes and their labels."},
          {"dataType", "sc:Enumeration"},
          {"key", {{"@id", "classes/name"}}},
          {"field",
           {field("classes/name", "The name of the class.", "sc:Text"),
            field("classes/label", "Its number, from 0.", "sc:Integer")}},
          {"data", data}};
}

std::string TableOf(const DatasetIndexReport& report) {
  std::string table;
  for (const Column& column : kColumns) {
    absl::StrAppend(&table, table.empty() ? "" : ",", column.name);
  }
  table += "\n";
  for (const SplitReport& split : report.splits) {
    for (const Video& video : split.list.videos) {
      const bool labelled = video.label >= 0;
      absl::StrAppend(&table, split.name, ",", CsvField(video.name), ",",
                      CsvField(Relative(video.path, report.root)), ",",
                      labelled ? absl::StrCat(video.label) : "", ",",
                      labelled ? CsvField(split.list.classes[video.label]) : "", ",", video.frames,
                      ",", CsvField(video.group), "\n");
    }
  }
  return table;
}

// The files of the lists, each once.
absl::StatusOr<Json> ListFiles(const DatasetSettings& dataset, const DatasetIndexReport& report) {
  Json files = Json::array();
  std::set<std::string> named;
  for (const SplitReport& split : report.splits) {
    if (!split.named || !split.status.ok()) continue;
    const DatasetSettings::Split& settings =
        split.name == "train" ? dataset.train() : dataset.evaluation();
    OP3D_ASSIGN_OR_RETURN(const DatasetList list, ReadDatasetList(dataset, settings, report.root));
    for (const std::string& path : list.files) {
      const std::string relative = Relative(path, report.root);
      if (!named.insert(relative).second) continue;
      OP3D_ASSIGN_OR_RETURN(const std::string content, ReadFile(path));
      files.push_back(FileObject(relative, "A list of the dataset, as its publishers wrote it.",
                                 relative, MediaType(relative), content));
    }
  }
  return files;
}

std::string Description(const DatasetSettings& dataset, const DatasetIndexReport& report) {
  const bool synthetic = FileExists(JoinPath(report.root, kMiniatureNote));
  std::string text =
      synthetic
          ? absl::StrCat("Synthetic videos in the layout of the video dataset ", dataset.name(),
                         ", made by op3d.")
          : absl::StrCat("A copy of the video dataset ", dataset.name(), ", indexed by op3d.");
  for (const SplitReport& split : report.splits) {
    if (!split.named || !split.status.ok()) continue;
    absl::StrAppend(&text, " List ", split.name, ": ", split.list.videos.size(), " usable of ",
                    split.list.listed, " listed videos, ", split.frames, " frames.");
  }
  if (!dataset.source().empty() && !synthetic) {
    absl::StrAppend(&text, " Source: ", dataset.source());
  }
  return text;
}

// "2012-12-03", alone or followed by a time.
absl::Status CheckDate(const std::string& date) {
  const bool form = date.size() >= 10 && date[4] == '-' && date[7] == '-' &&
                    std::count_if(date.begin(), date.begin() + 10,
                                  [](char c) { return std::isdigit(c) != 0; }) == 8;
  if (date.empty() || form) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the date of publication ", date, " is not of the form 2012-12-03"));
}

}  // namespace

absl::StatusOr<Croissant> DescribeAsCroissant(const DatasetSettings& dataset,
                                              const DatasetIndexReport& report,
                                              const CroissantOptions& options) {
  OP3D_RETURN_IF_ERROR(CheckDate(options.date_published));
  if (dataset.name().empty()) {
    return absl::InvalidArgumentError("the dataset's settings have no name");
  }
  Croissant croissant;
  croissant.table_name = absl::StrCat(Identifier(dataset.name()), ".videos.csv");
  croissant.table = TableOf(report);
  OP3D_ASSIGN_OR_RETURN(const Json files, ListFiles(dataset, report));

  Json json = {{"@context", Context()},
               {"@type", "sc:Dataset"},
               {"name", Identifier(dataset.name())},
               {"description", Description(dataset, report)},
               {"conformsTo", "http://mlcommons.org/croissant/1.0"},
               {"version", "1.0.0"}};
  const std::pair<const char*, const std::string*> stated[] = {
      {"license", &options.license},
      {"url", &options.url},
      {"citeAs", &options.citation},
      {"datePublished", &options.date_published}};
  for (const auto& [key, value] : stated) {
    if (!value->empty()) json[key] = *value;
  }
  json["distribution"] =
      Json::array({FileObject(croissant.table_name, "One row per usable video.",
                              croissant.table_name, "text/csv", croissant.table)});
  for (const Json& file : files) json["distribution"].push_back(file);
  json["recordSet"] = Json::array();
  for (const SplitReport& split : report.splits) {
    if (split.list.classes.empty()) continue;
    json["recordSet"].push_back(Classes(split.list.classes));
    break;
  }
  bool labelled = true;
  for (const SplitReport& split : report.splits) {
    for (const Video& video : split.list.videos) labelled = labelled && video.label >= 0;
  }
  Json fields = VideoFields(croissant.table_name, labelled);
  // Nothing to refer to.
  if (json["recordSet"].empty()) {
    for (Json& field : fields) field.erase("references");
  }
  json["recordSet"].push_back({{"@type", "cr:RecordSet"},
                               {"@id", "videos"},
                               {"name", "videos"},
                               {"description", "The usable videos of each list."},
                               {"field", fields}});
  // Names of files and classes need not be UTF-8.
  croissant.json = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return croissant;
}

}  // namespace op3d::data
