// Smoothing of a chunk's targets: noise is taken out of them, within a tolerance.
//
// A network's answer trembles by a milliradian or two from action to action. Followed to the letter
// at 50 Hz, 2 mrad of noise are 12 rad/s² of curvature: more than the arm has, so the clock would
// have to slow down for it. Of all sequences z near the targets y the one is taken that minimises
//     sum (z_i - y_i)² + lambda sum (z_{i-1} - 2 z_i + z_{i+1})²
// (Whittaker 1923; Eilers, Analytical Chemistry 75, 2003), whose response to a frequency f is
// 1 / (1 + lambda (2 sin(pi f / fps))⁴): lambda is chosen so that one half is left at the cut-off.
// Lines and the last target, where the arm would rest, stay as they are. No target is moved by more
// than the tolerance, whatever the policy says: a real corner stays a corner.
//
// Pure; the stepper's thread, after the write. Nothing allocates or throws.
#pragma once

#include <cstddef>

#include "arms/arm.hpp"

namespace rti {

struct Smoothing {
    double fps = 30.0;             // targets a second
    double cutoff_hz = 4.0;        // what is faster than this is taken for noise
    double tolerance_rad = 0.004;  // by which a target may be moved; 0: not at all
};

// Smooths `count` targets in place; count <= RTI_MAX_CHUNK.
void smooth(const Smoothing& smoothing, JointArray* targets, std::size_t count) noexcept;

}  // namespace rti
