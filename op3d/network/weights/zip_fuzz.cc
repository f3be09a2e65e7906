// A pickle in an archive with valid checksums, so that its statements about the storages are
// believed.  The first byte chooses between .pth and TorchScript.
#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <string>

#include "op3d/network/weights/checkpoint.h"

namespace {

// Sizes in bytes of the storages of the seeds, tiny_zip.pth and tiny_script.pt.
constexpr int kZip[] = {432, 8, 8, 8,  8,  8,  24, 24, 192, 80, 16,
                        96,  0, 4, 24, 24, 32, 12, 5,  3,   16, 16};
constexpr int kScript[] = {24, 8, 24, 8};

void Add(struct archive* writer, const char* name, const std::string& contents) {
  struct archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, name);
  archive_entry_set_size(entry, static_cast<la_int64_t>(contents.size()));
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(writer, entry);
  archive_write_data(writer, contents.data(), contents.size());
  archive_entry_free(entry);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string bytes(size + (1 << 16), '\0');
  size_t used = 0;
  struct archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  archive_write_zip_set_compression_store(writer);
  archive_write_open_memory(writer, &bytes[0], bytes.size(), &used);
  Add(writer, "a/data.pkl", std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  const bool script = data[0] % 2 == 1;
  const int storages = script ? 4 : 22;
  for (int i = 0; i < storages; ++i) {
    Add(writer, ("a/data/" + std::to_string(i)).c_str(),
        std::string(script ? kScript[i] : kZip[i], '\x01'));
  }
  if (script) Add(writer, "a/constants.pkl", std::string("\x80\x02).", 4));
  archive_write_close(writer);
  archive_write_free(writer);
  bytes.resize(used);
  const auto checkpoint = op3d::Checkpoint::Parse(bytes, "input");
  if (!checkpoint.ok()) return 0;
  size_t sum = 0;
  for (const op3d::TensorView& tensor : checkpoint->Weights()) {
    for (const char byte : tensor.data) sum += static_cast<uint8_t>(byte);
  }
  return sum == SIZE_MAX ? 1 : 0;
}
