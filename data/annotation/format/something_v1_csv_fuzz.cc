#include "data/annotation/format/something_v1_csv.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::FuzzedText(data, size);
  op3d::CheckParsed(op3d::ParseSomethingV1Csv(text, op3d::kFuzzedList),
                    [&](const op3d::SomethingV1Video& video) {
                      return op3d::IsLineOf(text, video.line) && !video.id.empty();
                    });
  return 0;
}
