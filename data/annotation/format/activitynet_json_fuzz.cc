#include "data/annotation/format/activitynet_json.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::data::FuzzedText(data, size);
  op3d::data::CheckParsed(op3d::data::ParseActivityNetJson(text, op3d::data::kFuzzedList),
                          [&](const op3d::data::ActivityNetVideo& video) {
                            return op3d::data::IsLineOf(text, video.line) && !video.id.empty() &&
                                   !video.subset.empty() &&
                                   video.segments.empty() == video.Label().empty();
                          });
  return 0;
}
