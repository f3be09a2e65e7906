#include "data/synthetic/miniatures/miniature.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d::data {
namespace {

constexpr char kFolder[] = "data/synthetic/miniatures";
constexpr char kEnding[] = ".textproto";

absl::Status Refuse(const MiniatureSettings& settings, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("miniature '", settings.name(), "': ", what));
}

// The protos' numbers are those of the enums plus 1; 0 = unspecified.
template <typename To, typename From>
std::vector<To> ToEnums(const From& values) {
  std::vector<To> result;
  for (const int value : values) result.push_back(static_cast<To>(value - 1));
  return result;
}

VideoClass ToVideoClass(const MiniatureSettings& settings,
                        const MiniatureSettings::VideoClass& from) {
  VideoClass result;
  result.name = from.name();
  result.group = from.group();
  result.looks = ToEnums<Look>(from.looks().empty() ? settings.looks() : from.looks());
  result.scenes = ToEnums<Scene>(from.scenes().empty() ? settings.scenes() : from.scenes());
  if (from.motion().empty()) {
    for (int any = MiniatureSettings::UP; any <= MiniatureSettings::SHRINK; ++any) {
      result.motions.push_back({static_cast<Motion>(any - 1)});
    }
  } else {
    result.motions = {ToEnums<Motion>(from.motion())};
  }
  return result;
}

absl::StatusOr<Miniature::Encoding> ToEncoding(const MiniatureSettings& settings,
                                               const MiniatureSettings::Encoding& from) {
  static const auto* endings = new std::map<std::string, std::string>{
      {"jpeg", ""}, {"mp4", ".mp4"}, {"matroska", ".mkv"}, {"webm", ".webm"}, {"avi", ".avi"}};
  const auto ending = endings->find(from.container());
  if (ending == endings->end()) {
    return Refuse(settings, absl::StrCat("encodings.container is '", from.container(),
                                         "'; it must be jpeg, mp4, matroska, webm or avi"));
  }
  Miniature::Encoding encoding;
  encoding.ending = ending->second;
  if (from.container() == "jpeg") {
    encoding.jpeg_quality = from.jpeg_quality();
    return encoding;
  }
  VideoWriterOptions& writer = encoding.writer;
  writer.width = settings.width();
  writer.height = settings.height();
  writer.frame_rate = settings.frame_rate();
  writer.container = from.container();
  writer.encoder = from.encoder();
  writer.fourcc = from.fourcc();
  writer.crf = from.crf();
  if (!from.preset().empty()) writer.preset = from.preset();
  writer.key_frame_distance = from.key_frame_distance();
  writer.packed_b_frames = from.packed_b_frames();
  if (from.packed_b_frames()) writer.b_frames = 1;
  writer.live = from.live();
  return encoding;
}

MiniatureSize ToSize(const MiniatureSettings::Size& from) {
  return {from.train(), from.validation(), from.test(), from.groups(), from.videos_per_group()};
}

absl::Status CheckClass(const MiniatureSettings& settings, const VideoClass& video_class) {
  if (video_class.name.empty()) return Refuse(settings, "a class has no name");
  if (video_class.looks.empty() || video_class.scenes.empty()) {
    return Refuse(settings,
                  absl::StrCat("class '", video_class.name,
                               "' has no looks or no scenes, and neither has the miniature"));
  }
  if (video_class.motions.front().size() > 2) {
    return Refuse(settings, absl::StrCat("class '", video_class.name, "' has ",
                                         video_class.motions.front().size(),
                                         " motions in a row; there can be two"));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> MiniatureNames() {
  std::vector<std::string> names;
  const absl::StatusOr<std::string> folder = RunfilePath(kFolder);
  if (!folder.ok()) return names;
  const absl::StatusOr<std::vector<std::string>> files = ListFolder(*folder);
  if (!files.ok()) return names;
  for (absl::string_view file : *files) {
    if (absl::ConsumeSuffix(&file, kEnding)) names.emplace_back(file);
  }
  return names;
}

absl::StatusOr<Miniature> FindMiniature(absl::string_view name) {
  const std::vector<std::string> names = MiniatureNames();
  for (const std::string& known : names) {
    if (known != name) continue;
    OP3D_ASSIGN_OR_RETURN(const std::string path,
                          RunfilePath(absl::StrCat(kFolder, "/", name, kEnding)));
    MiniatureSettings settings;
    OP3D_RETURN_IF_ERROR(ReadTextproto(path, &settings));
    return ToMiniature(settings);
  }
  return absl::NotFoundError(absl::StrCat("there is no miniature of \"", name,
                                          "\"; there is one of ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<Miniature> ToMiniature(const MiniatureSettings& settings) {
  Miniature miniature;
  miniature.name = settings.name();
  miniature.format = settings.format();
  miniature.shape = {settings.width(), settings.height(), settings.frames()};
  miniature.frame_rate = settings.frame_rate();
  if (settings.width() < 16 || settings.height() < 16 || settings.frames() < 1 ||
      settings.frame_rate() < 1) {
    return Refuse(settings, absl::StrCat(settings.frames(), " frames of ", settings.width(), "x",
                                         settings.height(), " at ", settings.frame_rate(),
                                         " a second; give at least 1 of 16x16 at 1"));
  }
  VideoStyle& style = miniature.style;
  if (settings.contrast() != 0) style.contrast = settings.contrast();
  if (settings.noise() != 0) style.noise = settings.noise();
  if (settings.max_presence() != 0) style.max_presence = settings.max_presence();
  style.min_presence = settings.min_presence() != 0 ? settings.min_presence() : style.max_presence;
  if (!(style.min_presence > 0 && style.min_presence <= style.max_presence &&
        style.max_presence <= 1)) {
    return Refuse(settings, absl::StrCat("presence is [", style.min_presence, ", ",
                                         style.max_presence, "]; it must lie in (0, 1]"));
  }
  for (const MiniatureSettings::VideoClass& from : settings.classes()) {
    miniature.classes.push_back(ToVideoClass(settings, from));
    OP3D_RETURN_IF_ERROR(CheckClass(settings, miniature.classes.back()));
  }
  if (miniature.classes.size() < 2) return Refuse(settings, "there must be at least 2 classes");
  for (const MiniatureSettings::Encoding& from : settings.encodings()) {
    OP3D_ASSIGN_OR_RETURN(Miniature::Encoding encoding, ToEncoding(settings, from));
    miniature.encodings.push_back(std::move(encoding));
  }
  if (miniature.encodings.empty()) return Refuse(settings, "there is no encoding");
  miniature.size = ToSize(settings.miniature());
  miniature.tiny_size = ToSize(settings.tiny());
  return miniature;
}

int ClassOf(const Miniature& miniature, int index) {
  return index % static_cast<int>(miniature.classes.size());
}

const Miniature::Encoding& EncodingOf(const Miniature& miniature, int index) {
  return miniature.encodings[(index / miniature.classes.size()) % miniature.encodings.size()];
}

}  // namespace op3d::data
