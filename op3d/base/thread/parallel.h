// Independent pieces of work on several threads.
//
//   OP3D_RETURN_IF_ERROR(InParallel(threads, files.size(), [&](int64_t i) {
//     return Convert(files[i]);
//   }));
#ifndef OP3D_BASE_THREAD_PARALLEL_H_
#define OP3D_BASE_THREAD_PARALLEL_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace op3d {

// Calls `work`(i) once for each i in [0, count), on `threads` threads (at least one, including the
// caller's), in no particular order; returns when all calls have returned.  After the first error
// or signal (Cancelled) no further call is started, and it is returned; of simultaneous errors any
// one.
absl::Status InParallel(int threads, int64_t count, absl::FunctionRef<absl::Status(int64_t)> work);

// Calls `work`(i) for all i in [0, threads) at the same time, on a thread each (the caller's among
// them); returns when all calls have.
void OnThreads(int64_t threads, absl::FunctionRef<void(int64_t)> work);

}  // namespace op3d

#endif  // OP3D_BASE_THREAD_PARALLEL_H_
