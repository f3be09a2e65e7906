#include "op3d/network/weights/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace op3d {
namespace {

struct FreeArchive {
  void operator()(struct archive* archive) const { archive_read_free(archive); }
};
using Reader = std::unique_ptr<struct archive, FreeArchive>;

absl::Status Fault(struct archive* reader, absl::string_view what) {
  const char* why = archive_error_string(reader);
  return absl::DataLossError(absl::StrCat("the archive is damaged: ", what, ": ",
                                          why == nullptr ? "no reason given" : why,
                                          "; copy the file again"));
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ReadArchive(
    absl::string_view bytes, absl::FunctionRef<bool(absl::string_view name)> wanted) {
  const Reader reader(archive_read_new());
  archive_read_support_format_zip_seekable(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    return Fault(reader.get(), "it does not open");
  }
  std::map<std::string, std::string> members;
  size_t left = bytes.size();
  for (;;) {
    struct archive_entry* entry = nullptr;
    const int next = archive_read_next_header(reader.get(), &entry);
    if (next == ARCHIVE_EOF) return members;
    if (next != ARCHIVE_OK) return Fault(reader.get(), "a member's header");
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    const char* path = archive_entry_pathname(entry);
    const std::string name = path == nullptr ? "" : path;
    if (!wanted(name)) continue;
    std::string contents;
    for (;;) {
      const void* block = nullptr;
      size_t size = 0;
      la_int64_t offset = 0;
      const int read = archive_read_data_block(reader.get(), &block, &size, &offset);
      if (read == ARCHIVE_EOF) break;
      if (read != ARCHIVE_OK) return Fault(reader.get(), absl::CHexEscape(name));
      // Holes, and more bytes than the member has, come from compression or wrong headers.
      if (offset != static_cast<la_int64_t>(contents.size()) || size > left) {
        return absl::InvalidArgumentError(
            absl::StrCat("the archive's member ", absl::CHexEscape(name),
                         " is compressed or sparse; weights are stored plainly"));
      }
      contents.append(static_cast<const char*>(block), size);
      left -= size;
    }
    if (!members.emplace(name, std::move(contents)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the archive holds ", absl::CHexEscape(name), " twice"));
    }
  }
}

}  // namespace op3d
