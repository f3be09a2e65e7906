#include "data/video/testing/test_tar.h"

#include <archive.h>
#include <archive_entry.h>

#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "op3d/base/file.h"

namespace op3d::data {
namespace {

constexpr int64_t kSparseBytes = 1 << 20;

void Require(bool good, struct archive* writer) {
  if (good) return;
  const char* why = writer == nullptr ? nullptr : archive_error_string(writer);
  std::fprintf(stderr, "cannot make the tar of a test: %s\n", why == nullptr ? "?" : why);
  std::abort();
}

la_ssize_t Append(struct archive*, void* bytes, const void* data, size_t size) {
  static_cast<std::string*>(bytes)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

void AddMember(const TestMember& member, struct archive* writer) {
  struct archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, member.name.c_str());
  archive_entry_set_perm(entry, 0644);
  archive_entry_set_filetype(entry, AE_IFREG);
  int64_t size = static_cast<int64_t>(member.content.size());
  switch (member.kind) {
    case TestMember::Kind::kFile:
      break;
    case TestMember::Kind::kFolder:
      archive_entry_set_filetype(entry, AE_IFDIR);
      break;
    case TestMember::Kind::kHardLink:
      archive_entry_set_hardlink(entry, member.content.c_str());
      size = 0;
      break;
    case TestMember::Kind::kSymbolicLink:
      archive_entry_set_filetype(entry, AE_IFLNK);
      archive_entry_set_symlink(entry, member.content.c_str());
      size = 0;
      break;
    case TestMember::Kind::kSparse:
      // A hole between the two halves.  The size comes first: pieces beyond it are ignored.
      archive_entry_set_size(entry, kSparseBytes);
      archive_entry_sparse_add_entry(entry, 0, size / 2);
      archive_entry_sparse_add_entry(entry, kSparseBytes - (size - size / 2), size - size / 2);
      size = kSparseBytes;
      break;
  }
  archive_entry_set_size(entry, size);
  Require(archive_write_header(writer, entry) == ARCHIVE_OK, writer);
  if (member.kind == TestMember::Kind::kFile) {
    Require(archive_write_data(writer, member.content.data(), member.content.size()) ==
                static_cast<la_ssize_t>(size),
            writer);
  } else if (member.kind == TestMember::Kind::kSparse) {
    std::string whole(static_cast<size_t>(size), '\0');
    whole.replace(0, member.content.size() / 2, member.content, 0, member.content.size() / 2);
    const std::string rest = member.content.substr(member.content.size() / 2);
    whole.replace(whole.size() - rest.size(), rest.size(), rest);
    Require(archive_write_data(writer, whole.data(), whole.size()) ==
                static_cast<la_ssize_t>(whole.size()),
            writer);
  }
  archive_entry_free(entry);
}

}  // namespace

std::string MakeTestTar(const std::vector<TestMember>& members, TarForm form) {
  // libarchive's writer needs a locale that has the names' characters; its reader does not.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  std::string bytes;
  struct archive* writer = archive_write_new();
  switch (form) {
    case TarForm::kUstar:
      archive_write_set_format_ustar(writer);
      break;
    case TarForm::kPax:
      archive_write_set_format_pax(writer);
      break;
    case TarForm::kGnu:
      archive_write_set_format_gnutar(writer);
      break;
  }
  Require(archive_write_open(writer, &bytes, nullptr, Append, nullptr) == ARCHIVE_OK, writer);
  for (const TestMember& member : members) AddMember(member, writer);
  Require(archive_write_close(writer) == ARCHIVE_OK, writer);
  archive_write_free(writer);
  std::setlocale(LC_CTYPE, "C");
  return bytes;
}

std::string WriteTestTar(const std::string& path, const std::vector<TestMember>& members,
                         TarForm form) {
  Require(WriteFileAtomically(path, MakeTestTar(members, form)).ok(), nullptr);
  return path;
}

}  // namespace op3d::data
