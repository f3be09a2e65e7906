// Fits very many curves with equally many points: a PerformanceCurve whose decay b comes from a
// fixed grid and one interpolation, so that nearly everything that does not depend on the
// performance is computed once.
//
//   const DecayGrid grid(31, CurveTerms());
//   for (const auto& performance : resampled) Use(grid.Fit(performance));
//
// A few microseconds per fit, compared with a few hundred for EstimateKnee(); the grid is just fine
// enough for resampling (its residual is within a percent of the best one).
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

  // The least-squares fit over the grid with a, d >= 0; e is not bounded.  `performance` has
  // points() finite values, of the order of 1.
  PerformanceCurve Fit(absl::Span<const double> performance) const;

 private:
  // The number of decays of the grid, in addition to the infinite one.
  static constexpr int kDecays = 48;

  // exp(-b x), made orthonormal to the first `rank` polynomials.
  struct Decay {
    double b = 0;
    std::vector<double> beside;
    // The norm of the part orthogonal to the polynomials; 0 = nothing.
    double norm = 0;
    // Its coefficients for the polynomials.
    std::array<double, 3> share = {};
  };
  // A performance's projection on the first `rank` polynomials, and the remainder.
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
  // How much of the remainder the decay explains, with its sign; 0 if a would be negative.
  static double Along(const Decay& decay, const Rest& rest);
  // Uses the fit with this decay if it is the best so far and d >= 0.
  void Take(const Decay& decay, const Rest& rest, double along, Best* best) const;
  void TakeDecays(const Rest& rest, Best* best) const;
  // From the projection on the first `rank` polynomials.
  PerformanceCurve ToCurve(const std::array<double, 3>& projection, int rank) const;

  const int points_;
  const double span_;
  // 1, x, x^2, as far as the terms and the points allow; orthonormal.
  std::vector<std::vector<double>> polynomials_;
  std::array<std::array<double, 3>, 3> triangle_ = {};
  // How many of them a fit may use: with x^2, and without it, in case d would be negative.
  std::vector<int> ranks_;
  // By rank - 1, increasing.
  std::array<std::vector<Decay>, 3> decays_;
};

// The first integer epoch in [0, kHorizon) at which `curve`, with a, d >= 0, is highest, within
// rounding: such a curve is concave, so ten comparisons are enough.
int HighestEpochOfBent(const PerformanceCurve& curve);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_DECAY_GRID_H_
