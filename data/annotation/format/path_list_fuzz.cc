#include "data/annotation/format/path_list.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::data::FuzzedText(data, size);
  for (const op3d::data::PathListForm form :
       {op3d::data::PathListForm::kLabel, op3d::data::PathListForm::kFramesLabel}) {
    op3d::data::CheckParsed(op3d::data::ParsePathList(text, op3d::data::kFuzzedList, form),
                            [&](const op3d::data::PathVideo& video) {
                              return op3d::data::IsLineOf(text, video.line) &&
                                     !video.path.empty() && video.frames >= 0 && video.label >= -1;
                            });
  }
  return 0;
}
