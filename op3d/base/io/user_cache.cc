#include "op3d/base/io/user_cache.h"

#include <cstdlib>

#include "op3d/base/file.h"

namespace op3d {

std::string UserCacheFolder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return JoinPath(cache, "op3d");
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? JoinPath(home, ".cache/op3d") : "";
}

}  // namespace op3d
