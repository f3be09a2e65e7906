#include "op3d/train/checkpoint/model_card.h"

#include <cmath>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "data/transform/pixel_rows.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d {
namespace {

constexpr size_t kLongestCard = 1 << 20;
// Much larger than any real value, but small enough to limit memory before tensors are compared.
constexpr int kMostClips = 10000, kLargestSide = 8192, kMostClasses = 10'000'000;
// The largest number of values of a video's views: 8 GiB.
constexpr double kMostValues = 2147483648.0;

bool LeavesFolder(absl::string_view path) {
  if (absl::StartsWith(path, "/")) return true;
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part == "..") return true;
  }
  return false;
}

// Calls `use` with a reference to every path of the dataset.
template <typename Use>
void ForEachPath(DatasetSettings* dataset, const Use& use) {
  std::vector<DatasetSettings::Split*> splits;
  if (dataset->has_train()) splits.push_back(dataset->mutable_train());
  if (dataset->has_evaluation()) splits.push_back(dataset->mutable_evaluation());
  for (DatasetSettings::Split* split : splits) {
    use(split->mutable_list());
    use(split->mutable_media());
    use(split->mutable_flow());
    for (std::string& path : *split->mutable_other_lists()) use(&path);
    for (std::string& path : *split->mutable_other_media()) use(&path);
  }
  use(dataset->mutable_label_map());
  use(dataset->mutable_video_groups());
  use(dataset->mutable_groups());
  for (std::string& path : *dataset->mutable_other_label_maps()) use(&path);
}

absl::Status CheckNormalisation(const ModelCard& card) {
  for (const auto& [field, values, own] :
       {std::make_tuple("mean", &card.mean(), &data::kPixelMean),
        std::make_tuple("deviation", &card.deviation(), &data::kPixelDeviation)}) {
    bool equal = values->size() == 3 || values->empty();
    for (int i = 0; i < values->size() && equal; ++i) {
      equal = std::abs(values->Get(i) - (*own)[i]) < 1e-6;
    }
    if (equal) continue;
    return absl::InvalidArgumentError(absl::StrCat(field, " is ", absl::StrJoin(*values, ", "),
                                                   "; op3d normalises with ",
                                                   absl::StrJoin(*own, ", ")));
  }
  return absl::OkStatus();
}

absl::Status CheckCard(const ModelCard& card) {
  if (card.network().name().empty()) return absl::InvalidArgumentError("network.name is empty");
  OP3D_RETURN_IF_ERROR(RequireIn("classes", card.classes(), 1, kMostClasses));
  if (!card.class_names().empty() && card.class_names_size() != card.classes()) {
    return absl::InvalidArgumentError(absl::StrCat("class_names names ", card.class_names_size(),
                                                   " classes of ", card.classes()));
  }
  const bool clip = card.segments() != 0 || card.frames_per_segment() != 0 || card.stride() != 0;
  OP3D_RETURN_IF_ERROR(RequireIn("test_segments", card.test_segments(), 0, kMostClips));
  if (clip) {
    OP3D_RETURN_IF_ERROR(
        data::CheckClipShape({card.segments(), card.frames_per_segment(), card.stride()}));
    OP3D_RETURN_IF_ERROR(data::CheckClipShape(TestClip(card)));
  }
  OP3D_RETURN_IF_ERROR(RequireIn("test_clips", card.test_clips(), 0, kMostClips));
  OP3D_RETURN_IF_ERROR(RequireIn("short_side", card.short_side(), 0, kLargestSide));
  OP3D_RETURN_IF_ERROR(RequireIn("crop", card.crop(), 0, card.short_side()));
  const double values =
      9.0 * card.test_clips() * TestClip(card).length() * card.crop() * card.crop();
  if (values > kMostValues) {
    return absl::InvalidArgumentError(absl::StrCat("a test of ", card.test_clips(), " clips of ",
                                                   TestClip(card).length(), "x", card.crop(), "x",
                                                   card.crop(), " takes more than 8 GiB a video"));
  }
  OP3D_RETURN_IF_ERROR(CheckNormalisation(card));
  std::string outside;
  DatasetSettings dataset = card.dataset();
  ForEachPath(&dataset, [&](const std::string* path) {
    if (LeavesFolder(*path)) outside = *path;
  });
  if (outside.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("dataset names '", outside, "', which is outside the dataset's folder"));
}

}  // namespace

