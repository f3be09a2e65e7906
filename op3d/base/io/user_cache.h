// The folder in which op3d keeps what it can make again, for this user.
#ifndef OP3D_BASE_IO_USER_CACHE_H_
#define OP3D_BASE_IO_USER_CACHE_H_

#include <string>

namespace op3d {

// op3d/ in $XDG_CACHE_HOME, otherwise in ~/.cache; it may not exist yet.  Empty if neither variable
// is an absolute path.
std::string UserCacheFolder();

}  // namespace op3d

#endif  // OP3D_BASE_IO_USER_CACHE_H_
