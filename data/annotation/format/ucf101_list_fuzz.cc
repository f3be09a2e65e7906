#include "data/annotation/format/ucf101_list.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::FuzzedText(data, size);
  op3d::CheckParsed(op3d::ParseUcf101List(text, op3d::kFuzzedList),
                    [&](const op3d::Ucf101Video& video) {
                      return op3d::IsLineOf(text, video.line) && !video.name.empty() &&
                             !video.label.empty() && video.number >= 0;
                    });
  return 0;
}