std::string ModelCardText(const ModelCard& card) { return PrintTextproto(card); }

void AddModelCard(const ModelCard& card, std::map<std::string, std::string>* metadata) {
  (*metadata)[kModelCard] = ModelCardText(card);
}

absl::StatusOr<std::optional<ModelCard>> ReadModelCard(const Checkpoint& checkpoint,
                                                       absl::string_view source) {
  const std::string* text = nullptr;
  for (const auto& [name, value] : checkpoint.values()) {
    if (name == kModelCard) text = &value;
  }
  if (text == nullptr) return std::nullopt;
  const std::string place = absl::StrCat(source, ": metadata ", kModelCard);
  if (text->size() > kLongestCard) {
    return absl::InvalidArgumentError(absl::StrCat(place, " has ", text->size(),
                                                   " bytes; a description of weights has at most ",
                                                   kLongestCard));
  }
  ModelCard card;
  OP3D_RETURN_IF_ERROR(ParseTextproto(*text, place, &card));
  // A file of weights must not say which hosts are asked.
  if (card.dataset().has_remote()) card.mutable_dataset()->clear_remote();
  OP3D_RETURN_IF_ERROR(Annotate(CheckCard(card), place));
  return card;
}

data::ClipShape TestClip(const ModelCard& card) {
  data::ClipShape clip = {card.segments(), card.frames_per_segment(), card.stride()};
  if (clip.segments > 1 && card.test_segments() > 0) clip.segments = card.test_segments();
  return clip;
}

DatasetSettings PortableDataset(const DatasetSettings& dataset) {
  DatasetSettings portable = dataset;
  portable.clear_source();
  // Whoever uses the weights decides which hosts are asked.
  portable.clear_remote();
  ForEachPath(&portable, [](std::string* path) {
    if (LeavesFolder(*path)) path->clear();
  });
  return portable;
}

std::string DescribeModelCard(const ModelCard& card) {
  const NetworkSettings& network = card.network();
  std::vector<std::string> settings;
  if (network.width() > 0) settings.push_back(absl::StrCat("width ", network.width()));
  if (network.early_stride() > 0) {
    settings.push_back(absl::StrCat("early stride ", network.early_stride()));
  }
  if (network.dual_pool() > 0) settings.push_back(absl::StrCat("dual pool ", network.dual_pool()));
  if (network.without_temporal_head()) settings.push_back("no temporal head");
  if (network.without_spatial_head()) settings.push_back("no spatial head");
  if (network.without_global_context()) settings.push_back("no global context");
  std::string text = network.name();
  if (!settings.empty()) absl::StrAppend(&text, " (", absl::StrJoin(settings, ", "), ")");
  absl::StrAppend(&text, " for ", card.classes(), " classes");
  if (!card.dataset().name().empty()) absl::StrAppend(&text, " of ", card.dataset().name());
  if (card.dataset().stream() == DatasetSettings::FLOW) absl::StrAppend(&text, "; optical flow");
  const data::ClipShape clip = TestClip(card);
  if (clip.length() > 0) {
    absl::StrAppend(&text, "; clips of ", clip.segments, " x ", clip.frames_per_segment, " frames");
    if (clip.stride > 1) absl::StrAppend(&text, ", stride ", clip.stride);
  }
  if (card.test_clips() > 0)
    absl::StrAppend(&text, ", ", card.test_clips(), " a video in the test");
  if (card.crop() > 0) {
    absl::StrAppend(&text, ", short side ", card.short_side(), ", crop ", card.crop());
  }
  if (!card.commit().empty()) absl::StrAppend(&text, "; commit ", card.commit());
  return text;
}

}  // namespace op3d
