#include "data/annotation/format/ucf101_list.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::data::FuzzedText(data, size);
  op3d::data::CheckParsed(op3d::data::ParseUcf101List(text, op3d::data::kFuzzedList),
                          [&](const op3d::data::Ucf101Video& video) {
                            return op3d::data::IsLineOf(text, video.line) && !video.name.empty() &&
                                   !video.label.empty() && video.number >= 0;
                          });
  return 0;
}
