#include "op3d/eval/scores/video_scores.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

using nlohmann::json;
using Metadata = std::map<std::string, std::string>;

template <typename T>
absl::string_view Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// A file name need not be UTF-8, a safetensors header must be.
std::string ToText(const std::vector<std::string>& names) {
  return json(names).dump(-1, ' ', false, json::error_handler_t::replace);
}

constexpr absl::string_view kScores = "scores";
// Joined parts keep this many examples of broken videos.
constexpr size_t kExamples = 3;

// The rows of a run's file; empty for a single test's.
std::vector<std::string> RowsOf(const Safetensors& file) {
  std::vector<std::string> rows;
  for (const TensorView& tensor : file.tensors()) {
    absl::string_view name = tensor.name;
    if (absl::ConsumeSuffix(&name, ".scores")) rows.emplace_back(name);
  }
  return rows;
}

// The prefix of the names of the requested row's tensors.
absl::StatusOr<std::string> PrefixOf(const Safetensors& file, absl::string_view row) {
  const std::vector<std::string> rows = RowsOf(file);
  if (file.Find(kScores) != nullptr || rows.empty()) {
    if (row.empty()) return "";
    return absl::InvalidArgumentError(
        absl::StrCat("it holds the scores of one test, and no row '", row, "'"));
  }
  if (row.empty() && rows.size() == 1) return absl::StrCat(rows[0], ".");
  for (const std::string& name : rows) {
    if (name == row) return absl::StrCat(name, ".");
  }
  return absl::InvalidArgumentError(absl::StrCat(
      row.empty() ? "it holds the scores of several rows"
                  : absl::StrCat("it has no row '", row, "'"),
      "; name one at the end, as in FILE:", rows[0], ", of: ", absl::StrJoin(rows, ", ")));
}

// Metadata of a row: its own, otherwise what all rows share.
Metadata MetadataOf(const Safetensors& file, const std::string& prefix) {
  Metadata metadata = file.metadata();
  if (prefix.empty()) return metadata;
  for (const auto& [key, value] : file.metadata()) {
    absl::string_view name = key;
    if (absl::ConsumePrefix(&name, prefix)) metadata[std::string(name)] = value;
  }
  return metadata;
}

// The tensor with that name and `rank` dimensions.
template <typename T>
absl::StatusOr<std::vector<T>> ReadTensor(const Safetensors& file, const std::string& name,
                                          DType dtype, size_t rank, std::vector<int64_t>* shape) {
  const TensorView* tensor = file.Find(name);
  if (tensor == nullptr || tensor->dtype != dtype || tensor->shape.size() != rank) {
    return absl::InvalidArgumentError(absl::StrCat(
        "this is not a file of scores: it needs a tensor '", name, "' of ", DTypeName(dtype), " and ",
        rank, " dimensions; evaluate --weights=FILE --output=FILE writes one"));
  }
  *shape = tensor->shape;
  std::vector<T> values(tensor->data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor->data.data(), tensor->data.size());
  return values;
}

// A count in the metadata; 0 if it is missing.
absl::Status ReadCount(const Metadata& metadata, const char* key, int64_t* count) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return absl::OkStatus();
  if (absl::SimpleAtoi(found->second, count) && *count >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("its metadata has ", key, " = '", found->second, "', which is not a count"));
}

// A list of names, of `size` names if that is given, in the metadata; empty if it is missing.
absl::Status ReadNames(const Metadata& metadata, const char* key, std::optional<int64_t> size,
                       std::vector<std::string>* names) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return absl::OkStatus();
  const json list = json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) {
    return absl::InvalidArgumentError(absl::StrCat("its ", key, " are not a list of names"));
  }
  for (const json& name : list) {
    if (!name.is_string()) {
      return absl::InvalidArgumentError(
          absl::StrCat("its ", key, " hold '", name.dump(), "', which is not a name"));
    }
    names->push_back(name.get<std::string>());
  }
  if (!size.has_value() || static_cast<int64_t>(names->size()) == *size) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("it names ", names->size(), " ", key, ", but has scores of ", *size));
}

