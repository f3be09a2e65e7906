// opencv_flow.so: the only code that uses OpenCV (optical_flow.h loads it).
#include <cstdint>
#include <cstdio>

#ifdef OP3D_OPENCV
#include <exception>
#include <opencv2/core.hpp>
#include <opencv2/core/ocl.hpp>
#include <opencv2/video/tracking.hpp>
#include <string>
#endif

// Fills `moves`, [height, width, 2], and returns 0; or writes a message to `error` and returns 1.
// Without pictures: returns 0 if OpenCV is available.
extern "C" int Op3dOpticalFlow(const char* method, const uint8_t* first, const uint8_t* second,
                               int width, int height, float* moves, char* error, int error_bytes) {
#ifdef OP3D_OPENCV
  if (first == nullptr) return 0;
  try {
    // Whole videos run in parallel.  Only once: two threads must not call it at the same time.
    static const bool alone = [] {
      cv::setNumThreads(1);
      return true;
    }();
    (void)alone;
    // No GPU, whose sums differ; this setting is per thread.
    cv::ocl::setUseOpenCL(false);
    const cv::Mat before(height, width, CV_8UC1, const_cast<uint8_t*>(first));
    const cv::Mat after(height, width, CV_8UC1, const_cast<uint8_t*>(second));
    cv::Mat flow(height, width, CV_32FC2, moves);
    if (method == std::string("farneback")) {
      cv::FarnebackOpticalFlow::create()->calc(before, after, flow);
    } else {
      cv::DISOpticalFlow::create(cv::DISOpticalFlow::PRESET_MEDIUM)->calc(before, after, flow);
    }
    if (flow.ptr() == reinterpret_cast<uint8_t*>(moves)) return 0;
    std::snprintf(error, error_bytes, "it wrote the flow elsewhere");
  } catch (const std::exception& exception) {
    std::snprintf(error, error_bytes, "%s", exception.what());
  }
#else
  (void)method, (void)first, (void)second, (void)width, (void)height, (void)moves;
  if (error != nullptr) std::snprintf(error, error_bytes, "this build has none");
#endif
  return 1;
}
