// Fits of very many curves with equally many points: a PerformanceCurve whose decay b comes from a
// fixed grid and one interpolation, so that nearly everything but the performance is computed once.
//
//   const DecayGrid grid(31, CurveTerms());
//   for (const auto& performance : resampled) Use(grid.Fit(performance));
//
// A few microseconds a fit, against a few hundred for EstimateKnee(); the grid is fine enough for
// resampling (its residual is within a percent of the best one), and no finer.
#ifndef OP3D_PLANNER_KNEE_DECAY_GRID_H_
#define OP3D_PLANNER_KNEE_DECAY_GRID_H_

#include <array>
#include <vector>

#include "absl/types/span.h"
#include "planner/knee/performance_curve.h"

namespace op3d::planner {

// Thread-safe once made.
class DecayGrid {
 public:
  // `points` at least 2.
  DecayGrid(int points, const CurveTerms& terms);

  int points() const { return points_; }

  // The least squares over the grid with a, d >= 0; e is not bounded.  `performance` has points()
  // finite values of a size around one.
  PerformanceCurve Fit(absl::Span<const double> performance) const;

 private:
  // Decays of the grid, beside the infinite one.
  static constexpr int kDecays = 48;

  // exp(-b x), orthonormal to the first `rank` polynomials.
  struct Decay {
    double b = 0;
    std::vector<double> beside;
    // What was left beside the polynomials; 0 = nothing.
    double norm = 0;
    // Its shares of the polynomials.
    std::array<double, 3> share = {};
  };
  // A performance's projection on the first `rank` polynomials, and what is left.
  struct Rest {
    int rank = 0;
    std::array<double, 3> projection = {};
    std::vector<double> remainder;
    double square = 0;
  };
  struct Best {
    PerformanceCurve curve;
    double square = 0;
  };

  Decay MakeDecay(double b, int rank) const;
  // How much of the remainder the decay explains, with its sign; 0 where a would be negative.
  static double Along(const Decay& decay, const Rest& rest);
  // Takes the fit with this decay if it is the best so far and d >= 0.
  void Take(const Decay& decay, const Rest& rest, double along, Best* best) const;
  void TakeDecays(const Rest& rest, Best* best) const;
  // From the projection on the first `rank` polynomials.
  PerformanceCurve ToCurve(const std::array<double, 3>& projection, int rank) const;

  const int points_;
  const double span_;
  // 1, x, x^2, as far as the terms and the points allow; orthonormal.
  std::vector<std::vector<double>> polynomials_;
  std::array<std::array<double, 3>, 3> triangle_ = {};
  // How many of them a fit may use: with x^2, and without, for where d would be negative.
  std::vector<int> ranks_;
  // By rank - 1, rising.
  std::array<std::vector<Decay>, 3> decays_;
};

// The first integer epoch in [0, kHorizon) where `curve`, with a, d >= 0, is highest, within
// rounding: such a curve bends downward everywhere, so ten comparisons tell.
int HighestEpochOfBent(const PerformanceCurve& curve);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_DECAY_GRID_H_
