#include "data/annotation/format/something_v1_csv.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::data::FuzzedText(data, size);
  op3d::data::CheckParsed(op3d::data::ParseSomethingV1Csv(text, op3d::data::kFuzzedList),
                          [&](const op3d::data::SomethingV1Video& video) {
                            return op3d::data::IsLineOf(text, video.line) && !video.id.empty();
                          });
  return 0;
}