absl::StatusOr<TestScores> FromFile(const Safetensors& file, absl::string_view row) {
  TestScores result;
  OP3D_ASSIGN_OR_RETURN(const std::string prefix, PrefixOf(file, row));
  std::vector<int64_t> shape, heads, labels;
  OP3D_ASSIGN_OR_RETURN(result.scores,
                        ReadTensor<float>(file, prefix + "scores", DType::kF32, 3, &shape));
  OP3D_ASSIGN_OR_RETURN(result.head_scores,
                        ReadTensor<float>(file, prefix + "heads", DType::kF32, 3, &heads));
  OP3D_ASSIGN_OR_RETURN(result.labels,
                        ReadTensor<int64_t>(file, prefix + "labels", DType::kI64, 1, &labels));
  result.videos = shape[0];
  result.classes = shape[2];
  result.heads = heads[0];
  if (heads[1] != result.videos || heads[2] != result.classes || labels[0] != result.videos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "scores [", absl::StrJoin(shape, ", "), "], heads [", absl::StrJoin(heads, ", "),
        "] and labels [", labels[0], "] are not of the same videos and classes"));
  }
  const Metadata metadata = MetadataOf(file, prefix);
  if (!prefix.empty() && metadata.count("clips") == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("it was written before op3d kept the names of videos there; give checkpoints/",
                     absl::StripSuffix(prefix, "."), "/scores.safetensors of the same run"));
  }
  OP3D_RETURN_IF_ERROR(ReadCount(metadata, "clips", &result.clips));
  OP3D_RETURN_IF_ERROR(ReadCount(metadata, "crops", &result.crops));
  int64_t views = 0;
  if (__builtin_mul_overflow(result.clips, result.crops, &views) || views != shape[1]) {
    return absl::InvalidArgumentError(absl::StrCat("its metadata has ", result.clips, " clips of ",
                                                   result.crops, " crops, its scores ", shape[1],
                                                   " views a video"));
  }
  OP3D_RETURN_IF_ERROR(ReadCount(metadata, "listed", &result.listed));
  OP3D_RETURN_IF_ERROR(ReadCount(metadata, "missing", &result.missing));
  OP3D_RETURN_IF_ERROR(ReadCount(metadata, "broken", &result.broken));
  OP3D_RETURN_IF_ERROR(
      ReadNames(metadata, "broken_examples", std::nullopt, &result.broken_examples));
  OP3D_RETURN_IF_ERROR(ReadNames(metadata, "videos", result.videos, &result.names));
  OP3D_RETURN_IF_ERROR(ReadNames(metadata, "classes", result.classes, &result.class_names));
  const auto settings = metadata.find("settings");
  if (settings != metadata.end()) result.settings = settings->second;
  return result;
}

}  // namespace

absl::StatusOr<std::string> SerializeTestScores(const TestScores& scores) {
  Metadata metadata = {{"clips", absl::StrCat(scores.clips)},
                       {"crops", absl::StrCat(scores.crops)}};
  if (!scores.names.empty()) metadata["videos"] = ToText(scores.names);
  if (!scores.class_names.empty()) metadata["classes"] = ToText(scores.class_names);
  if (scores.listed > 0) metadata["listed"] = absl::StrCat(scores.listed);
  if (scores.missing > 0) metadata["missing"] = absl::StrCat(scores.missing);
  if (scores.broken > 0) metadata["broken"] = absl::StrCat(scores.broken);
  if (!scores.broken_examples.empty()) {
    metadata["broken_examples"] = ToText(scores.broken_examples);
  }
  if (!scores.settings.empty()) metadata["settings"] = scores.settings;
  return SerializeSafetensors({{"heads",
                                DType::kF32,
                                {scores.heads, scores.videos, scores.classes},
                                Bytes(scores.head_scores)},
                               {"labels", DType::kI64, {scores.videos}, Bytes(scores.labels)},
                               {"scores",
                                DType::kF32,
                                {scores.videos, scores.clips * scores.crops, scores.classes},
                                Bytes(scores.scores)}},
                              metadata);
}

