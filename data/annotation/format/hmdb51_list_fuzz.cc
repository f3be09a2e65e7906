#include "data/annotation/format/hmdb51_list.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::data::FuzzedText(data, size);
  op3d::data::CheckParsed(op3d::data::ParseHmdb51List(text, op3d::data::kFuzzedList, "wave"),
                          [&](const op3d::data::Hmdb51Video& video) {
                            return op3d::data::IsLineOf(text, video.line) && !video.name.empty() &&
                                   video.flag >= 0 && video.flag <= 2;
                          });
  return 0;
}
