#include "data/annotation/format/path_list.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::FuzzedText(data, size);
  for (const op3d::PathListForm form :
       {op3d::PathListForm::kLabel, op3d::PathListForm::kFramesLabel}) {
    op3d::CheckParsed(op3d::ParsePathList(text, op3d::kFuzzedList, form),
                      [&](const op3d::PathVideo& video) {
                        return op3d::IsLineOf(text, video.line) && !video.path.empty() &&
                               video.frames >= 0 && video.label >= -1;
                      });
  }
  return 0;
}