absl::StatusOr<TestScores> ParseTestScores(std::string bytes, absl::string_view source,
                                           absl::string_view row) {
  OP3D_ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Parse(std::move(bytes), source));
  absl::StatusOr<TestScores> scores = FromFile(file, row);
  OP3D_RETURN_IF_ERROR(Annotate(scores.status(), source));
  return scores;
}

absl::StatusOr<TestScores> ReadTestScores(const std::string& word) {
  std::string path = UserPath(word), row;
  const size_t colon = word.rfind(':');
  if (!FileExists(path) && !FolderExists(path) && colon != std::string::npos) {
    path = UserPath(word.substr(0, colon));
    row = word.substr(colon + 1);
  }
  if (FolderExists(path)) path = JoinPath(path, "scores.safetensors");
  OP3D_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  return ParseTestScores(std::move(bytes), word, row);
}

absl::StatusOr<std::string> MergeRows(absl::Span<const std::pair<std::string, std::string>> rows) {
  std::vector<Safetensors> files;
  std::vector<TensorView> tensors;
  Metadata metadata;
  files.reserve(rows.size());
  for (const auto& [name, bytes] : rows) {
    OP3D_ASSIGN_OR_RETURN(Safetensors file, Safetensors::Parse(bytes, name));
    files.push_back(std::move(file));
    for (TensorView tensor : files.back().tensors()) {
      tensor.name = absl::StrCat(name, ".", tensor.name);
      tensors.push_back(std::move(tensor));
    }
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    for (const auto& entry : files[i].metadata()) {
      // C++17 does not let a lambda capture a structured binding.
      const std::string &key = entry.first, &value = entry.second;
      const bool shared = std::all_of(files.begin(), files.end(), [&](const Safetensors& file) {
        const auto other = file.metadata().find(key);
        return other != file.metadata().end() && other->second == value;
      });
      metadata[shared ? key : absl::StrCat(rows[i].first, ".", key)] = value;
    }
  }
  return SerializeSafetensors(tensors, metadata);
}

absl::StatusOr<TestScores> JoinTestScores(absl::Span<const TestScores> parts) {
  TestScores all;
  if (parts.empty()) return all;
  all.clips = parts[0].clips;
  all.crops = parts[0].crops;
  all.classes = parts[0].classes;
  all.class_names = parts[0].class_names;
  all.settings = parts[0].settings;
  for (const TestScores& part : parts) {
    if (all.heads == 0) all.heads = part.heads;
    if (part.clips != all.clips || part.crops != all.crops || part.classes != all.classes ||
        (part.videos > 0 && part.heads != all.heads)) {
      return absl::InvalidArgumentError(
          absl::StrCat("scores of ", part.heads, " heads, ", part.clips, " clips, ", part.crops,
                       " crops and ", part.classes, " classes do not join those of ", all.heads,
                       ", ", all.clips, ", ", all.crops, " and ", all.classes));
    }
    all.videos += part.videos;
    all.broken += part.broken;
    for (const std::string& example : part.broken_examples) {
      if (all.broken_examples.size() < kExamples) all.broken_examples.push_back(example);
    }
    all.scores.insert(all.scores.end(), part.scores.begin(), part.scores.end());
    all.labels.insert(all.labels.end(), part.labels.begin(), part.labels.end());
    all.names.insert(all.names.end(), part.names.begin(), part.names.end());
  }
  for (int64_t head = 0; head < all.heads; ++head) {
    for (const TestScores& part : parts) {
      const auto begin = part.head_scores.begin() + head * part.videos * part.classes;
      all.head_scores.insert(all.head_scores.end(), begin, begin + part.videos * part.classes);
    }
  }
  return all;
}

}  // namespace op3d
